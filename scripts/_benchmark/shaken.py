"""The courtyard walked through on rails, and the same walk with a hand's shake of known strength."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.clip.synthetic.render import render_colour, render_truth
from neoverse_ns.clip.synthetic.scene import build_scene
from neoverse_ns.clip.synthetic.solids import Solid
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.trajectory.moves.handheld import SWAY, TURN, band_noise

DEPTH = 6.0
"""Median depth of the courtyard, scene units."""


@dataclass(frozen=True)
class ShakenClip:
    """A clip of which everything is known.

    Attributes:
        frames: What the shaken camera shows.
        cameras: Exact, float64.
        rails: The same walk without any shake.
        seconds: Time of every frame.
        solids: The scene; its time runs from 0 to 1.
        lattice: Of its textures.
    """

    frames: UInt8[Tensor, "n h w 3"]
    cameras: PinholeCameras
    rails: PinholeCameras
    seconds: Float[Tensor, " n"]
    solids: list[Solid]
    lattice: Float[Tensor, " cells"]

    def __len__(self) -> int:
        return len(self.frames)

    def as_clip(self) -> Clip:
        """The frames as a reconstructor gets them, without the loss of a video codec."""
        return Clip(self.frames, torch.arange(len(self)), self.seconds, Path("shaken"))

    def seen(self, cameras: PinholeCameras) -> UInt8[Tensor, "n h w 3"]:
        """What other cameras, one per frame, show at the same times."""
        views = zip(_times(len(self)), _one_by_one(cameras), strict=True)
        return torch.stack([render_colour(self.solids, self.lattice, time, camera) for time, camera in views])

    def moving(self, cameras: PinholeCameras) -> Bool[Tensor, "n h w"]:
        """Pixels of other cameras that show what moves."""
        views = zip(_times(len(self)), _one_by_one(cameras), strict=True)
        return torch.stack([render_truth(self.solids, time, camera)[1] > 0 for time, camera in views])


def shaken_clip(
    strength: float, seed: int = 0, num_frames: int = 25, width: int = 384, height: int = 224, fps: float = 8.0
) -> ShakenClip:
    """Render a walk shaken by the band of frequencies of a hand (0.3 to 3 hertz).

    Args:
        strength: 1 turns by 0.35 degrees and sways by 0.6 % of the median depth, root mean square about every axis.
        seed: Of the scene and of the shake.
        num_frames: Of the clip.
        width: Of every frame, pixels.
        height: Of every frame, pixels.
        fps: Frames per second.
    """
    generator = torch.Generator().manual_seed(seed)
    lattice = random_lattice(generator)
    solids = build_scene(generator)
    rails = camera_path(num_frames, width, height, generator, shaking=0.0)
    seconds = torch.arange(num_frames, dtype=torch.float64) / fps
    sizes = torch.cat([DEPTH * torch.tensor(SWAY), torch.deg2rad(torch.tensor(TURN))]).double()
    twists = strength * band_noise(seconds, seed) * sizes
    shaken = PinholeCameras(rails.c2w @ se3_exp(twists), rails.K, width, height)
    frames = [render_colour(solids, lattice, time, shaken[i : i + 1]) for i, time in enumerate(_times(num_frames))]
    return ShakenClip(torch.stack(frames), shaken, rails, seconds, solids, lattice)


def _times(count: int) -> list[float]:
    return [i / max(count - 1, 1) for i in range(count)]


def _one_by_one(cameras: PinholeCameras) -> Iterator[PinholeCameras]:
    for i in range(len(cameras)):
        one = cameras[i : i + 1]
        yield PinholeCameras(one.c2w.double(), one.K.double(), one.width, one.height)
