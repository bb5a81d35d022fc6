"""A foreign path as a trajectory of a clip."""

from __future__ import annotations

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import say
from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.foreign.align import Alignment, align, drawn_intrinsics, placed
from neoverse_ns.trajectory.foreign.pairing import candidates
from neoverse_ns.trajectory.foreign.path import ForeignPath
from neoverse_ns.trajectory.foreign.read import read_foreign
from neoverse_ns.trajectory.trajectory import Trajectory, cameras_between, frames_at, spread_times


def bind_foreign(
    path: ForeignPath,
    name: str,
    cameras: PinholeCameras,
    times: Float[Tensor, " n"],
    clip: ClipFrames | None = None,
    align_to: str | None = None,
) -> Trajectory:
    """Place a path in the clip's world, give it the clip's lens, and find out which moments its cameras show.

    Args:
        path: Cameras of a file.
        name: What to call it in messages.
        cameras: The clip's.
        times: Their normalised times.
        clip: When the frames were taken and what they are called.
        align_to: `clip`; `rigid`, the same by one similarity alone; `none`; or a file of the clip's cameras in the
            path's world. None aligns to the clip what does not look like a path of this package's world.

    Raises:
        SettingsError: `align_to` is none of these, or its file cannot be read.
    """
    wanted = align_to or ("none" if path.own_world else "clip")
    if wanted == "none":
        if align_to is None:
            say(f"{name}: taken as a path in the scene's own world; --align-to clip places it by the clip's cameras")
        return _as_it_is(path, cameras, times, clip)
    alignment = _alignment(path, name, cameras, times, clip, wanted)
    moments = alignment.pairs.moments if wanted in ("clip", "rigid") else _moments(path, times, clip)
    # Where a path does not tell its moments, it may be anywhere when the clip's camera was there.
    dated = wanted == "clip" or (wanted != "rigid" and (path.times is not None or path.labels is not None))
    own = cameras_between(cameras, frames_at(times, moments)).K
    K = drawn_intrinsics(path, own, cameras.height, alignment.focal_ratio)
    c2w = placed(path, alignment, K, (cameras.width, cameras.height), moments if dated else None)
    return Trajectory(PinholeCameras(c2w, K, cameras.width, cameras.height), moments, fps=path.fps or _rate(path))


def place_world(
    path: ForeignPath,
    name: str,
    cameras: PinholeCameras,
    times: Float[Tensor, " n"],
    clip: ClipFrames | None,
    align_to: str,
) -> Sim3:
    """The similarity from a path's world to the clip's, for the same arguments as :func:`bind_foreign`.

    Raises:
        SettingsError: `align_to` is neither `clip` nor a file of cameras.
    """
    return _alignment(path, name, cameras, times, clip, align_to).sim3


def _alignment(
    path: ForeignPath, name: str, cameras: PinholeCameras, times: Tensor, clip: ClipFrames | None, align_to: str
) -> Alignment:
    shared, called = (path, name) if align_to in ("clip", "rigid") else (_reference(align_to), align_to)
    alignment = align(shared, cameras, times, candidates(shared, times, clip))
    alignment.tell(called, shared.own_world)
    return alignment


def _as_it_is(path: ForeignPath, cameras: PinholeCameras, times: Tensor, clip: ClipFrames | None) -> Trajectory:
    """A path of this package's world, with its own intrinsics where it has any, else the clip's."""
    moments = _moments(path, times, clip)
    fps = path.fps or _rate(path)
    if path.K is None or path.size is None:
        K = cameras_between(cameras, frames_at(times, moments)).K
        return Trajectory(PinholeCameras(path.c2w, K, cameras.width, cameras.height), moments, fps=fps)
    own = Trajectory(PinholeCameras(path.c2w, path.K, *path.size), moments, fps=fps)
    return own.resized(cameras.width, cameras.height)


def _reference(name: str) -> ForeignPath:
    path = Path(name).expanduser()
    if not path.exists():
        raise SettingsError(f"align_to must be 'clip', 'rigid', 'none', or a file of the clip's cameras, got '{name}'")
    return read_foreign(path)


def _moments(path: ForeignPath, times: Tensor, clip: ClipFrames | None) -> Tensor:
    """What a path shows that need not share frames with the clip: its own times, its frames', or the whole clip."""
    if path.times is not None and path.clock == "shares":
        return path.times
    if path.times is not None and clip is not None and clip.length > 0:
        return ((path.times - path.times[0]) / clip.length).clamp(0, 1)
    if path.labels is not None and clip is not None and len(clip) > 1:
        numbers = torch.tensor([-1 if label.number is None else label.number for label in path.labels])
        if bool((numbers >= 0).all()):
            known = torch.tensor(clip.numbers, dtype=torch.float64)
            at = frames_at(known, numbers.double())
            return torch.lerp(times.double()[at.floor().long()], times.double()[at.ceil().long()], at - at.floor())
    return spread_times(len(path)) if len(path) > 1 else times[:1].double()


def _rate(path: ForeignPath) -> float | None:
    """Cameras per second of a path whose times are seconds and evenly spread."""
    if path.times is None or path.clock != "seconds" or len(path) < 2:
        return None
    steps = path.times.diff()
    usual = float(steps.median())
    even = usual > 0 and float((steps - usual).abs().max()) < 0.1 * usual
    return (len(path) - 1) / float(path.times[-1] - path.times[0]) if even else None
