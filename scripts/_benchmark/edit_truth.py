"""The demo's yard as it truly looks after an edit, from the clip's own cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.clip.synthetic.alter import Alter
from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.clip.synthetic.render import render_colour, render_truth
from neoverse_ns.clip.synthetic.scene import build_scene
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.console import progress
from neoverse_ns.geometry.cameras import PinholeCameras


@dataclass(frozen=True)
class TrueFrames:
    """Some frames of the yard.

    Attributes:
        rgb: In [0, 1].
        things: Number of the moving thing at every pixel; 0 for what is still.
    """

    rgb: Float[Tensor, "f h w 3"]
    things: UInt8[Tensor, "f h w"]


def true_cameras(count: int, width: int, height: int, seed: int = 0) -> PinholeCameras:
    """Those of the clip."""
    generator = torch.Generator().manual_seed(seed)
    random_lattice(generator)
    build_scene(generator)
    return camera_path(count, width, height, generator)


def true_frames(
    count: int, width: int, height: int, frames: Sequence[int], alter: Alter | None = None, seed: int = 0
) -> TrueFrames:
    """Frames of a clip of `count` frames, with its scene altered; all else as `ns-neoverse demo` renders it."""
    generator = torch.Generator().manual_seed(seed)
    lattice = random_lattice(generator)
    solids = build_scene(generator)
    cameras = camera_path(count, width, height, generator)
    solids = solids if alter is None else alter(solids)
    rgb, things = [], []
    with progress("rendering what is true", len(frames)) as steps:
        for frame in frames:
            time, camera = frame / max(count - 1, 1), cameras[[frame]]
            rgb.append(render_colour(solids, lattice, time, camera).float() / 255)
            things.append(render_truth(solids, time, camera)[1])
            steps.advance()
    return TrueFrames(torch.stack(rgb), torch.stack(things))


def true_things(count: int, width: int, height: int, seed: int = 0) -> UInt8[Tensor, "f h w"]:
    """Number of the moving thing at every pixel of every frame."""
    generator = torch.Generator().manual_seed(seed)
    random_lattice(generator)
    solids = build_scene(generator)
    cameras = camera_path(count, width, height, generator)
    return torch.stack([render_truth(solids, f / max(count - 1, 1), cameras[[f]])[1] for f in range(count)])
