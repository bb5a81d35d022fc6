"""Frames of a benchmark scene as a clip, with the cameras that the data set knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.resize import fit, target_size
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clip_folder import scale_intrinsics
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkScene
from neoverse_ns.geometry.cameras import PinholeCameras


def frames_clip(
    scene: BenchmarkScene, frames: Sequence[BenchmarkFrame], device: str = "cpu"
) -> tuple[Clip, PinholeCameras | None]:
    """A clip at the size that our own reconstructors work at, and its true cameras at that size, where all are known.

    Args:
        scene: Whose frames they are.
        frames: By time; pictures of one size.
        device: Where the clip will be worked on; decides its size.

    Raises:
        ClipError: There are none, their pictures differ in size, or one cannot be read.
    """
    if not frames:
        raise ClipError(f"{scene.name}: there are no frames to look at")
    source = frames[0].width, frames[0].height
    if any((frame.width, frame.height) != source for frame in frames):
        raise ClipError(f"{scene.name}: frames differ in size, and one camera took them all: the data is damaged")
    size = target_size(source, None, device)
    pictures, ignored = [], []
    for frame in frames:
        pixels = scene.read(frame, "rgb", "valid")
        if pixels.rgb is None:
            raise ClipError(f"{scene.folder / frame.name}: there is no picture")
        pictures.append(torch.from_numpy(fit(pixels.rgb.numpy(), source, size)))
        valid = pixels.masks.get("valid")
        shown = np.full((source[1], source[0], 1), 255, np.uint8) if valid is None else _bytes(valid)
        # A pixel that is partly outside is out.
        ignored.append(torch.from_numpy(fit(shown, source, size).reshape(size[1], size[0]) < 255))
    outside = torch.stack(ignored)
    clip = Clip(
        frames=torch.stack(pictures),
        frame_indices=torch.tensor([frame.time for frame in frames]),
        seconds=torch.tensor([frame.seconds for frame in frames]),
        source=scene.folder,
        source_size=source,
        ignored=outside if bool(outside.any()) else None,
    )
    return clip, _cameras(frames, source, size)


def write_pictures(scene: BenchmarkScene, frames: Sequence[BenchmarkFrame], folder: Path) -> Path:
    """The same frames as PNG at their own size, in a new folder, their names in the order of time."""
    folder.mkdir(parents=True)
    for place, frame in enumerate(frames):
        rgb = scene.read(frame, "rgb").rgb
        if rgb is None:
            raise ClipError(f"{scene.folder / frame.name}: there is no picture")
        cv2.imwrite(str(folder / f"{place:05d}.png"), rgb.numpy()[:, :, ::-1])
    return folder


def _cameras(frames: Sequence[BenchmarkFrame], source: tuple[int, int], size: tuple[int, int]) -> PinholeCameras | None:
    poses = [frame.c2w for frame in frames if frame.c2w is not None]
    if len(poses) < len(frames):
        return None
    known = [frame.K for frame in frames if frame.K is not None]
    K: Float64[Tensor, "n 3 3"]
    if len(known) == len(frames):
        K = scale_intrinsics(torch.stack(known), source, size)
    else:
        # Poses without a focal length can be compared all the same; NaN keeps that from being taken for known.
        K = torch.full((len(frames), 3, 3), torch.nan, dtype=torch.float64)
    return PinholeCameras(torch.stack(poses), K, *size)


def _bytes(mask: Tensor) -> np.ndarray:
    return (mask.numpy().astype(np.uint8) * 255)[..., None]
