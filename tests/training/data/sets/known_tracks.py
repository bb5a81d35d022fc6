"""Tracks through the known world."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from neoverse_ns.geometry.projection import project
from tests.training.data.sets.known_world import FRAMES, HEIGHT, WIDTH, KnownWorld


@dataclass(frozen=True)
class KnownTracks:
    """World places [T,P,3], image coordinates [T,P,2], z-depth and visibility [T,P]."""

    places: Tensor
    uv: Tensor
    z: Tensor
    visible: Tensor


def tracks_of(world: KnownWorld, step: int = 1) -> KnownTracks:
    """Tracks that begin at the centre of every `step`-th pixel of every frame."""
    starts = [
        [world.moved(start, index)[::step, ::step].reshape(-1, 3) for start in range(FRAMES)] for index in range(FRAMES)
    ]
    places = torch.stack([torch.cat(each) for each in starts])
    uv, z = project(places, world.clip.cameras.viewmats, world.clip.cameras.K)
    x, y = uv.floor().long().unbind(-1)
    inside = (x >= 0) & (x < WIDTH) & (y >= 0) & (y < HEIGHT) & (z > 0)
    frame = torch.arange(FRAMES)[:, None].expand_as(x)
    shown = world.clip.depth[frame, y.clamp(0, HEIGHT - 1), x.clamp(0, WIDTH - 1)]
    return KnownTracks(places, uv, z, inside & ((z - shown).abs() < 0.02 * shown))


def _places(world: KnownWorld, index: int, step: int) -> Tensor:
    """Where the tracks of all frames are in one."""
    return torch.cat([world.moved(start, index)[::step, ::step].reshape(-1, 3) for start in range(FRAMES)])
