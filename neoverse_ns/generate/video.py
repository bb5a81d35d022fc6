"""Finished frames and what they were made from, as videos."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.folders import check_folder, make_folder
from neoverse_ns.generate.base import Conditions, ConditionSource
from neoverse_ns.generate.conditions.depth import normalise_depth
from neoverse_ns.generate.conditions.drawn import pieces

SUFFIXES = (".mp4", ".mkv", ".mov", ".avi")
CONDITIONS = ("render", "mask", "depth")
STRETCH = 81
"""Frames that the released video model refines at once."""


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
    with whole_video(path, frames.shape[1], frames.shape[2], fps) as add:
        add(frames)


@contextmanager
def whole_video(
    path: Path, height: int, width: int, fps: float
) -> Iterator[Callable[[UInt8[Tensor, "n h w 3"]], None]]:
    """What takes the next frames, on the CPU; the video takes its name when the block ends without an error.

    Args:
        path: Of the video.
        height: Of the frames, pixels, even.
        width: Likewise.
        fps: Frames per second.

    Raises:
        RunError: It cannot be written.
    """
    # PyAV is wanted for this alone, and every ns-* command loads this package.
    from av.error import FFmpegError

    from neoverse_ns.clip.write import video_writer

    try:
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=".writing-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise RunError(f"cannot write to {path.parent} ({error.strerror or error}): choose another --output") from error
    os.close(handle)
    draft = Path(name)
    try:
        with video_writer(draft, height, width, fps) as add:
            yield add
        draft.chmod(0o644)
        os.replace(draft, path)
    except (OSError, FFmpegError) as error:
        raise RunError(f"cannot write {path} ({error}): free space, or choose another --output") from error
    finally:
        draft.unlink(missing_ok=True)


def write_condition_videos(path: Path, conditions: ConditionSource, fps: float, stretch: int = STRETCH) -> list[Path]:
    """Write what a refiner was given beside a video, drawing it again: NAME_render, NAME_mask and NAME_depth.

    Args:
        path: Of the video.
        conditions: Its.
        fps: Frames per second.
        stretch: Frames at a time; depth is shown as if so many were refined at once.

    Returns:
        The videos' places.

    Raises:
        RunError: One cannot be written.
    """
    files = {name: path.with_stem(f"{path.stem}_{name}") for name in CONDITIONS}
    with ExitStack() as stack, progress("drawing what the refiner was given", len(conditions)) as steps:
        writers = {
            name: stack.enter_context(whole_video(file, conditions.height, conditions.width, fps))
            for name, file in files.items()
        }
        for part in pieces(conditions, stretch):
            for name, frames in condition_videos(part).items():
                writers[name](frames)
            steps.advance(len(part))
    return list(files.values())


def condition_videos(conditions: Conditions) -> dict[str, UInt8[Tensor, "n h w 3"]]:
    """What a refiner was given, as pictures, by name.

    Returns:
        `render`: colours; `mask`: white where the drawing is kept; `depth`: black near, white far (from the 98th
        percentile over these frames on), as the video model takes it.
    """
    shades = {"mask": conditions.mask.float(), "depth": 0.5 * (normalise_depth(conditions.depth) + 1)}
    pictures = {"render": conditions.rgb} | {k: v[..., None].expand(-1, -1, -1, 3) for k, v in shades.items()}
    return {name: (value.clamp(0, 1) * 255).round().to(torch.uint8).cpu() for name, value in pictures.items()}
