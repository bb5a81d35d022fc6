"""What lies behind a thing, from other frames of the clip that show it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.projection import project, unproject

SAME_DEPTH = 0.03
"""Relative difference of depth up to which a frame shows the point asked for and not one before or behind it."""
FEW = 5
"""Sightings of a point that are blended: the ones nearest in time of those that look from near."""
_LIKE = 0.12
"""Difference of colour, of 1, at which a sighting counts e-fold less against the median of all."""
_SPREAD = 4.0
"""Frames over which a sighting's weight falls e-fold."""


@dataclass(frozen=True)
class Found:
    """What lies behind.

    Attributes:
        rgb: In [0, 1].
        known: 1 where another frame showed it.
    """

    rgb: Float[Tensor, "h w 3"]
    known: Float[Tensor, "h w 1"]


@dataclass(frozen=True)
class Sightings:
    """Frames that may be looked at for what lies behind.

    Attributes:
        images: RGB in [0, 1].
        depth: Of each, as the unedited scene is drawn.
        usable: Pixels that do not show what is gone.
        frames: Which sampled frames these are.
    """

    images: Float[Tensor, "t h w 3"]
    depth: Float[Tensor, "t h w"]
    usable: Bool[Tensor, "t h w"]
    frames: list[int]


def seen_elsewhere(
    scene: ExportScene,
    sightings: Sightings,
    frame: int,
    drawn: Float[Tensor, "h w 3"],
    depth: Float[Tensor, "h w"],
    wanted: Float[Tensor, "h w"],
) -> Found:
    """What is drawn behind, exchanged for what other frames show at the same points, where they do.

    Every wanted pixel's point is looked up in all other frames; where the depth there says that it is what they show,
    their colours count. Of these the median is taken, then the mean of those like it, near ones in time first.

    Args:
        scene: Its cameras.
        sightings: Frames that may be looked at.
        frame: The sampled frame whose background is wanted.
        drawn: What the scene says, in [0, 1].
        depth: Of what is drawn; 0 where nothing is known.
        wanted: Above 0 where a better colour is wanted.
    """
    result, known = drawn.clone(), torch.zeros_like(drawn[..., :1])
    rows, columns = ((wanted > 0) & (depth > 0)).nonzero().unbind(1)
    if len(rows) == 0:
        return Found(result, known)
    camera = scene.cameras[[frame]]
    points = unproject(depth.double(), camera.K[0].double(), camera.c2w[0].double())[rows, columns]
    colours, weights = [], []
    for number, other in enumerate(sightings.frames):
        if other == frame:
            continue
        colour, trust = _look(scene, sightings, number, other, points)
        colours.append(colour)
        weights.append(trust * torch.exp(torch.tensor(-abs(other - frame) / _SPREAD)))
    if not colours:
        return Found(result, known)
    given, trust = torch.stack(colours), torch.stack(weights)
    typical = _weighted_median(given, trust)
    like = torch.exp(-((given - typical).abs().amax(dim=-1) / _LIKE).square()) * trust
    best, chosen = like.topk(min(FEW, len(like)), dim=0)
    mean = (best[..., None] * given.gather(0, chosen[..., None].expand(-1, -1, 3))).sum(dim=0)
    total = best.sum(dim=0)
    found = (trust > 0).any(dim=0) & (total > 0)
    result[rows[found], columns[found]] = (mean / total.clamp_min(1e-12)[:, None])[found].to(drawn)
    known[rows[found], columns[found]] = 1.0
    return Found(result, known)


def _look(
    scene: ExportScene, sightings: Sightings, number: int, frame: int, points: Float[Tensor, "m 3"]
) -> tuple[Float[Tensor, "m 3"], Float[Tensor, " m"]]:
    """Colours of points in a frame, and 1 where it shows them."""
    camera = scene.cameras[[frame]]
    pixels, z = project(points, torch.linalg.inv(camera.c2w[0].double()), camera.K[0].double())
    width, height = camera.width, camera.height
    inside = (z > 0) & (pixels >= 1).all(dim=-1) & (pixels[:, 0] < width - 1) & (pixels[:, 1] < height - 1)
    grid = (pixels / torch.tensor([width, height], dtype=torch.float64) * 2 - 1).float()[None, None]
    planes = torch.cat(
        [
            sightings.images[number].permute(2, 0, 1),
            sightings.depth[number][None],
            sightings.usable[number][None].float(),
        ]
    )[None]
    found = functional.grid_sample(planes, grid, align_corners=False, padding_mode="border")[0, :, 0].T
    same = (found[:, 3] - z.float()).abs() <= SAME_DEPTH * z.float()
    return found[:, :3], (inside & same & (found[:, 4] > 0.99)).float()


def _weighted_median(values: Float[Tensor, "t m 3"], weights: Float[Tensor, "t m"]) -> Float[Tensor, "m 3"]:
    ordered, order = values.sort(dim=0)
    heavy = weights[..., None].expand_as(values).gather(0, order).cumsum(dim=0)
    place = (heavy < 0.5 * heavy[-1:]).sum(dim=0).clamp_max(len(values) - 1)
    return ordered.gather(0, place[None])[0]
