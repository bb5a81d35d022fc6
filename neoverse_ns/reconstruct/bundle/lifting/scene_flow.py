"""Motion of a keyframe's pixels in 3D: optical flow with depth at both ends, carried over to where flow is lost."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from neoverse_ns.geometry.projection import pixel_centres, project
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.depth.dense_solver import fill, image_bonds, solve_smooth

NEAREST = 1e-3
"""Depth in the other camera below which a point counts as behind it."""
MOST_CHANGE = 0.3
"""Largest change of a moving pixel's depth between keyframes, as a logarithm; more is another thing's depth."""
MIRRORED = 0.1
"""Weight of the motion on the other side, mirrored, against measured motion nearby."""
LEAST_EVIDENCE = 0.1
"""Mean trust below which nothing is known of a moving region, and it rests."""
ITERATIONS = 15
"""Conjugate gradient steps with which motion spreads."""


@dataclass(frozen=True)
class KeyframeFlow:
    """Optical flow from one keyframe to a neighbouring one, at full resolution.

    Attributes:
        flow: Displacement in pixels, x then y.
        confidence: Trust in [0, 1].
    """

    flow: Float[Tensor, "h w 2"]
    confidence: Float[Tensor, "h w"]


@dataclass(frozen=True)
class Side:
    """What leads to one neighbour of a keyframe.

    Attributes:
        other: Number of the neighbouring keyframe; None beyond the clip's ends.
        time: When it is, normalised.
        gap: Time to it, positive.
        flow: Flow to it; None where nothing was measured.
    """

    other: int | None
    time: float
    gap: float
    flow: KeyframeFlow | None


@dataclass(frozen=True)
class Motion:
    """Displacement of every pixel over one gap.

    Attributes:
        displacement: World units.
        trust: In [0, 1]; zero where nothing was measured, and the displacement there means nothing.
    """

    displacement: Float[Tensor, "h w 3"]
    trust: Float[Tensor, "h w"]


def scene_flow(
    geometry: SceneGeometry,
    number: int,
    points: Float[Tensor, "h w 3"],
    image: UInt8[Tensor, "h w 3"],
    sides: tuple[Side, Side],
    min_confidence: float,
) -> tuple[Motion, Motion]:
    """Motion of a keyframe's pixels toward the next and the previous keyframe.

    What does not move on its own follows flow that is trusted, and rests elsewhere. What does move and whose flow is
    not trusted, because it is hidden there, out of sight or plain, moves like the trusted parts of its region that
    look alike; motion toward the other keyframe, mirrored, counts as weak cues (constant velocity).

    Args:
        geometry: Cameras, keyframe depth and motion masks.
        number: The keyframe.
        points: Where its pixels are in the world.
        image: Its picture.
        sides: Toward the next and the previous keyframe.
        min_confidence: Flow of less confidence is not trusted.
    """
    moving = geometry.dynamic[number]
    region = _Region(moving, *_bonds(image, moving))
    unknown = Motion(torch.zeros_like(points), torch.zeros(points.shape[:2]))
    measured = [
        unknown
        if s.flow is None or s.other is None
        else measure(geometry, number, points, s.other, s.flow, region, min_confidence)
        for s in sides
    ]
    result = []
    for here, there, known, opposite in zip(sides, sides[::-1], measured, measured[::-1], strict=True):
        displacement = torch.where(known.trust[..., None] > 0, known.displacement, torch.zeros_like(points))
        if moving.any():
            carried = region.carry(known, opposite, here.gap / there.gap)
            lost = moving & (known.trust == 0)
            displacement = torch.where(lost[..., None], carried, displacement)
        result.append(Motion(displacement, known.trust))
    return result[0], result[1]


def measure(
    geometry: SceneGeometry,
    number: int,
    points: Float[Tensor, "h w 3"],
    other: int,
    flow: KeyframeFlow,
    region: _Region,
    min_confidence: float,
) -> Motion:
    """Where flow says that the pixels go, with the depth there.

    Flow cannot contradict the depth that a point would have at rest, so what does not move takes that. What moves takes
    the depth that the other keyframe has where it lands, as far as it lands on something moving too; the change of
    depth is smoothed over the region, because both depths are rough.
    """
    camera = geometry.cameras[[geometry.keyframes[other]]]
    height, width = points.shape[:2]
    _, z = project(points.reshape(-1, 3), camera.viewmats[0], camera.K[0])
    z = z.reshape(height, width)
    target = pixel_centres(height, width) + flow.flow
    trusted = _inside(target, height, width) & (z > NEAREST) & (flow.confidence >= min_confidence)
    trust = torch.where(trusted, flow.confidence, torch.zeros_like(z))
    if region.mask.any():
        column = target[..., 0].long().clamp(0, width - 1)
        row = target[..., 1].long().clamp(0, height - 1)
        change = (geometry.depth[other][row, column] / z.clamp_min(NEAREST)).log()
        lands = trusted & region.mask & geometry.dynamic[other][row, column] & (change.abs() < MOST_CHANGE)
        z = z * region.spread(change, trust * lands, region.known(trust * lands)).exp()
    K, c2w = camera.K[0], camera.c2w[0]
    rays = torch.stack(
        [(target[..., 0] - K[0, 2]) / K[0, 0], (target[..., 1] - K[1, 2]) / K[1, 1], torch.ones_like(z)], -1
    )
    there = (rays * z[..., None]) @ c2w[:3, :3].T + c2w[:3, 3]
    return Motion(there - points, trust)


@dataclass(frozen=True)
class _Region:
    """The moving pixels of one keyframe, and how closely neighbours among them belong together."""

    mask: Bool[Tensor, "h w"]
    right: Float[Tensor, "h w-1"]
    down: Float[Tensor, "h-1 w"]

    def spread(
        self, value: Float[Tensor, "h w"], precision: Float[Tensor, "h w"], known: Bool[Tensor, "h w"]
    ) -> Float[Tensor, "h w"]:
        """Smooth map through `value` over the pixels `known` to belong to parts with cues; zero elsewhere."""
        # Only the part of the image that holds moving pixels costs anything.
        rows, columns = self.mask.any(1).nonzero().squeeze(-1), self.mask.any(0).nonzero().squeeze(-1)
        top, left = int(rows[0]), int(columns[0])
        bottom, side = int(rows[-1]) + 1, int(columns[-1]) + 1
        part = (slice(top, bottom), slice(left, side))
        inner = (precision * self.mask)[part]
        measured = torch.where(inner > 0, value[part], torch.zeros_like(inner))
        right, down = self.right[top:bottom, left : side - 1], self.down[top : bottom - 1, left:side]
        smooth = solve_smooth(measured, inner, right, down, fill(measured, inner), ITERATIONS)
        result = torch.zeros_like(value)
        result[part] = smooth
        return torch.where(known, result, torch.zeros_like(result))

    def carry(self, own: Motion, opposite: Motion, ratio: float) -> Float[Tensor, "h w 3"]:
        """Motion of the moving pixels as their surroundings and the mirrored motion on the other side have it.

        Args:
            own: Toward this side.
            opposite: Toward the other side.
            ratio: Length of this side's gap over the other's.
        """
        mirrored = MIRRORED * opposite.trust
        weight = own.trust + mirrored
        total = own.trust[..., None] * own.displacement - mirrored[..., None] * ratio * opposite.displacement
        known = self.known(own.trust + opposite.trust)
        value = total / weight.clamp_min(1e-12)[..., None]
        return torch.stack([self.spread(v, weight, known) for v in value.unbind(-1)], -1)

    def known(self, trust: Float[Tensor, "h w"]) -> Bool[Tensor, "h w"]:
        """Moving pixels of connected parts with cues enough."""
        count, found = cv2.connectedComponents(self.mask.numpy().astype(np.uint8))
        labels = torch.from_numpy(found).long()
        cues = torch.bincount(labels.reshape(-1), (trust * self.mask).reshape(-1), count)
        area = torch.bincount(labels.reshape(-1), minlength=count)
        return (cues >= LEAST_EVIDENCE * area)[labels] & self.mask


def _bonds(
    image: UInt8[Tensor, "h w 3"], mask: Bool[Tensor, "h w"]
) -> tuple[Float[Tensor, "h w-1"], Float[Tensor, "h-1 w"]]:
    """How alike neighbours look; none between what moves and what does not."""
    right, down = image_bonds(image)
    return right * (mask[:, 1:] & mask[:, :-1]), down * (mask[1:] & mask[:-1])


def _inside(target: Float[Tensor, "h w 2"], height: int, width: int) -> Bool[Tensor, "h w"]:
    u, v = target.unbind(-1)
    return (u >= 0) & (u < width) & (v >= 0) & (v < height)
