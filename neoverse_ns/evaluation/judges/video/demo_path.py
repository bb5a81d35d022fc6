"""A camera path through the demo scene as it truly looks: what an estimator sees where nothing is generated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.synthetic.path import FOCAL_OVER_WIDTH, camera_path
from neoverse_ns.clip.synthetic.render import render_colour, render_truth
from neoverse_ns.clip.synthetic.scene import build_scene
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.console import progress
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_inverse

DEMO_WALK = 3.4
"""How far the demo's own camera walks, in the demo's units."""


@dataclass(frozen=True)
class RequestedPath:
    """A path that a video was asked to follow.

    Attributes:
        c2w: A camera per frame, OpenCV axes, in any world.
        times: Normalised time of the scene at each frame; None plays it once.
        K: Intrinsics in pixels of the pictures; None where unknown.
        unit_is_depth: Whether the unit is the scene's median depth, as in this package's own worlds.
    """

    c2w: Float64[Tensor, "n 4 4"]
    times: Float[Tensor, " n"] | None = None
    K: Float[Tensor, "n 3 3"] | None = None
    unit_is_depth: bool = False


def demo_along(path: RequestedPath, width: int, height: int, seed: int = 0) -> tuple[Clip, PinholeCameras]:
    """The demo scene filmed along a path, and the exact cameras.

    The path begins at the first camera of the demo's own clip. Its unit becomes the median depth that this sees where
    the path is in such a unit; another path is made as long from end to end as the demo's own.

    Args:
        path: What to follow.
        width: Of the pictures, in pixels; intrinsics of the path must be for this size.
        height: Likewise.
        seed: Of the demo; its textures.
    """
    generator = torch.Generator().manual_seed(seed)
    lattice = random_lattice(generator)
    solids = build_scene(generator)
    first = camera_path(2, width, height, generator)[:1]
    count = len(path.c2w)
    relative = se3_inverse(path.c2w[:1].double()) @ path.c2w.double()
    relative[:, :3, 3] *= _factor(path, relative, lambda: render_truth(solids, 0.0, first)[0])
    K = torch.eye(3, dtype=torch.float64).repeat(count, 1, 1)
    K[:, 0, 0] = K[:, 1, 1] = FOCAL_OVER_WIDTH * width
    K[:, 0, 2], K[:, 1, 2] = width / 2, height / 2
    cameras = PinholeCameras(first.c2w @ relative, K if path.K is None else path.K.double(), width, height)
    times = torch.linspace(0, 1, count, dtype=torch.float64) if path.times is None else path.times.double()
    frames: list[UInt8[Tensor, "h w 3"]] = []
    with progress("rendering the demo along the path", count) as steps:
        for number, time in enumerate(times.tolist()):
            frames.append(render_colour(solids, lattice, time, cameras[number : number + 1]))
            steps.advance()
    seconds = torch.arange(count, dtype=torch.float64) / 16
    return Clip(torch.stack(frames), torch.arange(count), seconds, Path("demo")), cameras


def _factor(
    path: RequestedPath, relative: Float64[Tensor, "n 4 4"], first_depth: Callable[[], Float[Tensor, "h w"]]
) -> float:
    if path.unit_is_depth:
        return first_depth().median().item()
    extent = torch.cdist(relative[:, :3, 3], relative[:, :3, 3]).max().item()
    return DEMO_WALK / extent if extent > 0 else 1.0
