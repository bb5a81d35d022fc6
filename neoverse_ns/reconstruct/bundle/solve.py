"""Cameras, keyframe depth and motion of a clip from its pixels alone: the weights-free geometry."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.undistort import undistorted
from neoverse_ns.console import say
from neoverse_ns.errors import SettingsError
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle import report as describe
from neoverse_ns.reconstruct.bundle.cameras.doubt import (
    Doubt,
    doubt_about_depth,
    doubt_about_links,
    doubt_about_motion,
    judge_cameras,
    largest_piece,
    unexplained_share,
)
from neoverse_ns.reconstruct.bundle.cameras.focal_prior import over_width
from neoverse_ns.reconstruct.bundle.cameras.frame_groups import Groups, solve_groups
from neoverse_ns.reconstruct.bundle.cameras.given import GivenCameras
from neoverse_ns.reconstruct.bundle.cameras.given_solve import solve_given
from neoverse_ns.reconstruct.bundle.cameras.matched_poses import match_near_frames
from neoverse_ns.reconstruct.bundle.cameras.no_parallax import find_no_parallax, standing_still
from neoverse_ns.reconstruct.bundle.cameras.observations import observe
from neoverse_ns.reconstruct.bundle.cameras.parallax import solve_cameras
from neoverse_ns.reconstruct.bundle.cameras.state import State, to_cameras
from neoverse_ns.reconstruct.bundle.config import BundleConfig, field_of_view
from neoverse_ns.reconstruct.bundle.depth.depth_model import load_depth_model
from neoverse_ns.reconstruct.bundle.flow.blank_frames import without_blank_frames
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, Pair, to_gray
from neoverse_ns.reconstruct.bundle.flow.masked_flow import trusted_in_world
from neoverse_ns.reconstruct.bundle.flow.wide_steps import mend_wide_steps
from neoverse_ns.reconstruct.bundle.left_out import leave_out, world_of
from neoverse_ns.reconstruct.bundle.surfaces import keyframe_surfaces
from neoverse_ns.reconstruct.bundle.tracks.tracked_flow import tracked_flow
from neoverse_ns.reconstruct.confidence import warn_of_doubts
from neoverse_ns.reconstruct.given_world import describe_world
from neoverse_ns.reconstruct.split import FrameSplit


@dataclass(frozen=True)
class BundleSolution:
    """Geometry of a clip, and the flow between its neighbouring keyframes that lifting needs.

    Attributes:
        geometry: Cameras of all frames; depth, confidence and motion masks of the keyframes.
        flow: For neighbouring keyframes (i, j), with and without those that only carry what moves, both directions, by
            position among the sampled frames: displacement in pixels of every pixel of i. Pairs that show nothing in
            common are missing.
        flow_confidence: Trust in it, in [0, 1].
        clip: The frames that all of this refers to: straightened, where the lens bends lines, else as they came; with
            all that was found to be no part of the world in `Clip.ignored`.
    """

    geometry: SceneGeometry
    flow: dict[Pair, Float[Tensor, "h w 2"]]
    flow_confidence: dict[Pair, Float[Tensor, "h w"]]
    clip: Clip


@dataclass(frozen=True)
class SolvedCameras:
    """Cameras of a clip, before any depth.

    Attributes:
        clip: The frames that they belong to; see :class:`BundleSolution`.
        flow: Of all pairs.
        groups: Cameras, and flow that may tell depth.
        facts: For the report.
        config: Settings to go on with.
        scale: Unit of the cameras over that of the given ones; None where none were given.
    """

    clip: Clip
    flow: FlowField
    groups: Groups
    facts: dict[str, Any]
    config: BundleConfig
    scale: float | None


def solve_geometry(
    clip: Clip, split: FrameSplit, config: BundleConfig, given: GivenCameras | None = None
) -> BundleSolution:
    """Estimate cameras of every frame, and depth, confidence and motion of the keyframes.

    Cameras may use the pixels of held-out frames; depth, confidence and masks come from training frames alone. The
    world is the first camera, its unit the median depth of the keyframes. Never fails for lack of parallax: the
    report's "kind" is then "rotation", "zoom", "static" or "single" and depth comes from a prior.

    Args:
        clip: Sampled frames of one shot.
        split: Of exactly these frames.
        config: Settings.
        given: Cameras that are known; then only depth and motion are looked for, and the report's "given_world" maps
            from their world to the scene's.

    Raises:
        SettingsError: A setting is out of range, `split` does not belong to `clip`, or the depth network is not there.
    """
    config.validate()
    # Loaded before anything is computed: a network that is missing shall not cost the user the solve.
    model = load_depth_model(config.depth_model) if config.depth_model else None
    seconds: dict[str, float] = {}
    solved = find_cameras(clip, split, config, given, seconds)
    clip, flow, groups, config = solved.clip, solved.flow, solved.groups, solved.config
    state, facts = groups.state, solved.facts
    with _timed(seconds, "depth"):
        parallax = facts["kind"] == "parallax"
        surfaces = keyframe_surfaces(world_of(clip), split, groups.flow, state, parallax, config, model)
    shown = slice(None) if clip.ignored is None else ~clip.ignored[surfaces.frames]
    unit = surfaces.depth[shown].median()
    facts |= describe.describe_doubt(_doubts(facts, groups.unlinked, len(clip), surfaces.dynamic))
    warn_of_doubts(facts)
    facts |= {
        "unlinked_frames": groups.unlinked,
        "flow_pairs": len(flow.flow),
        "dynamic_share": float(surfaces.dynamic[shown].float().mean()),
        "seconds": seconds,
    }
    if given is not None and solved.scale is not None:
        facts |= describe_world(given.world(solved.scale / float(unit)))
    geometry = SceneGeometry(
        cameras=to_cameras(state, clip.height, clip.width, float(unit)),
        keyframes=surfaces.frames,
        depth=surfaces.depth / unit,
        confidence=surfaces.confidence,
        dynamic=surfaces.dynamic,
        report=facts,
        things=surfaces.things,
    )
    forward = sorted({*pairwise(surfaces.frames), *pairwise(split.keyframes)})
    pairs = forward + [(j, i) for i, j in forward]
    return BundleSolution(
        geometry,
        {p: torch.from_numpy(flow.flow[p]) for p in pairs if p in flow.flow},
        {p: torch.from_numpy(flow.confidence[p]) for p in pairs if p in flow.flow},
        clip,
    )


def find_cameras(
    clip: Clip,
    split: FrameSplit,
    config: BundleConfig,
    given: GivenCameras | None = None,
    seconds: dict[str, float] | None = None,
) -> SolvedCameras:
    """Cameras alone, which is all that may be asked of frames that no scene is to be made of.

    Args:
        clip: See :func:`solve_geometry`.
        split: Likewise.
        config: Likewise.
        given: Likewise.
        seconds: Takes what each stage took.

    Raises:
        SettingsError: A setting is out of range, or `split` does not belong to `clip`.
    """
    config.validate()
    if split.count != len(clip):
        raise SettingsError(f"the split is made for {split.count} frames, but the clip has {len(clip)}")
    config, seconds = over_width(config, clip), {} if seconds is None else seconds
    with _timed(seconds, "overlays"):
        clip, left_out = leave_out(clip, config)
    if given is not None:
        world = world_of(clip)
        flow = _flow(world, split, config, seconds)
        with _timed(seconds, "cameras"):
            known = solve_given(flow, world, config, given)
        groups = Groups(known.state, known.facts, [], flow)
        return SolvedCameras(clip, flow, groups, {**known.facts, **left_out}, config, known.scale)
    flow, groups = _solve(world_of(clip), split, config, seconds)
    bent: dict[str, Any] = {}
    if float(groups.state.radial) != 0.0:
        clip, config, bent = _straightened(clip, groups, config)
        flow, groups = _solve(world_of(clip), split, config, seconds)
    return SolvedCameras(clip, flow, groups, {**groups.facts, **bent, **left_out}, config, None)


def _doubts(facts: dict[str, Any], unlinked: list[int], frames: int, dynamic: Bool[Tensor, "k h w"]) -> Doubt:
    """What the solve doubted, and what depth, motion and links say besides."""
    doubt = Doubt(facts["confidence"], tuple(facts["doubts"]))
    doubt |= doubt_about_links(len(unlinked), frames, describe.describe_unlinked(unlinked, frames))
    if facts["kind"] != "parallax":
        doubt |= doubt_about_depth(facts["kind"], facts["focal_from"], facts["fov_degrees"], facts["reason"])
    return doubt | doubt_about_motion(facts["unexplained_flow"], largest_piece(dynamic))


def _solve(clip: Clip, split: FrameSplit, config: BundleConfig, seconds: dict[str, float]) -> tuple[FlowField, Groups]:
    """Flow of all pairs, and the cameras that explain it; what the clip ignores is filled, and not trusted."""
    flow = _flow(clip, split, config, seconds)
    with _timed(seconds, "cameras"):
        return flow, solve_groups(flow, clip, config, _cameras)


def _flow(clip: Clip, split: FrameSplit, config: BundleConfig, seconds: dict[str, float]) -> FlowField:
    with _timed(seconds, "flow"):
        gray = to_gray(clip.frames.numpy())
        flow = tracked_flow(clip, gray, split, config.gaps, config.flow_noise)
        flow = without_blank_frames(mend_wide_steps(flow, gray, split, config.flow_noise), gray)
        return trusted_in_world(flow, clip)


def _straightened(clip: Clip, groups: Groups, config: BundleConfig) -> tuple[Clip, BundleConfig, dict[str, Any]]:
    """The clip as a pinhole would have shown it, settings to solve it with, and what the report says of the lens."""
    focal, radial = groups.state.mean_focal, float(groups.state.radial)
    straight, fitting = undistorted(clip, focal, radial)
    say(
        f"the lens bends straight lines (radial coefficient {radial:+.2f}): frames are straightened before anything "
        "else; --bundle.lens pinhole leaves them as they are"
    )
    changes: dict[str, Any] = {"lens": "pinhole", "focal_guesses": (fitting,), "focal_prior": fitting}
    if config.known_focal is not None:
        changes["fov_degrees"] = field_of_view(fitting)
    facts = {"lens": "radial", "source_lens": {"focal_px": focal * clip.width, "radial": radial}}
    return straight, replace(config, **changes), facts


def _cameras(flow: FlowField, clip: Clip, config: BundleConfig) -> tuple[State, dict[str, Any]]:
    """Poses, inverse depths and lens of linked frames, and what the report says about them."""
    state, facts = _measured_cameras(flow, clip, config)
    return state, {**facts, **describe.describe_path(state)}


def _measured_cameras(flow: FlowField, clip: Clip, config: BundleConfig) -> tuple[State, dict[str, Any]]:
    assumed = "given" if config.known_focal is not None else "assumed" if clip.focal_hint is None else "metadata"
    if len(clip) == 1:
        state = standing_still(1, 1, config)
        return state, {
            "kind": "single",
            "reason": "no parallax: a single image",
            **describe.describe_focal(state.mean_focal, clip.width, assumed),
            **describe.describe_lens(state, "pinhole"),
            **describe.NO_FIT,
            **describe.NO_DOUBT,
        }
    gray = to_gray(clip.frames.numpy())
    coarse = observe(flow, len(clip), config.coarse_stride)
    still = find_no_parallax(coarse, gray, config)
    if still is not None:
        return still.state, {
            "kind": still.kind,
            "reason": still.reason,
            **describe.describe_focal(still.state.mean_focal, clip.width, "measured" if still.focal_found else assumed),
            **describe.describe_lens(still.state, "zoom" if still.kind == "zoom" else "pinhole"),
            **describe.NO_FIT,
            **describe.describe_fit(coarse, still.error),
            **describe.NO_DOUBT,
        }
    fine = observe(flow, len(clip), config.fine_stride)
    solution = solve_cameras(coarse, fine, config, lambda: match_near_frames(gray))
    state, interval = solution.adjustment.state, solution.interval
    parallax = describe.describe_parallax(fine, state)
    source = "measured" if interval is not None and interval.source == "measured" else assumed
    if source == "assumed" and interval is not None:
        source = interval.source
    return state, {
        "kind": "parallax",
        **describe.describe_focal(state.mean_focal, clip.width, source, interval),
        **describe.describe_lens(state, solution.lens.kind),
        **describe.describe_fit(fine, solution.adjustment.error),
        **parallax,
        "unexplained_flow": unexplained_share(fine, solution.adjustment.error),
        **describe.describe_doubt(judge_cameras(solution, fine, parallax["parallax_degrees"])),
    }


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start
