"""The synthetic courtyard as a scene whose geometry is the truth, for exporters."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import split_frames

FRAMES, WIDTH, HEIGHT = 7, 160, 96


@cache
def truth() -> SyntheticClip:
    return render_synthetic(FRAMES, WIDTH, HEIGHT)


def true_geometry(keyframes: list[int]) -> SceneGeometry:
    known = truth()
    trust = torch.ones(len(keyframes), HEIGHT, WIDTH)
    return SceneGeometry(known.cameras, keyframes, known.depth[keyframes], trust, known.dynamic[keyframes])


def made_scene(held_out_every: int = 4) -> Scene:
    """With the default, frame 2 is held out."""
    split = split_frames(FRAMES, None, held_out_every)
    return Scene(
        clip=truth().as_clip(),
        split=split,
        geometry=true_geometry(split.keyframes),
        gaussians=None,
        held_out_dynamic=truth().dynamic[split.held_out],
        folder=Path("kept"),
    )
