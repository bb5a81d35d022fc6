"""Cameras, keyframe depth and motion of a clip from its pixels alone: the weights-free geometry."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import progress
from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle import report as describe
from neoverse_ns.reconstruct.bundle.cameras import solve_cameras
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.degenerate import PRIOR_CONFIDENCE, NoParallax, find_no_parallax, prior_depth
from neoverse_ns.reconstruct.bundle.depth import Views, dense_depth, gather_views
from neoverse_ns.reconstruct.bundle.flow import FlowField, Pair, measure_flow, to_gray
from neoverse_ns.reconstruct.bundle.motion import moving_pixels
from neoverse_ns.reconstruct.bundle.normal_equations import State
from neoverse_ns.reconstruct.bundle.observations import observe
from neoverse_ns.reconstruct.bundle.pairs import pair_graph
from neoverse_ns.reconstruct.split import FrameSplit


@dataclass(frozen=True)
class BundleSolution:
    """Geometry of a clip, and the flow between its neighbouring keyframes that lifting needs.

    Attributes:
        geometry: Cameras of all frames; depth, confidence and motion masks of the keyframes.
        flow: For neighbouring keyframes (i, j), both directions, by position among the sampled frames: displacement
            in pixels of every pixel of i.
        flow_confidence: Trust in it, in [0, 1].
    """

    geometry: SceneGeometry
    flow: dict[Pair, Float[Tensor, "h w 2"]]
    flow_confidence: dict[Pair, Float[Tensor, "h w"]]


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def solve_geometry(clip: Clip, split: FrameSplit, config: BundleConfig) -> BundleSolution:
    """Estimate cameras of every frame, and depth, confidence and motion of the keyframes.

    Cameras may use the pixels of held-out frames; depth, confidence and masks come from training frames alone. The
    world is the first camera, its unit the median depth of the keyframes. Never fails for lack of parallax: the
    report's "kind" is then "rotation", "static" or "single" and depth comes from a prior.

    Args:
        clip: Sampled frames of one shot.
        split: Of exactly these frames.
        config: Settings.

    Raises:
        SettingsError: A setting is out of range, or `split` does not belong to `clip`.
    """
    config.validate()
    if split.count != len(clip):
        raise SettingsError(f"the split is made for {split.count} frames, but the clip has {len(clip)}")
    if len(clip) == 1:
        return _single_image(clip, split, config)
    clock = _Clock()
    with clock.stage("flow"):
        gray = to_gray(clip.frames.numpy())
        flow = measure_flow(gray, pair_graph(split, config.gaps), config.flow_noise)
    with clock.stage("cameras"):
        coarse = observe(flow, len(clip), config.coarse_stride)
        degenerate = find_no_parallax(coarse, gray, config)
        if degenerate is None:
            solution, fine = solve_cameras(flow, len(clip), config)
            state = solution.state
            facts: dict[str, Any] = {
                "kind": "parallax",
                **_focal_facts(state, clip, config, measured=True),
                **describe.describe_fit(fine, solution.error),
                **describe.describe_parallax(fine, state),
            }
        else:
            state = degenerate.state
            facts = {
                "kind": degenerate.kind,
                "reason": degenerate.reason,
                **_focal_facts(state, clip, config, measured=degenerate.focal_found),
                **describe.describe_fit(coarse, degenerate.error),
                "parallax_degrees": 0.0,
            }
    surfaces = _keyframe_surfaces(clip, split, config, flow, state, degenerate, clock)
    unit = surfaces.depth.median()
    facts |= {**describe.describe_path(state), "flow_pairs": len(flow.flow), "seconds": dict(clock.seconds)}
    facts["dynamic_share"] = float(surfaces.dynamic.float().mean())
    geometry = SceneGeometry(
        cameras=_to_cameras(state, clip, float(unit)),
        keyframes=list(split.keyframes),
        depth=surfaces.depth / unit,
        confidence=surfaces.confidence,
        dynamic=surfaces.dynamic,
        report=facts,
    )
    neighbours = list(zip(split.keyframes[:-1], split.keyframes[1:], strict=True))
    both = neighbours + [(j, i) for i, j in neighbours]
    return BundleSolution(
        geometry,
        {p: torch.from_numpy(flow.flow[p]) for p in both},
        {p: torch.from_numpy(flow.confidence[p]) for p in both},
    )


@dataclass(frozen=True)
class _Surfaces:
    depth: Tensor
    confidence: Tensor
    dynamic: Tensor


def _keyframe_surfaces(
    clip: Clip,
    split: FrameSplit,
    config: BundleConfig,
    flow: FlowField,
    state: State,
    degenerate: NoParallax | None,
    clock: _Clock,
) -> _Surfaces:
    """Depth, confidence and motion of every keyframe from flow between training frames."""
    training = flow.between(split.train)
    focal = float(state.focal) * clip.width
    shape = (clip.height, clip.width)
    depths, confidences, masks = [], [], []
    with clock.stage("depth"), progress("Measuring depth of keyframes", len(split.keyframes)) as steps:
        for frame in split.keyframes:
            views: Views | None = gather_views(training, frame, state.poses, focal)
            depth, confidence = prior_depth(*shape), torch.full(shape, PRIOR_CONFIDENCE)
            mask = torch.zeros(shape, dtype=torch.bool)
            if views is not None and degenerate is None:
                image = clip.frames[frame]
                depth, confidence = dense_depth(views, image, config.depth_smoothness, config.depth_iterations)
            if views is not None:
                mask = moving_pixels(views, depth, config.motion_threshold)
            depths.append(depth)
            confidences.append(confidence)
            masks.append(mask)
            steps.advance()
    return _Surfaces(torch.stack(depths), torch.stack(confidences), torch.stack(masks))


def _single_image(clip: Clip, split: FrameSplit, config: BundleConfig) -> BundleSolution:
    """One frame: an assumed camera and depth from the prior."""
    focal = config.known_focal or config.focal_prior
    still = State(
        torch.eye(4, dtype=torch.float64)[None],
        torch.ones(1, 1, dtype=torch.float64),
        torch.tensor(focal, dtype=torch.float64),
    )
    shape = (len(split.keyframes), clip.height, clip.width)
    facts = {
        "kind": "single",
        "reason": "no parallax: a single image",
        **_focal_facts(still, clip, config, measured=False),
        "residual_px": 0.0,
        "flow_used": 0.0,
        "parallax_degrees": 0.0,
        "largest_step_over_median": 1.0,
        "flow_pairs": 0,
        "dynamic_share": 0.0,
        "seconds": {},
    }
    geometry = SceneGeometry(
        cameras=_to_cameras(still, clip, 1.0),
        keyframes=list(split.keyframes),
        depth=prior_depth(clip.height, clip.width).expand(shape).contiguous(),
        confidence=torch.full(shape, PRIOR_CONFIDENCE),
        dynamic=torch.zeros(shape, dtype=torch.bool),
        report=facts,
    )
    return BundleSolution(geometry, {}, {})


def _focal_facts(state: State, clip: Clip, config: BundleConfig, measured: bool) -> dict[str, Any]:
    found = "given" if config.known_focal else ("measured" if measured else "assumed")
    return describe.describe_focal(float(state.focal), clip.width, found)


def _to_cameras(state: State, clip: Clip, unit: float) -> PinholeCameras:
    """Cameras in the clip's pixels, the world scaled so that `unit` becomes 1."""
    c2w = torch.linalg.inv(state.poses)
    c2w = torch.linalg.inv(c2w[0]) @ c2w
    c2w[:, :3, 3] /= unit
    focal = float(state.focal) * clip.width
    K = torch.tensor([[focal, 0, clip.width / 2], [0, focal, clip.height / 2], [0, 0, 1]], dtype=torch.float32)
    c2w = c2w.to(torch.float32)
    c2w[0] = torch.eye(4)
    return PinholeCameras(c2w, K.repeat(len(clip), 1, 1), clip.width, clip.height)
