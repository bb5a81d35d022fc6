"""Neighbouring keyframes through the network: their cameras, surfaces and Gaussians, and the cameras in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.networks.neoverse.splat_settings import SplatSettings
from neoverse_ns.networks.neoverse.splats import keyframe_splats
from neoverse_ns.reconstruct.feedforward.camera_anchoring import follow_keyframes
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.reconstruct.feedforward.frame_passes import CameraPass
from neoverse_ns.reconstruct.feedforward.lift import to_dynamic_gaussians
from neoverse_ns.reconstruct.feedforward.runner import FrameRunner
from neoverse_ns.reconstruct.feedforward.surfaces import Surfaces, check_finite, surfaces_of
from neoverse_ns.reconstruct.feedforward.unit_ratio import unit_ratio


@dataclass(frozen=True)
class WindowResult:
    """Everything about the frames of a window, in a world and unit of its own, on the CPU.

    Attributes:
        seen: Numbers of its keyframes.
        keyframes: Their cameras, in clip pixels.
        surfaces: Their maps.
        gaussians: Of the keyframes it answers for; `keyframe` numbers those of the whole clip.
        frames: Positions of the other frames whose cameras are known, ascending.
        cameras: Those cameras.
    """

    seen: range
    keyframes: PinholeCameras
    surfaces: Surfaces
    gaussians: DynamicGaussians
    frames: list[int]
    cameras: PinholeCameras


Clock = Callable[[str, float], None]
"""Takes the name of a stage and the seconds it took."""

Predict = Callable[[list[int], bool, tuple[str, ...]], NetworkPredictions]
"""Asks the network of frames: whether they move, and the heads that are wanted."""


def run_window(
    runner: FrameRunner,
    config: NetworkConfig,
    keyframes: list[int],
    seen: range,
    own: range,
    passes: list[CameraPass],
    clock: Clock,
) -> WindowResult:
    """Lift the keyframes alone, then find the cameras of the frames between them, which give no Gaussians.

    Args:
        runner: The network on the clip.
        config: Settings.
        keyframes: Positions of all keyframes of the clip.
        seen: Numbers of the keyframes that pass through the network together.
        own: Numbers of those whose Gaussians are kept.
        passes: See :func:`neoverse_ns.reconstruct.feedforward.frame_passes.camera_passes`.
        clock: Told what took how long.

    Raises:
        ReconstructionError: The network predicts values that are not finite.
        MemoryShortageError: The device has too little memory.
    """
    context = [keyframes[number] for number in seen]
    others = sorted({frame for part in passes for frame in part.frames})
    # Known poses are relative to the box around all of the window's cameras, in every pass alike.
    union = sorted({*context, *others})
    tokens = runner.prior_tokens(union)

    def predict(frames: list[int], use_motion: bool, heads: tuple[str, ...]) -> NetworkPredictions:
        part = None if tokens is None else tokens.frames([union.index(frame) for frame in frames])
        return runner(frames, part, use_motion, heads)

    started = time.perf_counter()
    predictions = predict(context, config.mode == "paper", ("depth", "motion", "gaussians"))
    surfaces = surfaces_of(predictions, runner.size, config.motion_pixels)
    clock("keyframes", time.perf_counter() - started)
    started = time.perf_counter()
    gaussians = _lift(runner, predictions, config, context, seen, own)
    clock("gaussians", time.perf_counter() - started)
    own_cameras = cameras_of(predictions, runner)
    started = time.perf_counter()
    found = _cameras_between(runner, config, keyframes, seen, passes, predictions, own_cameras, predict)
    clock("cameras", time.perf_counter() - started)
    return WindowResult(seen, own_cameras, surfaces, gaussians, others, _stack(found, others, own_cameras))


def _cameras_between(
    runner: FrameRunner,
    config: NetworkConfig,
    keyframes: list[int],
    seen: range,
    passes: list[CameraPass],
    predictions: NetworkPredictions,
    own_cameras: PinholeCameras,
    predict: Predict,
) -> dict[int, PinholeCameras]:
    """Cameras of the frames between the keyframes, by frame, in the world of the keyframes' own."""
    found: dict[int, PinholeCameras] = {}
    for part in passes:
        anchors = [keyframes[number] for number in part.anchors]
        # The keyframes go first, so that the first of them is the world of both passes. Where it is the only one,
        # nothing but its depth tells their units apart.
        answer = predict([*anchors, *part.frames], False, ("depth",) if len(anchors) == 1 else ())
        check_finite(answer)
        chosen = [number - seen.start for number in part.anchors]
        joined = follow_keyframes(
            cameras_of(answer, runner),
            own_cameras[chosen],
            runner.clip.times[[*anchors, *part.frames]],
            scale=unit_ratio(predictions, answer, list(range(len(anchors)))) if chosen[0] == 0 else None,
            anchored=config.anchor_cameras,
        )
        found |= {frame: joined[[i]] for i, frame in enumerate(part.frames)}
    return found


def _lift(
    runner: FrameRunner,
    predictions: NetworkPredictions,
    config: NetworkConfig,
    context: list[int],
    seen: range,
    own: range,
) -> DynamicGaussians:
    settings = SplatSettings(
        dynamic_threshold=config.dynamic_threshold,
        track_motion=config.global_motion_tracking,
        tracked_threshold=config.tracking_threshold,
        voxel_size=config.voxel_size,
    )
    times = runner.clip.times[context]
    (splats,) = keyframe_splats(predictions, runner.images(context), times[None], runner.is_static, settings)
    gaussians = to_dynamic_gaussians(splats, times, (0.0, 1.0)).to("cpu")
    number = gaussians.keyframe + seen.start
    kept = (number >= own.start) & (number < own.stop)
    gaussians = gaussians.with_(keyframe=number)
    return gaussians if bool(kept.all()) else gaussians[kept]


def cameras_of(predictions: NetworkPredictions, runner: FrameRunner) -> PinholeCameras:
    """Predicted cameras in clip pixels, on the CPU."""
    K = runner.size.intrinsics_to_clip(predictions.K[0].float().cpu())
    return PinholeCameras(predictions.c2w[0].float().cpu(), K, runner.clip.width, runner.clip.height)


def _stack(found: dict[int, PinholeCameras], frames: list[int], like: PinholeCameras) -> PinholeCameras:
    if not frames:
        return like[:0]
    return PinholeCameras(
        torch.cat([found[frame].c2w for frame in frames]),
        torch.cat([found[frame].K for frame in frames]),
        like.width,
        like.height,
    )
