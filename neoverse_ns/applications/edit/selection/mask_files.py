"""Masks of what is to be edited, from an image, a folder or a video."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.cropping import cut
from neoverse_ns.clip.image_file import image_size, read_image
from neoverse_ns.clip.images import images_in
from neoverse_ns.clip.resize import fit
from neoverse_ns.errors import ClipError, SettingsError

_SAME_SHAPE = 0.02
"""Relative difference of aspect ratios up to which a mask shows what the source does."""
_LOSSY = frozenset({".jpg", ".jpeg", ".webp"})
"""Compressed masks, in which black is not exactly 0: only their lighter half counts, as in videos."""
_IMAGES = frozenset({".png", ".bmp", ".tif", ".tiff", ".gif"}) | _LOSSY


def read_masks(path: Path, clip: Clip, frame: int | None = None) -> tuple[Float[Tensor, "k h w"], list[int]]:
    """Masks in the clip's pixels, white where is to be edited, and the sampled frames that they belong to.

    Args:
        path: An image for one frame; a folder of images or a video with a mask for every sampled frame, or for every
            frame of the source.
        clip: The sampled frames.
        frame: What an image belongs to; None is the first sampled frame.

    Raises:
        SettingsError: There is no such file, or it does not fit the clip.
    """
    if path.is_dir():
        files = images_in(path)
        chosen = _matched(path, [_number(file) for file in files], clip)
        return torch.stack([_image(files[i], clip) for i in chosen]), list(range(len(clip)))
    if not path.is_file():
        raise SettingsError(f"--mask {path}: no such file or folder")
    if path.suffix.lower() in _IMAGES:
        place = 0 if frame is None else frame
        if not 0 <= place < len(clip):
            raise SettingsError(f"--mask {path}@{place}: sampled frames are 0 to {len(clip) - 1}")
        return _image(path, clip)[None], [place]
    return _video(path, clip)


def _image(path: Path, clip: Clip) -> Float[Tensor, "h w"]:
    try:
        width, height = image_size(path)
        image = read_image(path, (width, height))
    except ClipError as error:
        raise SettingsError(f"--mask: {error}") from error
    if image.shape[-1] == 4:
        # What is transparent in a mask marks nothing.
        image = np.where(image[..., 3:] >= 128, image[..., :3], np.uint8(0))
    least = 127 if path.suffix.lower() in _LOSSY else 0
    return _fitted(image.max(axis=-1) > least, path, clip)


def _video(path: Path, clip: Clip) -> tuple[Float[Tensor, "k h w"], list[int]]:
    import av
    from av.error import FFmpegError

    masks = []
    try:
        with av.open(str(path)) as container:
            for picture in container.decode(video=0):
                masks.append(picture.to_ndarray(format="gray") > 127)
    except (FFmpegError, OSError, IndexError) as error:
        raise SettingsError(f"--mask {path} cannot be read as a video ({error})") from error
    chosen = _matched(path, [None] * len(masks), clip)
    return torch.stack([_fitted(masks[i], path, clip) for i in chosen]), list(range(len(clip)))


def _fitted(mask: Bool[np.ndarray, "mh mw"], path: Path, clip: Clip) -> Float[Tensor, "h w"]:
    """A mask of the source, or of the clip as it was cropped, at the clip's size."""
    height, width = mask.shape
    size, source = (clip.width, clip.height), clip.source_size or (clip.width, clip.height)
    whole = _alike((width, height), source)
    if not whole and not _alike((width, height), size):
        raise SettingsError(
            f"--mask {path} has {width}x{height} pixels, the clip {size[0]}x{size[1]} out of {source[0]}x{source[1]}: "
            "both must show the same picture, at any resolution"
        )
    image = np.where(mask, np.uint8(255), np.uint8(0))[..., None].repeat(3, axis=2)
    inner = (width, height)
    if whole and clip.crop is not None:
        image = cut(image, source, clip.crop)
        inner = (clip.crop[2], clip.crop[3])
    if min(image.shape[:2]) < min(size):
        image = cv2.resize(image, (size[0] * 2, size[1] * 2), interpolation=cv2.INTER_NEAREST)
    return torch.from_numpy(fit(image, inner, size)[..., 0] >= 128).float()


def _alike(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return abs(a[0] * b[1] / (a[1] * b[0]) - 1) <= _SAME_SHAPE


def _number(file: Path) -> int | None:
    digits = re.findall(r"[0-9]+", file.stem)
    return int(digits[-1]) if digits else None


def _matched(path: Path, numbers: list[int | None], clip: Clip) -> list[int]:
    """Which of the masks belongs to each sampled frame."""
    places = {number: i for i, number in enumerate(numbers) if number is not None}
    wanted = clip.frame_indices.tolist()
    if len(numbers) == len(clip):
        return list(range(len(clip)))
    for first in (0, 1):
        if places and all(frame + first in places for frame in wanted):
            return [places[frame + first] for frame in wanted]
    if not places and len(numbers) > max(wanted):
        return wanted
    raise SettingsError(
        f"--mask {path} holds {len(numbers)} masks: it needs one for each of the {len(clip)} sampled frames, or for "
        f"each frame of the source up to {max(wanted)}"
    )
