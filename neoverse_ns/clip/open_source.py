"""What kind of source a path is: told by what is in it, not by its name."""

from __future__ import annotations

from pathlib import Path

from neoverse_ns.clip.animated import AnimationSource
from neoverse_ns.clip.companions import masks_beside, sort_images
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.folders import folder_notes
from neoverse_ns.clip.formats import FILM_SUFFIXES, IMAGE_SUFFIXES, UNREADABLE_SUFFIXES, content_of, is_readable_image
from neoverse_ns.clip.image_file import is_animation
from neoverse_ns.clip.image_reader import ImageReader
from neoverse_ns.clip.images import ImageSource, images_in
from neoverse_ns.clip.source import FrameSource
from neoverse_ns.clip.video import VideoSource
from neoverse_ns.errors import ClipError

# Raw streams of JPEG pictures begin as a single one does.
_PICTURE_STREAMS = {".mjpeg", ".mjpg"}


def open_source(path: Path, config: ClipConfig) -> FrameSource:
    """Tell what kind of source `path` is.

    Raises:
        ClipError: It does not exist, may not be looked at, is a folder without images, or lacks the masks asked for.
    """
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ClipError(f"{path}: no such file or folder") from error
    except OSError as error:
        raise ClipError(f"{path}: cannot be looked at ({error.strerror})") from error
    if path.is_dir():
        return _folder(path, config)
    if size == 0 and path.suffix.lower() not in IMAGE_SUFFIXES:
        raise ClipError(f"{path}: the file is empty")
    return _file(path, config)


def _folder(path: Path, config: ClipConfig) -> FrameSource:
    images = images_in(path)
    everything = [p for p in path.iterdir() if not p.name.startswith(".") and is_readable_image(p)]
    notes = folder_notes(path, sort_images(everything))
    return ImageSource(path, notes, images=images, rate=config.image_rate, reader=_reader(path, images, config, notes))


def _reader(path: Path, images: list[Path], config: ClipConfig, notes: list[str]) -> ImageReader:
    """How the images are read: with their masks, where those are asked for."""
    if config.masks == "leave_out":
        return ImageReader()
    masks = masks_beside(images)
    if not masks:
        raise ClipError(
            f"{path}: --masks {config.masks}, but no masks lie beside the images (frame_1_mask.png, or a folder masks)"
        )
    notes[:] = [note for note in notes if "--masks" not in note]
    if len(masks) < len(images):
        notes.append(f"only {len(masks)} of {len(images)} images have a mask")
    return ImageReader(masks=masks, white=config.masks)


def _file(path: Path, config: ClipConfig) -> FrameSource:
    content, suffix = content_of(path), path.suffix.lower()
    named_image = suffix in IMAGE_SUFFIXES
    if suffix in UNREADABLE_SUFFIXES and content not in ("film", "animation", "webp") and not is_readable_image(path):
        raise ClipError(f"{path}: {suffix} pictures are not read here; {UNREADABLE_SUFFIXES[suffix]}")
    if content == "webp" or (content == "avif" and ".avif" in IMAGE_SUFFIXES and is_animation(path)):
        return AnimationSource(path)
    film = content in ("film", "animation") or suffix in _PICTURE_STREAMS
    if film or (content == "unknown" and not named_image):
        notes = [f"{path.name} is a video in spite of its name"] if content == "film" and named_image else []
        return VideoSource(path, notes, stream=config.video_stream, rate=config.image_rate)
    # A picture, or what its name calls one: where it is neither, or cannot be read here, reading it says so.
    notes = [f"{path.name} is an image in spite of its name"] if suffix in FILM_SUFFIXES else []
    return ImageSource(path, notes, images=[path], rate=config.image_rate, reader=_reader(path, [path], config, notes))
