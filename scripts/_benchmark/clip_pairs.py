"""Clips of which a larger or an emptier version is known: what super-resolution and background extraction must find."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from _benchmark.mover_cases import CASES
from _benchmark.mover_render import mover_clip
from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.clip.synthetic.render import render_colour, render_truth
from neoverse_ns.clip.synthetic.scene import build_scene as courtyard
from neoverse_ns.clip.synthetic.solids import Solid
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.console import progress
from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project, unproject
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene, build_scene
from neoverse_ns.render.writers import picture_name, write_png

DEMO = "demo"
SAME_SURFACE = 0.02
"""Relative difference of depth up to which two cameras see the same point."""


@dataclass(frozen=True)
class World:
    """Solids and a camera; times run from 0 to 1.

    Attributes:
        name: Of the row.
        solids: Still ones and parts of things.
        lattice: Of their textures.
        cameras: Of the sampled frames, float64.
    """

    name: str
    solids: list[Solid]
    lattice: Float[Tensor, " cells"]
    cameras: PinholeCameras

    @property
    def still(self) -> list[Solid]:
        return [solid for solid in self.solids if not solid.thing]

    def time(self, frame: int) -> float:
        return frame / max(len(self.cameras) - 1, 1)

    def frames(self, scale: int = 1, chosen: list[int] | None = None) -> UInt8[Tensor, "n h w 3"]:
        """What the cameras see, or those chosen, in `scale` times as many pixels along each side."""
        cameras, pictures = larger(self.cameras, scale), []
        chosen = list(range(len(cameras))) if chosen is None else chosen
        with progress(f"rendering {self.name}", len(chosen)) as steps:
            for i in chosen:
                pictures.append(render_colour(self.solids, self.lattice, self.time(i), cameras[[i]]))
                steps.advance()
        return torch.stack(pictures)

    def empty(self, frame: int) -> UInt8[Tensor, "h w 3"]:
        """What a camera would see if nothing moved there."""
        return render_colour(self.still, self.lattice, self.time(frame), self.cameras[[frame]])

    @cached_property
    def truths(self) -> list[tuple[Tensor, Tensor]]:
        """True depth [h, w] and things [h, w] of every frame."""
        return [render_truth(self.solids, self.time(i), self.cameras[[i]]) for i in range(len(self.cameras))]

    def covered(self, frame: int) -> Bool[Tensor, "h w"]:
        """Where something that moves is seen."""
        return self.truths[frame][1] > 0

    def ever_seen(self, frame: int) -> Bool[Tensor, "h w"]:
        """Pixels of the empty picture whose place at least one frame truly shows."""
        camera = self.cameras[[frame]]
        depth = render_truth(self.still, self.time(frame), camera)[0].double()
        points = unproject(depth, camera.K[0], camera.c2w[0]).reshape(-1, 3)
        seen = torch.zeros(len(points), dtype=torch.bool)
        for other in range(len(self.cameras)):
            view = self.cameras[[other]]
            there, things = self.truths[other]
            uv, z = project(points, view.viewmats[0], view.K[0])
            column, row = uv.floor().clamp(-1, 1 << 20).long().unbind(-1)
            inside = (z > 0) & (column >= 0) & (column < view.width) & (row >= 0) & (row < view.height)
            column, row = column.clamp(0, view.width - 1), row.clamp(0, view.height - 1)
            seen |= inside & (things[row, column] == 0) & ((there[row, column] / z - 1).abs() < SAME_SURFACE)
        return seen.reshape(depth.shape)


def larger(cameras: PinholeCameras, scale: int) -> PinholeCameras:
    """The same views in more pixels."""
    K = cameras.K.clone()
    K[:, :2] *= scale
    return PinholeCameras(cameras.c2w, K, cameras.width * scale, cameras.height * scale)


def world_named(name: str, num_frames: int) -> World:
    """`demo`, `demo:SEED` (another courtyard), or `CASE:SEED` of the battery of movers.

    Raises:
        SettingsError: There is none of that name.
    """
    kind, _, seed = name.partition(":")
    number = int(seed) if seed.isdigit() else 0
    if kind == DEMO:
        generator = torch.Generator().manual_seed(number)
        lattice = random_lattice(generator)
        solids = courtyard(generator)
        return World(name, solids, lattice, camera_path(num_frames, 384, 224, generator))
    if kind not in CASES:
        raise SettingsError(f"no synthetic clip named {name}; there are {DEMO}, {', '.join(CASES)}, with :SEED behind")
    clip = mover_clip(CASES[kind], number)
    chosen = np.linspace(0, len(clip.cameras) - 1, num_frames).round().astype(int).tolist()
    return World(name, clip.solids, clip.lattice, clip.cameras[chosen])


def reduced(frames: UInt8[Tensor, "n gh gw 3"], scale: int) -> UInt8[Tensor, "n h w 3"]:
    """What a camera of fewer pixels sees: the mean over each."""
    height, width = frames.shape[1] // scale, frames.shape[2] // scale
    small = [cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in frames.numpy()]
    return torch.from_numpy(np.stack(small))


def reconstructed(frames: UInt8[Tensor, "n h w 3"], folder: Path, every: int = 0) -> Scene:
    """The scene of frames alone, without weights, from a folder of pictures that lose nothing.

    Args:
        frames: All that may be used.
        folder: Where they are put.
        every: One in so many is held out; 0 holds none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames.numpy()):
        write_png(folder / picture_name(number), np.ascontiguousarray(frame[..., ::-1]))
    config = SceneConfig(reconstructor="bundle", held_out_every=every)
    config.clip.width, config.clip.num_frames, config.clip.duration = frames.shape[2], len(frames), 1e6
    return build_scene(folder, config)
