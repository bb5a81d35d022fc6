"""The known world with other motion or another lens: its depth and things anew, its pictures as they were."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.clip.synthetic.render import render_truth
from neoverse_ns.clip.synthetic.solids import Solid
from neoverse_ns.geometry.cameras import PinholeCameras
from tests.training.data.sets.known_world import FRAMES, KnownWorld


def seen_anew(world: KnownWorld, scene: list[Solid], cameras: PinholeCameras) -> KnownWorld:
    """Without the cost of new pictures, which say nothing of how depth, cameras and motion are read."""
    truths = [render_truth(scene, i / (FRAMES - 1), cameras[i : i + 1]) for i in range(FRAMES)]
    depth, things = (torch.stack(values) for values in zip(*truths, strict=True))
    return KnownWorld(replace(world.clip, depth=depth, things=things, cameras=cameras), scene)
