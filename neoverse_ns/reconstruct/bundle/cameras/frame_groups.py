"""Frames that nothing links: every group of linked frames is solved on its own, and the groups are put together.

How two groups lie to each other cannot be known. The largest is the scene; the others are placed where their
neighbours in time stand, so that the camera path stays whole and nothing is thrown away, and they are reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.geometry.interpolation import interpolate_c2w
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.config import BundleConfig, field_of_view
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.flow.view_graph import linked_groups

Solver = Callable[[FlowField, Clip, BundleConfig], tuple[State, dict[str, Any]]]
"""Cameras and report of frames that are all linked."""

ALONE = "no parallax: no two frames show the same things"
"""Reason reported where not even two frames are linked."""


@dataclass(frozen=True)
class Groups:
    """Cameras of all frames, some of them guesses.

    Attributes:
        state: Poses of all frames; inverse depths only of the largest group, the others have 1 (its median).
        facts: The report of the largest group.
        unlinked: Frames outside the largest group, ascending.
        flow: Flow that may tell depth: of pairs inside groups whose cameras are known.
    """

    state: State
    facts: dict[str, Any]
    unlinked: list[int]
    flow: FlowField


def solve_groups(flow: FlowField, clip: Clip, config: BundleConfig, solve: Solver) -> Groups:
    """Solve the largest group, then the others with its focal length, and place them.

    A single frame outside the largest group takes a pose between those of its neighbours in that group; at the ends the
    camera goes on. Several linked ones move as they were solved, from where their first one is placed, at the ends from
    the nearest camera; the unit of length of every group is its own median depth.

    Args:
        flow: Pairs that show something in common; its other pairs have been dropped (`mend_wide_steps`).
        clip: The frames.
        config: Settings.
        solve: Solves one group.
    """
    main, *others = linked_groups(flow.flow, len(clip))
    if not others:
        return Groups(*solve(flow, clip, config), [], flow)
    solved, facts = solve(flow.numbered(main), _part(clip, main), config)
    if len(main) == 1:
        facts["reason"] = ALONE
    same_lens = replace(config, fov_degrees=field_of_view(solved.mean_focal), lens="pinhole")
    poses = _between(solved.poses, main, clip.seconds.double().numpy())
    known = flow.between(main)
    for group in others:
        if len(group) == 1:
            continue
        own, report = solve(flow.numbered(group), _part(clip, group), same_lens)
        start = poses[group[0]] if main[0] < group[0] < main[-1] else solved.poses[0 if group[0] < main[0] else -1]
        poses[group] = own.poses @ se3_inverse(own.poses[0]) @ start
        if report["kind"] == "parallax":
            known = known | flow.between(group)
    depths = torch.ones(len(clip), solved.inverse_depth.shape[1], dtype=solved.inverse_depth.dtype)
    depths[main] = solved.inverse_depth
    unlinked = sorted(frame for group in others for frame in group)
    focal = torch.from_numpy(np.interp(np.arange(len(clip)), main, solved.focal.numpy()))
    return Groups(State(poses, depths, focal, solved.radial), facts, unlinked, known)


def _part(clip: Clip, frames: list[int]) -> Clip:
    return replace(
        clip,
        frames=clip.frames[frames],
        frame_indices=clip.frame_indices[frames],
        seconds=clip.seconds[frames],
        ignored=None if clip.ignored is None else clip.ignored[frames],
    )


def _between(
    poses: Float[Tensor, "m 4 4"], frames: list[int], seconds: Float64[np.ndarray, " n"]
) -> Float[Tensor, "n 4 4"]:
    """World-to-camera poses of all frames, those not among `frames` where their neighbours in time there lead.

    Beyond the first and the last of `frames` the camera goes on for one step as it moved, and then stands.
    """
    known = se3_inverse(poses)
    if len(frames) > 1:
        first, last = known[0] @ se3_inverse(known[1]) @ known[0], known[-1] @ se3_inverse(known[-2]) @ known[-1]
        known = torch.cat([first[None], known, last[None]])
        times = seconds[frames]
        times = np.concatenate([[2 * times[0] - times[1]], times, [2 * times[-1] - times[-2]]])
    else:
        times = seconds[frames]
    result = se3_inverse(interpolate_c2w(known, torch.from_numpy(np.interp(seconds, times, np.arange(len(times))))))
    result[frames] = poses
    return result
