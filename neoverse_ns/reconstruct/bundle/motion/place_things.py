"""How far every thing is in every keyframe: what single keyframes see, settled over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import CLOSEST, FARTHEST, Views
from neoverse_ns.reconstruct.bundle.motion.depth_paths import settle_depths
from neoverse_ns.reconstruct.bundle.motion.ground_plane import find_ground
from neoverse_ns.reconstruct.bundle.motion.hidden_surface import TRUSTED, hidden_surfaces
from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import KeyframeFlows
from neoverse_ns.reconstruct.bundle.motion.sightings import Sighting, see_things
from neoverse_ns.reconstruct.bundle.motion.size_changes import Link, link_sizes
from neoverse_ns.reconstruct.bundle.motion.things import Things
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores

STANDING = 0.15
"""How far from where it seems to stand a thing may be, as a logarithm: beyond, it does not stand there, and the ground
beneath its parts says nothing about its shape."""
RIGID = 1e-6
"""Logarithm of a change of focal length that is none."""
BELIEVED = 0.7
"""A still surface nearer than this share of a thing's depth is none that the thing hides, but a mistake."""


@dataclass(frozen=True)
class Still:
    """What does not move, as the keyframes show it.

    Attributes:
        depth: z-depth, filled in behind what moves.
        confidence: Trust in it, in [0, 1].
        expected: Depth of everything that a network sees; None without one.
        viewmats: World-to-camera matrices of the keyframes.
        focal: Focal length in pixels; the principal point is the image's middle.
        parallax: Whether the cameras move, so that the depth was measured.
        expected_error: Typical error of `expected`, as a logarithm; None believes it as much as where things stand.
    """

    depth: Float[Tensor, "k h w"]
    confidence: Float[Tensor, "k h w"]
    expected: Float[Tensor, "k h w"] | None
    viewmats: Float[Tensor, "k 4 4"]
    focal: float
    parallax: bool
    expected_error: float | None = None

    def hidden(self, things: Things) -> list[Float[ndarray, "h w"]]:
        """What is known of the surface behind the things; NaN elsewhere."""
        moving = things.labels > 0
        if self.expected is not None and not self.parallax:
            # Where nothing is measured the network sees the things themselves.
            return [np.full(mask.shape, np.nan, np.float32) for mask in moving]
        if not self.parallax:
            return [np.where(mask, depth, np.nan) for mask, depth in zip(moving, self.depth.numpy(), strict=True)]
        return hidden_surfaces(self.depth, self.confidence, moving, self.viewmats, self.focal)

    def surfaces(self, things: Things, hidden: list[Float[ndarray, "h w"]]) -> list[Float[ndarray, "h w"]]:
        """The still surface as other keyframes saw it, or else as this one measured it, or else the ground's plane."""
        depth = self.depth.numpy()
        ground = None
        if self.parallax:
            ground = find_ground(self.depth, self.confidence, things.labels > 0, self.viewmats, self.focal)
        result = []
        for place, seen in enumerate(hidden):
            own = depth[place]
            if ground is not None:
                plane = ground.depth(self.viewmats[place], self.focal, own.shape)
                unsure = (self.confidence[place].numpy() < TRUSTED) & (plane < 1 / FARTHEST)
                own = np.where(unsure, plane, own)
            result.append(np.where(np.isfinite(seen), seen, own))
        return result


def place_things(
    things: Things,
    still: Still,
    flows: KeyframeFlows,
    views: Callable[[int], Views | None],
    times: Float[ndarray, " k"],
) -> Float[Tensor, "k h w"]:
    """The depth maps with every thing upright at the distance that fits all that is known best.

    Args:
        things: Of the keyframes.
        still: What does not move.
        flows: Between the keyframes.
        views: Flow cues of a keyframe by its number; None where cameras tell nothing about depth.
        times: When the keyframes were taken.
    """
    if not things.count:
        return still.depth
    hidden = still.hidden(things)
    surfaces = still.surfaces(things, hidden)

    def see(place: int) -> tuple[Float[Tensor, "h w"], list[Sighting]]:
        labels = things.labels[place]
        expected = None if still.expected is None else still.expected[place]
        cues = views(place) if labels.any() else None
        return see_things(
            still.depth[place], surfaces[place], labels, hidden[place], cues, expected, still.expected_error
        )

    seen = list(map_on_cores(see, range(len(things.labels))))
    present = things.present()
    links, orders = link_sizes(things.labels, present, flows)
    links = _without_zoom(links, still.viewmats)
    paths = settle_depths([sightings for _, sightings in seen], links, orders, present, things.kin, times)
    placed = []
    for place, (depth, sightings) in enumerate(seen):
        factor, level = np.ones(things.count + 1), np.full(things.count + 1, np.nan)
        for one in sightings:
            distance = paths[one.thing, place]
            factor[one.thing] = np.exp(distance - one.middle)
            if still.expected is None and not abs(distance - one.ground) <= STANDING:
                level[one.thing] = np.exp(distance)
        level = level[things.labels[place]]
        moved = np.where(np.isfinite(level), level, depth.numpy() * factor[things.labels[place]])
        behind = np.where(hidden[place] > BELIEVED * moved, hidden[place], np.inf)
        moved = np.where(things.labels[place] > 0, np.minimum(moved, behind).clip(1 / CLOSEST, 1 / FARTHEST), moved)
        placed.append(torch.from_numpy(moved.astype(np.float32)))
    return torch.stack(placed)


def _without_zoom(links: list[Link], viewmats: Float[Tensor, "k 4 4"]) -> list[Link]:
    """Changes of size without what the lenses add: one that grows longer from keyframe to keyframe is written as a
    stretch of the camera's axes, and brings nothing nearer."""
    longer = torch.linalg.det(viewmats[:, :3, :3].double()).abs().log() / 2
    if float(longer.abs().max()) < RIGID:
        return links
    return [replace(link, growth=link.growth - float(longer[link.second] - longer[link.first])) for link in links]
