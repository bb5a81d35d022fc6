"""The synthetic clip as a clip with truth, rendered once for all tests."""

from __future__ import annotations

from functools import cache

import torch

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic
from neoverse_ns.clip.synthetic.scene import build_scene
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.training.data.motion.rigid import rigid_displacement
from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.truth import ClipInfo, Displacement, FrameTruth, TruthClip

FRAMES, HEIGHT, WIDTH, SEED = 9, 56, 84, 3


@cache
def rendered() -> SyntheticClip:
    """Nine frames of 84x56."""
    return render_synthetic(FRAMES, WIDTH, HEIGHT, seed=SEED)


@cache
def thing_poses() -> torch.Tensor:
    """World poses of the three moving things at every frame, [frames, 3, 4, 4]."""
    generator = torch.Generator().manual_seed(SEED)
    random_lattice(generator)
    things = sorted((s for s in build_scene(generator) if s.thing), key=lambda solid: solid.thing)
    return torch.stack([torch.stack([s.pose(i / (FRAMES - 1)) for s in things]) for i in range(FRAMES)])


class SyntheticTruth(TruthClip):
    """Everything exact; `unit` scales its world."""

    def __init__(self, unit: float = 1.0, furthest: int = 2) -> None:
        self.info = ClipInfo(
            "synthetic", "courtyard", FRAMES, 8.0, False, frozenset(("pose", "depth", "motion")), furthest
        )
        self.unit = unit

    def frame(self, index: int) -> FrameTruth:
        clip = rendered()
        c2w = clip.cameras.c2w[index].clone()
        c2w[:3, 3] *= self.unit
        return FrameTruth(clip.frames[index], clip.cameras.K[index], c2w, clip.depth[index] * self.unit)

    def displacement(self, index: int, other: int) -> Displacement | None:
        view = View(rendered().depth[index], rendered().cameras.K[index], rendered().cameras.c2w[index])
        poses = thing_poses()
        found = rigid_displacement(view, rendered().things[index], poses[index], poses[other])
        return Displacement(found.world * self.unit, found.valid)
