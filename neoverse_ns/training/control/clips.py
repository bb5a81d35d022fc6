"""The clips that training learns from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.clip.image_file import IMAGE_SUFFIXES
from neoverse_ns.errors import ClipError

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".gif"})


@dataclass(frozen=True)
class TrainingClip:
    """A video or folder of images, and what it shows in words; None where nobody wrote it down."""

    path: Path
    caption: str | None = None


def find_clips(folder: Path) -> list[TrainingClip]:
    """Videos and folders of images in `folder`, by name; a text file of the same name is the caption.

    Raises:
        ClipError: There are none.
    """
    if not folder.is_dir():
        raise ClipError(f"no folder of clips at {folder}: give one that has videos, or folders of images")
    clips = [TrainingClip(path, _caption(path)) for path in sorted(folder.iterdir()) if _is_clip(path)]
    if not clips:
        raise ClipError(f"{folder} has neither videos nor folders of images: give another folder")
    return clips


def _is_clip(path: Path) -> bool:
    if path.is_dir():
        return any(entry.suffix.lower() in IMAGE_SUFFIXES for entry in path.iterdir())
    return path.suffix.lower() in VIDEO_SUFFIXES


def _caption(path: Path) -> str | None:
    # A folder's name may contain dots, which are no suffix.
    text = path.parent / f"{path.name if path.is_dir() else path.stem}.txt"
    if not text.is_file():
        return None
    try:
        return " ".join(text.read_text("utf8").split()) or None
    except (OSError, UnicodeDecodeError) as error:
        raise ClipError(f"the caption {text} cannot be read ({error}): save it as UTF-8 text") from error
