"""Files that lie beside the images of a clip without being frames: masks, depth maps, the same pictures again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from neoverse_ns.clip.formats import IMAGE_SUFFIXES

# Words in names. The first lot belongs to a frame of the same number, whatever the rest of its name; the second, which
# people also call pictures, to a frame of the same name without the word.
_MASK_WORDS = {"mask", "masks", "matte", "mattes"}
_SURE_WORDS = _MASK_WORDS | {"depth", "depths", "disparity"}
_VAGUE_WORDS = {
    "alpha", "seg", "segmentation", "semantic", "label", "labels", "disp", "normal", "normals", "flow", "conf",
    "confidence", "instance", "trimap",
}  # fmt: skip
_MASK_FOLDERS = ("masks", "mask")
# Key of a mask that is for every frame; no name has such a part.
_FOR_ALL = "*"


@dataclass
class SortedImages:
    """Images of a folder by what they are.

    Attributes:
        frames: The pictures of the clip, by name.
        companions: Files that belong to frames, by what their names say they are.
        copies: Files that show a frame again under another ending.
    """

    frames: list[Path] = field(default_factory=list)
    companions: dict[str, list[Path]] = field(default_factory=dict)
    copies: list[Path] = field(default_factory=list)


def sort_images(images: Sequence[Path]) -> SortedImages:
    """Tell frames from what lies beside them, by names alone; what belongs to no frame is one."""
    found, images = SortedImages(), sorted(images)
    doubled = _named_after(images)
    if doubled:
        found.companions["mask"] = [image for image in images if image in doubled]
    words = {image: _word(image) for image in images if image not in doubled}
    plain = [image for image, word in words.items() if word is None]
    names = {tuple(_parts(image)) for image in plain}
    numbers = {_numbers(_parts(image)) for image in plain} - {()}
    of_frames: set[Path] = set()
    for word in sorted({word for word in words.values() if word is not None}):
        group = [image for image, other in words.items() if other == word]
        rest = [[part for part in _parts(image) if part != word] for image in group]
        sure = word in _SURE_WORDS
        # A file whose name is the word alone belongs to all of them.
        belong = sum(
            tuple(parts) in names or (sure and (not parts or _numbers(parts) in numbers)) for parts in rest if plain
        )
        if 2 * belong >= len(group):
            kind = "mask" if word in _MASK_WORDS else word
            found.companions[kind] = sorted([*found.companions.get(kind, []), *group])
            of_frames.update(group)
    frames = [image for image in words if image not in of_frames]
    found.copies = _copies(frames)
    found.frames = [image for image in frames if image not in set(found.copies)]
    return found


def masks_beside(images: Sequence[Path]) -> dict[Path, Path]:
    """The mask of every frame that has one: `frame_1_mask.png` or `frame_1.jpg.png` beside it, or in a folder `masks`.

    One file `mask.png` is the mask of all frames that have none of their own.

    Args:
        images: Frames of one folder, as :func:`sort_images` tells them.
    """
    if not images:
        return {}
    folder = images[0].parent
    places = [folder, *(base / name for base in (folder, folder.parent) for name in _MASK_FOLDERS)]
    places.append(folder.parent / f"{folder.name}_masks")
    masks: dict[Path, Path] = {}
    frames = set(images)
    for place in places:
        if not place.is_dir():
            continue
        there = sorted(p for p in place.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith("."))
        if place == folder:
            there = sort_images(there).companions.get("mask", [])
        by_name = {key: mask for mask in there if mask not in frames for key in _keys(mask)}
        for image in images:
            names = (image.name.lower(), image.stem.lower(), *_keys(image), _FOR_ALL)
            mask = next((by_name[name] for name in names if name in by_name), None)
            if mask is not None:
                masks.setdefault(image, mask)
    return masks


def _keys(mask: Path) -> list[str]:
    """Names under which a frame may look for this mask: its own, that without the word, its numbers."""
    parts = [part for part in _parts(mask) if part not in _MASK_WORDS]
    numbers = _numbers(parts)
    if not parts:
        return [_FOR_ALL]
    return [mask.name.lower(), mask.stem.lower(), "/".join(parts), *([f"#{numbers}"] if numbers else [])]


def _parts(path: Path) -> list[str]:
    """Words and numbers of a file's name in lower case."""
    return re.findall(r"[^\W\d_]+|\d+", path.stem.lower())


def _word(path: Path) -> str | None:
    return next((part for part in _parts(path) if part in _SURE_WORDS or part in _VAGUE_WORDS), None)


def _numbers(parts: Sequence[str]) -> tuple[int, ...]:
    return tuple(int(part) for part in parts if part.isdigit())


def _named_after(images: Sequence[Path]) -> set[Path]:
    """Files named after another file, ending and all, as COLMAP wants its masks."""
    names = {image.name for image in images}
    return {image for image in images if image.stem in names and Path(image.stem).suffix.lower() in IMAGE_SUFFIXES}


def _copies(frames: Sequence[Path]) -> list[Path]:
    """All but one of frames that differ in their ending only: the one whose ending is the most frequent stays."""
    counts = Counter(frame.suffix.lower() for frame in frames)
    first = {suffix: place for place, suffix in enumerate(counts)}
    by_stem: dict[str, list[Path]] = {}
    for frame in frames:
        by_stem.setdefault(frame.stem.lower(), []).append(frame)
    copies = []
    for alike in by_stem.values():
        if len({frame.suffix.lower() for frame in alike}) == len(alike) > 1:
            alike.sort(key=lambda frame: (-counts[frame.suffix.lower()], first[frame.suffix.lower()]))
            copies.extend(alike[1:])
    return copies
