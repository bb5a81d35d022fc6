"""Frames of a benchmark scene as a clip, with the cameras that the data set knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.resize import fit, target_size
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clips.folder import scale_intrinsics
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.render.writers import picture_name, write_png


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
    """The same frames as PNG at their own size, in a new folder, their names in the order of time.

    Raises:
        ClipError: A picture cannot be read.
        RunError: One cannot be written.
    """
    return write_numbered((_picture(scene, frame) for frame in frames), folder)


def write_numbered(pictures: Iterable[UInt8[Tensor, "h w 3"]], folder: Path) -> Path:
    """RGB pictures as PNG in a new folder, their names in order.

    Raises:
        RunError: One cannot be written.
    """
    folder.mkdir(parents=True)
    for place, picture in enumerate(pictures):
        write_png(folder / picture_name(place), picture.numpy()[:, :, ::-1])
    return folder


def _picture(scene: BenchmarkScene, frame: BenchmarkFrame) -> UInt8[Tensor, "h w 3"]:
    rgb = scene.read(frame, "rgb").rgb
    if rgb is None:
        raise ClipError(f"{scene.folder / frame.name}: there is no picture")
    return rgb


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
