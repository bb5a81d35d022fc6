"""Gaussians as whole numbers, each in steps that nobody sees from where the clip was filmed.

Positions are directions and logarithms of the distance from a camera that saw them, so that one step is the same part
of a pixel near and far. So are lengths: they are kept relative to that distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from numpy import ndarray
from torch import Tensor

from neoverse_ns.export.page.axes import least_turned
from neoverse_ns.export.page.blocks import Block
from neoverse_ns.gaussians.dynamic import SH_C0

Columns = dict[str, Int64[ndarray, " n"]]

DIRECTION = 0.01
"""Step of directions, pixels of the clip. Gaussians are narrower than a pixel: coarser steps show at every edge."""
DISTANCE = 0.5
"""Step of the logarithm of the distance, in steps of direction (radians). So fine for the order in depth: where
surfaces of several keyframes lie on each other, a coarser one lets others win."""
MOTION = 0.1
"""Step of a displacement over a whole gap, pixels: what moves so far has faded before."""
SCALE = 0.02
"""Step of the logarithm of a standard deviation."""
ROUND = 0.02
"""Pixels by which a Gaussian's longest and shortest standard deviation differ, up to which it is kept as a ball."""
SEEN_TURN = 0.02
"""Pixels by which a turn over a whole gap moves what it turns, up to which it is left out."""
TURN = 1 / 256
"""Step of rotations (unit quaternion) and of turns (radians)."""
OPACITY = 1 / 511
COLOUR = 1 / 255
LIFE = 0.01
"""Step of the logarithm of the exponent 1 / (1 - life span) by which a Gaussian fades."""


@dataclass(frozen=True)
class Steps:
    """What one is worth, of every kind of number; the page multiplies by it.

    Attributes:
        direction: Radians.
        distance: Natural logarithm of world units.
        motion: Share of the distance from the block's origin.
    """

    direction: float
    distance: float
    motion: float
    scale: float = SCALE
    rotation: float = TURN
    turn: float = TURN
    opacity: float = OPACITY
    colour: float = COLOUR
    life: float = LIFE


def steps_for(focal: float) -> Steps:
    """Steps for cameras of a focal length in pixels."""
    return Steps(DIRECTION / focal, DISTANCE * DIRECTION / focal, MOTION / focal)


def quantise(blocks: list[Block], focal: float, steps: Steps) -> Columns:
    """Every column of the page, all blocks one after the other; those of what moves have fewer rows.

    Args:
        blocks: Those that move first.
        focal: Focal length of the clip, pixels.
        steps: See :class:`Steps`.

    Returns:
        `azimuth`, `elevation`, `distance`, `scale_0..2` (the first relative to the distance, the others to the first),
        `rotation_0..2` (x, y, z of the unit quaternion with w > 0), `opacity`, `red`, `green`, `blue`; of moving rows
        `life`, `motion_0..5` (toward the next, then toward the previous keyframe), and where a turn can be seen at all
        `turn_0..5` likewise.
    """
    parts = [_block_columns(block, focal, steps) for block in blocks]
    names = dict.fromkeys(name for part in parts for name in part)
    columns = {name: np.concatenate([part[name] for part in parts if name in part]) for name in names}
    turns = [f"turn_{i}" for i in range(6)]
    if not any(columns[name].any() for name in turns if name in columns):
        columns = {name: values for name, values in columns.items() if name not in turns}
    return columns


def _block_columns(block: Block, focal: float, steps: Steps) -> Columns:
    g = block.gaussians
    away = g.means.double() - block.origin
    distance = away.norm(dim=1).clamp_min(1e-9)
    tables = {
        "azimuth": torch.atan2(away[:, 0], away[:, 2]) / steps.direction,
        "elevation": torch.asin((away[:, 1] / distance).clamp(-1, 1)) / steps.direction,
        "distance": distance.log() / steps.distance,
    }
    # Lengths are told relative to the distance as it will be read.
    read = (tables["distance"].round() * steps.distance).exp()
    quats, scales, turns = least_turned(g.quats.double(), g.log_scales.double(), g.angular_velocities.double())
    spread = (scales.exp().amax(1) - scales.exp().amin(1)) / distance * focal
    ball = spread < ROUND
    scales = torch.where(ball[:, None], scales.mean(1, keepdim=True), scales) - read.log()[:, None]
    first, others = scales[:, :1], scales[:, 1:] - scales[:, :1]
    tables |= _numbered("scale", torch.cat([first, others], 1) / steps.scale)
    tables |= _numbered("rotation", torch.where(ball[:, None], 0.0, quats[:, 1:]) / steps.rotation)
    tables["opacity"] = g.opacities.double() / steps.opacity
    rgb = (0.5 + SH_C0 * g.sh[:, 0].double()).clamp_min(0) / steps.colour
    tables |= dict(zip(("red", "green", "blue"), rgb.unbind(1), strict=True))
    if block.dynamic:
        tables["life"] = -(1 - g.life_spans.double() + 1e-6).log() / steps.life
        tables |= _numbered("motion", g.velocities.double().flatten(1) / read[:, None] / steps.motion)
        seen = turns.norm(dim=2) * spread[:, None] >= SEEN_TURN
        tables |= _numbered("turn", torch.where(seen[..., None], turns, 0.0).flatten(1) / steps.turn)
    return {name: values.round().to(torch.int64).numpy() for name, values in tables.items()}


def _numbered(name: str, table: Float64[Tensor, "n k"]) -> dict[str, Tensor]:
    return {f"{name}_{i}": column for i, column in enumerate(table.unbind(1))}
