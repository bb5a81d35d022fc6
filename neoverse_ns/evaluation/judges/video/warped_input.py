"""The input of a video with depth and cameras, frame by frame, from the files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.errors import UNREADABLE, ClipError
from neoverse_ns.evaluation.data.clips.folder import scale_intrinsics
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.data.videos.scene import VideoScene

DEPTH = "_depth.npz"
"""Behind the input's name: `frame_00000` ... [h, w], as `ns-neoverse render --depth npz` writes it."""


@dataclass(frozen=True)
class InputView:
    """An input frame in the size of its depth.

    Attributes:
        rgb: In [0, 1].
        depth: z-depth in the unit of the cameras; 0 where unknown.
        c2w: Its camera, in the world of the path asked for.
        K: Intrinsics in pixels of that size.
    """

    rgb: Float[Tensor, "h w 3"]
    depth: Float[Tensor, "h w"]
    c2w: Float64[Tensor, "4 4"]
    K: Float64[Tensor, "3 3"]


def missing_inputs(scene: BenchmarkScene) -> str | None:
    """What of this a video lacks, and where it is had; None where it has all."""
    stem = scene.name
    advice = (
        f"put the input beside it as {stem}_input.mp4, with {stem}_input_cameras.json and {stem}_input{DEPTH} "
        "(ns-neoverse render RUN --trajectory static --time as-filmed --depth npz writes both)"
    )
    if not isinstance(scene, VideoScene) or scene.input is None or not _depth_file(scene.input).is_file():
        return f"nothing is known of the input: {advice}"
    if scene.frames[0].c2w is None or scene.frames[0].K is None:
        return f"no camera path with intrinsics lies beside it: {advice}"
    return None


def input_views(scene: VideoScene) -> Iterator[InputView]:
    """The input frame of every output frame: that of its time, by share of the whole where the path says no times.

    Raises:
        ClipError: The input's files do not fit each other.
    """
    assert scene.input is not None
    given, depth = VideoScene(scene.input, f"{scene.name} (input)"), _depth_of(_depth_file(scene.input))
    if given.frames[0].c2w is None or given.frames[0].K is None:
        raise ClipError(
            f"{scene.input}: its cameras are not known: put them beside it as {given.file.stem}_cameras.json"
        )
    if len(depth) != len(given.frames):
        raise ClipError(f"{_depth_file(scene.input)} has {len(depth)} frames, but {scene.input} {len(given.frames)}")
    count, last = len(scene.frames), len(given.frames) - 1
    even = torch.linspace(0, 1, count, dtype=torch.float64)
    times = even if scene.times is None else scene.times
    own = torch.linspace(0, 1, last + 1, dtype=torch.float64) if given.times is None else given.times
    for time in times:
        number = int((own - time).abs().argmin())
        yield _view(given, number, depth[number])


def _view(given: VideoScene, number: int, depth: np.ndarray) -> InputView:
    frame = given.frames[number]
    rgb = given.read(frame, "rgb").rgb
    assert rgb is not None
    assert frame.c2w is not None
    assert frame.K is not None
    size = (depth.shape[1], depth.shape[0])
    picture = cv2.resize(rgb.numpy(), size, interpolation=cv2.INTER_AREA)
    K = scale_intrinsics(frame.K[None], (frame.width, frame.height), size)[0]
    return InputView(torch.from_numpy(picture).float() / 255, torch.from_numpy(depth), frame.c2w, K)


def _depth_file(video: Path) -> Path:
    return video.with_name(f"{video.name if video.is_dir() else video.stem}{DEPTH}")


def _depth_of(file: Path) -> list[np.ndarray]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            names = sorted(name for name in arrays.files if name.startswith("frame_"))
            found = [np.asarray(arrays[name], np.float32) for name in names]
    except UNREADABLE as error:
        raise ClipError(f"{file} cannot be read as depth ({error}): write it again") from error
    if not found:
        raise ClipError(f"{file} holds no frame_00000 ... of depth")
    return found
