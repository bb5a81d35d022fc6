"""Cameras and depth of many frames from the network: windows, units and conventions brought together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.errors import ReconstructionError, SettingsError
from neoverse_ns.geometry.se3 import assemble, se3_inverse
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig
from neoverse_ns.reconstruct.depth_anything.weights import ViewNetwork
from neoverse_ns.reconstruct.frame_windows import chain_windows, owned_frames, plan_windows

NARROWEST = 40.0
"""Focal length over image side, about 1.4 degrees of view, beyond which a predicted lens cannot be meant."""


@dataclass(frozen=True)
class ViewPredictions:
    """What the network says about some frames, in one world and one unit.

    Attributes:
        c2w: Camera-to-world, OpenCV axes.
        K: Intrinsics in pixels of the frames as they were given.
        depth: z-depth in the unit of `c2w`, at the size the network worked at.
        confidence: Trust in it, in [0, 1).
    """

    c2w: Float[Tensor, "n 4 4"]
    K: Float[Tensor, "n 3 3"]
    depth: Float[Tensor, "n h w"]
    confidence: Float[Tensor, "n h w"]

    def __getitem__(self, index: list[int] | slice) -> ViewPredictions:
        return ViewPredictions(self.c2w[index], self.K[index], self.depth[index], self.confidence[index])


def predict_views(
    network: ViewNetwork, frames: UInt8[Tensor, "n h w 3"], config: DepthAnythingConfig
) -> tuple[ViewPredictions, int]:
    """Run the network over all frames.

    Args:
        network: Takes up to `config.window` frames at once.
        frames: In order of time.
        config: Size and precision, windows.

    Returns:
        The predictions in the world of the first window, and how many windows there were.

    Raises:
        ReconstructionError: The network said nothing sensible, or did not fit into memory.
        SettingsError: The network predicts no cameras.
    """
    windows = plan_windows(len(frames), config.window, min(config.overlap, config.window - 1))
    parts: list[ViewPredictions] = []
    with progress("Looking at the frames with Depth Anything 3", len(windows)) as steps:
        for window in windows:
            parts.append(_predict_window(network, frames[window.start : window.stop], config))
            steps.advance()
    moves = chain_windows(windows, [p.c2w for p in parts], [p.depth for p in parts], [p.confidence for p in parts])
    kept = []
    for window, owned, part, move in zip(windows, owned_frames(windows), parts, moves, strict=True):
        own = part[slice(owned.start - window.start, owned.stop - window.start)]
        kept.append(replace(own, c2w=move.apply_c2w(own.c2w), depth=own.depth * float(move.scale)))
    joined = [torch.cat([getattr(k, name) for k in kept]) for name in ("c2w", "K", "depth", "confidence")]
    return ViewPredictions(*joined), len(windows)


def _predict_window(
    network: ViewNetwork, frames: UInt8[Tensor, "n h w 3"], config: DepthAnythingConfig
) -> ViewPredictions:
    images = [frame.numpy() for frame in frames]
    devices = range(torch.cuda.device_count())
    try:
        # Only the ray maps' cameras draw random numbers; whoever calls keeps their own.
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(config.seed)
            said = network.inference(images, use_ray_pose=config.ray_pose, process_res=config.process_resolution)
    except torch.OutOfMemoryError as error:
        raise ReconstructionError(
            f"Depth Anything 3 runs out of memory with {len(images)} frames at once: lower --da3.window or "
            f"--da3.process-resolution ({config.process_resolution}), or use a smaller --da3.model"
        ) from error
    if said.extrinsics is None or said.intrinsics is None:
        raise SettingsError(
            f"da3.model: {config.model} predicts depth but no cameras: use DA3-SMALL, DA3-BASE, DA3-LARGE or DA3-GIANT"
        )
    depth = _tensor(said.depth)
    # The head gives 1 + exp(x): this is the logistic function of x.
    confidence = torch.ones_like(depth) if said.conf is None else 1 - 1 / _tensor(said.conf).clamp_min(1.0)
    w2c = _tensor(said.extrinsics).double()
    c2w = se3_inverse(assemble(w2c[:, :3, :3], w2c[:, :3, 3]))
    scale = torch.tensor([frames.shape[2] / depth.shape[2], frames.shape[1] / depth.shape[1], 1.0])
    K = _tensor(said.intrinsics) * scale[:, None]
    result = ViewPredictions(c2w.float(), K, depth, confidence.nan_to_num(0.0))
    _check(result, (frames.shape[1], frames.shape[2]), config)
    return result


def _check(result: ViewPredictions, size: tuple[int, int], config: DepthAnythingConfig) -> None:
    focal = torch.stack([result.K[:, 0, 0] / size[1], result.K[:, 1, 1] / size[0]])
    finite = all(bool(a.isfinite().all()) for a in (result.c2w, result.K, result.depth))
    if not finite or bool((result.depth <= 0).any()):
        raise ReconstructionError(
            f"Depth Anything 3 ({config.model}) gave depth or cameras that are not finite: try --da3.dtype float32, "
            "or --reconstructor bundle"
        )
    if bool((focal <= 0).any()) or float(focal.max()) > NARROWEST:
        raise ReconstructionError(
            f"Depth Anything 3 ({config.model}) found a field of view of nearly 0 degrees: its weights may be damaged, "
            "or the frames show nothing; use --reconstructor bundle"
        )


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32))
