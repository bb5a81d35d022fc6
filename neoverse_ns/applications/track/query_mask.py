"""Masks that say which part of a frame is to be followed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import ClipError, SettingsError

VIDEOS = (".mp4", ".mkv", ".mov", ".avi", ".webm")
LIGHT = 127
"""Grey level above which a pixel is within."""


def read_mask(path: Path, frame: int, clip: Clip) -> Bool[Tensor, "h w"]:
    """White pixels of a mask, in the scene's pixels.

    Args:
        path: An image that shows what the scene's pictures show, at any size, or a video with one picture for every
            sampled frame or for every frame of the source.
        frame: Position of the frame that the mask belongs to.
        clip: The sampled frames.

    Raises:
        SettingsError: It cannot be read, has no picture for the frame, or nothing in it is white.
    """
    if not path.is_file():
        raise SettingsError(f"--mask {path}: no such file")
    try:
        picture = _of_video(path, frame, clip) if path.suffix.lower() in VIDEOS else _of_image(path)
    except ClipError as error:
        raise SettingsError(f"--mask: {error}") from error
    small = cv2.resize(picture.max(-1), (clip.width, clip.height), interpolation=cv2.INTER_AREA)
    mask = torch.from_numpy(small > LIGHT)
    if not bool(mask.any()):
        raise SettingsError(f"--mask {path}: nothing is white, where points are wanted, in the mask of frame {frame}")
    return mask


def _of_image(path: Path) -> UInt8[np.ndarray, "h w c"]:
    from neoverse_ns.clip.image_file import read_image

    return read_image(path, (1, 1))[..., :3]


def _of_video(path: Path, frame: int, clip: Clip) -> UInt8[np.ndarray, "h w 3"]:
    # PyAV is wanted for this alone.
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path)) as container:
            count = sum(1 for _ in container.decode(video=0))
        wanted = frame if count == len(clip) else int(clip.frame_indices[frame])
        with av.open(str(path)) as container:
            for number, picture in enumerate(container.decode(video=0)):
                if number == wanted:
                    return picture.to_ndarray(format="rgb24")
    except (FFmpegError, IndexError, OSError) as error:
        raise SettingsError(f"--mask {path} cannot be read ({error})") from error
    raise SettingsError(
        f"--mask {path} has {count} pictures: give one for each of the {len(clip)} sampled frames, or for each of the "
        "source's"
    )
