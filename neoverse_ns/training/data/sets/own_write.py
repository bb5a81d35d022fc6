"""Writing clips in our own layout, of any clip with truth."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int
from PIL import Image
from torch import Tensor

from neoverse_ns.clip.write import video_writer
from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.training.data.sets.own import CAMERAS, DEPTH, RGB, VIDEO
from neoverse_ns.training.data.sets.own_about import OwnAbout
from neoverse_ns.training.data.sets.own_motion import FLOW, INSTANCES, OBJECTS, TRACKS
from neoverse_ns.training.data.truth import ClipInfo, Displacement, TruthClip

Pictures = Literal["jpg", "png", "mp4"]
_MOST = 2**16 - 1
_STEPS = 2**15 - 1


@dataclass(frozen=True)
class RigidThings:
    """Motion of rigid things.

    Attributes:
        poses: Thing to world at every frame; rows that are not finite are unknown.
        instances: Gives, for a frame's number, 0 for what stands still and n for row n - 1 of the poses.
    """

    poses: Float[Tensor, "t things 4 4"]
    instances: Callable[[int], Int[Tensor, "h w"]]


@dataclass(frozen=True)
class FollowedPoints:
    """Motion of tracked points.

    Attributes:
        places: World positions at every frame, not finite where unknown.
        visible: They are seen there.
    """

    places: Float[Tensor, "t points 3"]
    visible: Bool[Tensor, "t points"]


def write_clip(
    folder: Path,
    clip: TruthClip,
    motion: RigidThings | FollowedPoints | None = None,
    pictures: Pictures = "jpg",
    quality: int = 95,
    farthest: float | None = None,
    caption: str | None = None,
    split: str = "train",
    licence: str | None = None,
) -> None:
    """Write a clip whole, or not at all. The folder must not exist.

    Args:
        folder: Of the clip.
        clip: Is read frame by frame, twice where it has depth: the deepest of all sets the step that 16 bits make.
        motion: What moves. None asks the clip for its motion from each frame to its neighbours, and writes that.
        pictures: JPEG files, PNG files, or one H.264 video, which needs even sizes.
        quality: Of JPEG.
        farthest: Depth beyond this is left out, which makes steps of depth smaller.
        caption: What it shows in words.
        split: As in "train" or "val".
        licence: Under which it may be used.

    Raises:
        ClipError: The clip cannot be read.
        SettingsError: The folder exists, or numbers of instances or sizes do not fit.
    """
    if folder.exists():
        raise SettingsError(f"{folder} exists already: name a new folder, or remove it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        step = _depth_step(clip, farthest)
        height, width = _write_frames(draft, clip, pictures, quality, step, farthest)
        if motion is None:
            _write_flow(draft, clip)
        else:
            _write_motion(draft, clip, motion)
        _about(clip.info, width, height, step, caption, split, licence).write(draft)
        draft.chmod(0o755)
        os.replace(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _about(
    info: ClipInfo, width: int, height: int, step: float, caption: str | None, split: str, licence: str | None
) -> OwnAbout:
    return OwnAbout(
        frames=info.frames,
        fps=info.fps,
        width=width,
        height=height,
        static=info.static,
        has=sorted(info.has),
        depth_scale=1 / step,
        furthest=info.furthest,
        render_weight=info.render_weight,
        depth_weight=info.depth_weight,
        motion_weight=info.motion_weight,
        depth_quantile=info.depth_quantile,
        caption=caption,
        split=split,
        licence=licence,
        source=f"{info.dataset} {info.clip}",
    )


def _usable(depth: Float32[Tensor, "h w"], farthest: float | None) -> Bool[Tensor, "h w"]:
    known = torch.isfinite(depth) & (depth > 0)
    return known if farthest is None else known & (depth <= farthest)


def _depth_step(clip: TruthClip, farthest: float | None) -> float:
    """Depth of one step of 16 bits, so that the deepest of all frames fits."""
    deepest = 0.0
    for index in range(clip.info.frames):
        if (depth := clip.frame(index).depth) is None:
            break
        if bool((known := _usable(depth, farthest)).any()):
            deepest = max(deepest, float(depth[known].max()))
    return deepest / _MOST if deepest > 0 else 1e-3


def _write_frames(
    folder: Path, clip: TruthClip, pictures: Pictures, quality: int, step: float, farthest: float | None
) -> tuple[int, int]:
    """Pictures, depth and cameras; gives height and width."""
    info = clip.info
    first = clip.frame(0)
    height, width = first.rgb.shape[:2]
    if pictures == "mp4" and (width % 2 or height % 2):
        raise SettingsError(f"a video needs an even width and height, got {width}x{height}: write pictures instead")
    if pictures != "mp4":
        (folder / RGB).mkdir()
    posed, poses, K = first.c2w is not None, [], []
    video = video_writer(folder / VIDEO, height, width, info.fps) if pictures == "mp4" else nullcontext(None)
    with video as add:
        for index in range(info.frames):
            frame = clip.frame(index)
            if add is not None:
                add(frame.rgb[None])
            else:
                options: dict[str, Any] = {"quality": quality, "subsampling": 0} if pictures == "jpg" else {}
                Image.fromarray(frame.rgb.numpy()).save(folder / RGB / f"{index:06d}.{pictures}", **options)
            if frame.depth is not None:
                # What is near shall not become unknown by rounding.
                numbers = torch.where(_usable(frame.depth, farthest), (frame.depth / step).round().clamp(1, _MOST), 0)
                _write_numbers(folder / DEPTH / f"{index:06d}.png", numbers)
            K.append(frame.K.numpy())
            if posed != (frame.c2w is not None):
                raise ClipError(f"{info.dataset} {info.clip}: some frames have poses and some, such as {index}, not")
            if frame.c2w is not None:
                poses.append(frame.c2w.numpy())
    arrays: dict[str, Any] = {"K": np.stack(K), "times": np.arange(info.frames) / info.fps}
    if poses:
        arrays["c2w"] = np.stack(poses)
    np.savez(folder / CAMERAS, **arrays)
    return height, width


def _write_motion(folder: Path, clip: TruthClip, motion: RigidThings | FollowedPoints) -> None:
    if isinstance(motion, FollowedPoints):
        # Not compressed, so that single frames can be read.
        np.savez(folder / TRACKS, places=motion.places.float().numpy(), visible=motion.visible.numpy())
        return
    np.savez(folder / OBJECTS, poses=motion.poses.double().numpy())
    for index in range(clip.info.frames):
        numbers = motion.instances(index)
        if int(numbers.min()) < 0 or int(numbers.max()) > motion.poses.shape[1]:
            raise SettingsError(
                f"instances of frame {index} must lie in 0..{motion.poses.shape[1]}, their poses' number"
            )
        _write_numbers(folder / INSTANCES / f"{index:06d}.png", numbers)


def _write_flow(folder: Path, clip: TruthClip) -> None:
    """Scene flow to both neighbours of every frame; nothing of clips that are static or know no motion."""
    info = clip.info
    if info.static or "motion" not in info.has:
        return
    for index in range(info.frames):
        arrays: dict[str, Any] = {}
        for name, other in (("forward", index + 1), ("backward", index - 1)):
            if 0 <= other < info.frames and (found := clip.displacement(index, other)) is not None:
                arrays |= _in_steps(name, found)
        (folder / FLOW).mkdir(exist_ok=True)
        np.savez_compressed(folder / FLOW / f"{index:06d}.npz", **arrays)


def _in_steps(name: str, found: Displacement) -> dict[str, Any]:
    """A displacement as whole numbers: zero stays zero, and the longest has some 32 thousand steps."""
    valid = found.valid & torch.isfinite(found.world).all(-1)
    world = torch.where(valid[..., None], found.world, 0).double()
    step = max(float(world.abs().max()), 1e-12) / _STEPS
    numbers = (world / step).round().to(torch.int16).numpy()
    return {name: numbers, f"{name}_step": np.float64(step), f"{name}_valid": valid.numpy()}


def _write_numbers(path: Path, numbers: Tensor) -> None:
    path.parent.mkdir(exist_ok=True)
    if not cv2.imwrite(str(path), numbers.numpy().astype(np.uint16)):
        raise ClipError(f"{path}: cannot be written")
