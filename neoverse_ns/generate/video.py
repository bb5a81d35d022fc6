"""Finished frames and what they were made from, as videos."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.folders import check_folder, make_folder
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.depth import normalise_depth

SUFFIXES = (".mp4", ".mkv", ".mov", ".avi")


def check_output(path: Path) -> None:
    """Make sure that a video can be written there, before hours of work are spent on it.

    Raises:
        SettingsError: The name does not say which kind of video it is.
        RunError: The folder cannot be made or written to.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SettingsError(f"--output {path} must end in one of {', '.join(SUFFIXES)}")
    if path.is_dir():
        raise RunError(f"--output {path} is a folder: give the name of a video")
    try:
        check_folder(path.parent)
    except OSError as error:
        raise RunError(f"cannot write to {path.parent} ({error.strerror or error}): choose another --output") from error


def write_video_whole(path: Path, frames: UInt8[Tensor, "n h w 3"], fps: float) -> None:
    """Write a video; where that fails an older one of that name stays.

    Raises:
        RunError: It cannot be written.
    """
    # PyAV is wanted for this alone, and every ns-* command loads this package.
    from av.error import FFmpegError

    from neoverse_ns.clip.write import write_video

    try:
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=".writing-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise RunError(f"cannot write to {path.parent} ({error.strerror or error}): choose another --output") from error
    os.close(handle)
    draft = Path(name)
    try:
        write_video(draft, frames, fps)
        draft.chmod(0o644)
        os.replace(draft, path)
    except (OSError, FFmpegError) as error:
        raise RunError(f"cannot write {path} ({error}): free space, or choose another --output") from error
    finally:
        draft.unlink(missing_ok=True)


def condition_videos(conditions: Conditions) -> dict[str, UInt8[Tensor, "n h w 3"]]:
    """What a refiner was given, as pictures, by name.

    Returns:
        `render`: colours; `mask`: white where the drawing is kept; `depth`: black near, white far (from the 98th
        percentile over the video on), as the video model takes it.
    """
    shades = {"mask": conditions.mask.float(), "depth": 0.5 * (normalise_depth(conditions.depth) + 1)}
    pictures = {"render": conditions.rgb} | {k: v[..., None].expand(-1, -1, -1, 3) for k, v in shades.items()}
    return {name: (value.clamp(0, 1) * 255).round().to(torch.uint8).cpu() for name, value in pictures.items()}
