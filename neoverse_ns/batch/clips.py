"""The clips of a folder, and what each is called in the output."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from neoverse_ns.errors import ClipError
from neoverse_ns.training.control.clips import find_clips


def named_clips(folder: Path, output: Path) -> dict[str, Path]:
    """Videos and folders of images in a folder, by names that are plain, and each another's.

    Args:
        folder: Where they lie; only its direct entries count, hidden ones do not.
        output: Left out where it lies there, too.

    Raises:
        ClipError: There are none.
    """
    try:
        found = [clip.path for clip in find_clips(folder)]
    except OSError as error:
        raise ClipError(f"{error.filename} cannot be read ({error.strerror}): check its permissions") from error
    clips = [path for path in found if not path.name.startswith(".") and path.absolute() != output.absolute()]
    if not clips:
        raise ClipError(f"{folder} has neither videos nor folders of images: give another folder")
    stems = [_plain(_stem(path)) for path in clips]
    alike = {stem for stem, count in Counter(stem.lower() for stem in stems).items() if count > 1}
    # Of street.mp4 and street.mov neither is street.
    names = [_plain(path.name) if stem.lower() in alike else stem for path, stem in zip(clips, stems, strict=True)]
    while len({name.lower() for name in names}) < len(names):
        counts, seen = Counter(name.lower() for name in names), Counter()
        for place, name in enumerate(names):
            seen[name.lower()] += 1
            if counts[name.lower()] > 1:
                names[place] = f"{name}_{seen[name.lower()]}"
    return dict(zip(names, clips, strict=True))


def _stem(path: Path) -> str:
    """A folder's name may contain dots, which are no suffix."""
    return path.name if path.is_dir() else path.stem


def _plain(name: str) -> str:
    """Without what makes trouble in file names of some system."""
    plain = re.sub(r"[^\w.\-+ ]", "_", name).strip(" .")
    return plain or "clip"
