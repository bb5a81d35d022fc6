"""Masks that the user gives: pixels of the source that are no part of the world."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from neoverse_ns.clip.borders import Box
from neoverse_ns.clip.cropping import cut
from neoverse_ns.clip.image_file import image_size, read_image
from neoverse_ns.clip.images import images_in
from neoverse_ns.clip.resize import fit
from neoverse_ns.errors import ClipError

_SAME_SHAPE = 0.02
"""Relative difference of aspect ratios up to which a mask shows what the source does."""
_TOUCHED = 12
"""Grey levels of 255, after scaling, from which a pixel is partly ignored and so not to be trusted."""
_PHOTO, _LEVELS = 0.3, 16
"""Share of a mask that may be neither black nor white, as soft edges are, and levels up to which they are labels."""
_LOSSY = frozenset({".jpg", ".jpeg", ".webp"})
"""Compressed masks, in which black is not exactly 0: only their lighter half counts."""
_WORD = re.compile(r"[ ._-]*masks?$|^masks?[ ._-]*", re.IGNORECASE)


def read_ignored(
    path: Path,
    frames: Sequence[int],
    names: Sequence[str] | None,
    source: tuple[int, int],
    box: Box | None,
    size: tuple[int, int],
) -> Bool[Tensor, "n h w"]:
    """Masks of the sampled frames, in the clip's pixels.

    Args:
        path: An image for all frames, or a folder with one for each: named as the frame's image is (with or without
            "mask"), numbered as the source's frames are (from 0 or 1), or as many as there are sampled frames.
        frames: Positions of the sampled frames in the source.
        names: Their image files' names without ending; None for a video.
        source: Upright width and height of the source.
        box: Part of it that is used.
        size: Width and height of the clip.

    Raises:
        ClipError: A mask is missing, unreadable, of another shape, or leaves nothing.
    """
    if path.is_dir():
        masks = [_read(file, source, box, size) for file in _matched(path, frames, names)]
        result = torch.from_numpy(np.stack(masks))
    elif path.is_file():
        one = torch.from_numpy(_read(path, source, box, size))
        result = one.expand(len(frames), *one.shape).contiguous()
    else:
        raise ClipError(f"--ignore {path}: no such file or folder")
    if bool(result.all()):
        raise ClipError(
            f"--ignore {path}: all of the picture would be ignored; masks are black where the picture is to be used"
        )
    return result


def _read(path: Path, source: tuple[int, int], box: Box | None, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    try:
        width, height = image_size(path)
        image = read_image(path, (width, height))
        if image.shape[-1] == 4:
            # What is transparent in a mask marks nothing.
            image = np.where(image[..., 3:] >= 128, image[..., :3], np.uint8(0))
    except ClipError as error:
        raise ClipError(f"--ignore: {error}") from error
    if abs((width / height) / (source[0] / source[1]) - 1) > _SAME_SHAPE:
        raise ClipError(
            f"--ignore {path}: the mask has {width}x{height} pixels, the source {source[0]}x{source[1]}: both must "
            "show the same picture, at any resolution"
        )
    between = float(((image > _TOUCHED) & (image < 255 - _TOUCHED)).mean())
    if between > _PHOTO and len(np.unique(image)) > _LEVELS:
        raise ClipError(
            f"--ignore {path}: {between:.0%} of it is neither black nor white: this is a picture, not a mask of what "
            "is to be ignored (white) and used (black)"
        )
    threshold = 127 if path.suffix.lower() in _LOSSY else 0
    mask = np.where(image.max(axis=-1, keepdims=True) > threshold, np.uint8(255), np.uint8(0))
    part = cut(np.repeat(mask, 3, axis=2), source, box)
    if min(part.shape[:2]) < min(size):
        part = cv2.resize(part, (size[0] * 2, size[1] * 2), interpolation=cv2.INTER_NEAREST)
    return fit(part, source if box is None else (box[2], box[3]), size)[..., 0] >= _TOUCHED


def _matched(folder: Path, frames: Sequence[int], names: Sequence[str] | None) -> list[Path]:
    """The mask of every sampled frame."""
    files = images_in(folder)
    if names is not None:
        named = {_WORD.sub("", file.stem): file for file in files}
        if all(name in named for name in names):
            return [named[name] for name in names]
    numbers: dict[int, Path] = {}
    for file in files:
        digits = re.findall(r"[0-9]+", file.stem)
        if digits:
            numbers[int(digits[-1])] = file
    for wanted in (_numbers(names), list(frames) if 0 in numbers else None, [frame + 1 for frame in frames]):
        if wanted is not None and len(numbers) == len(files) and all(number in numbers for number in wanted):
            return [numbers[number] for number in wanted]
    if len(files) == len(frames):
        return files
    raise ClipError(
        f"--ignore {folder}: {len(files)} masks fit {len(frames)} sampled frames neither by name nor by number nor in "
        "order; name each as its frame, number them as the source's frames, or give one image for all"
    )


def _numbers(names: Sequence[str] | None) -> list[int] | None:
    """Last numbers in the names, where all have one and no two the same."""
    found = [re.findall(r"[0-9]+", name) for name in names or ()]
    numbers = [int(digits[-1]) for digits in found if digits]
    return numbers if numbers and len(set(numbers)) == len(found) else None
