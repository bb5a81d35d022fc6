"""A small rendered clip of which everything is known, for writers of data sets to put on disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.clip.synthetic.render import render_truth
from neoverse_ns.clip.synthetic.scene import build_scene
from neoverse_ns.clip.synthetic.solids import Solid
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import pixel_centres, project, unproject
from neoverse_ns.training.data.truth import TruthClip

FRAMES, WIDTH, HEIGHT = 6, 64, 48
THINGS = 3
SKY = 30.0
"""Depth from which on there is only the backdrop."""

_PART = 0.3
"""Share of the courtyard's whole course that is shown, so that steps are as small as a film's."""


@dataclass(frozen=True)
class KnownClip:
    """What of a rendered clip data sets tell, by the names of :class:`SyntheticClip`."""

    frames: Tensor
    cameras: PinholeCameras
    depth: Tensor
    things: Tensor

    @property
    def dynamic(self) -> Tensor:
        return self.things > 0


@dataclass(frozen=True)
class KnownWorld:
    clip: KnownClip
    scene: list[Solid]

    def c2w(self, frame: int) -> Tensor:
        return self.clip.cameras.c2w[frame]

    def K(self, frame: int) -> Tensor:
        return self.clip.cameras.K[frame]

    def sky(self, frame: int) -> Tensor:
        return self.clip.depth[frame] > SKY

    def pose(self, thing: int, frame: int) -> Tensor:
        """Of a moving thing, from 1 on."""
        solid = next(solid for solid in self.scene if solid.thing == thing)
        return solid.pose(frame / (FRAMES - 1))

    def points(self, frame: int) -> Tensor:
        return unproject(self.clip.depth[frame].double(), self.K(frame), self.c2w(frame))

    def moved(self, frame: int, other: int) -> Tensor:
        """World places, in another frame, of what a frame's pixels show."""
        places = self.points(frame)
        for thing in range(1, THINGS + 1):
            change = self.pose(thing, other) @ torch.linalg.inv(self.pose(thing, frame))
            shown = self.clip.things[frame] == thing
            places[shown] = places[shown] @ change[:3, :3].T + change[:3, 3]
        return places

    def displacement(self, frame: int, other: int) -> Tensor:
        return self.moved(frame, other) - self.points(frame)

    def flow(self, frame: int, other: int) -> tuple[Tensor, Tensor]:
        """Optical flow (x, y) and the z-depth in the other frame, for every pixel, hidden there or not."""
        uv, z = project(self.moved(frame, other).view(-1, 3), torch.linalg.inv(self.c2w(other)), self.K(other))
        return uv.view(HEIGHT, WIDTH, 2) - pixel_centres(HEIGHT, WIDTH, torch.float64), z.view(HEIGHT, WIDTH)


@cache
def known_world(askew: bool = False) -> KnownWorld:
    """The world, seen by square pixels around the picture's middle, or askew: by oblong ones around another place."""
    generator = torch.Generator().manual_seed(3)
    scene = [_slowed(solid) for solid in build_scene(generator)]
    cameras = camera_path(round(FRAMES / _PART), WIDTH, HEIGHT, generator)[:FRAMES]
    if askew:
        cameras.K[:, 0, 2] += 1.5
        cameras.K[:, 1, 2] -= 0.75
        cameras.K[:, 1, 1] *= 1.1
    truths = [render_truth(scene, index / (FRAMES - 1), cameras[index : index + 1]) for index in range(FRAMES)]
    depth, things = (torch.stack(values) for values in zip(*truths, strict=True))
    plain = KnownWorld(KnownClip(torch.zeros(FRAMES, HEIGHT, WIDTH, 3), cameras, depth, things), scene)
    frames = torch.stack([_coloured(plain.moved(index, 0)) for index in range(FRAMES)])
    return KnownWorld(replace(plain.clip, frames=frames), scene)


def _coloured(places: Tensor) -> Tensor:
    """Colours that stick to surfaces: waves through their places in the first frame. Textures would take seconds."""
    waves = (0.9 * places).sin()
    return (128 + 60 * waves.mean(dim=-1, keepdim=True) + 20 * waves).round().to(torch.uint8)


def _slowed(solid: Solid) -> Solid:
    return replace(solid, pose=lambda time: solid.pose(0.35 + _PART * time))


def check_frames(clip: TruthClip, world: KnownWorld, depth: float, rgb: float = 0.0, sky: bool = True) -> None:
    """Every frame reads back as it was, `depth` being a relative and `rgb` a mean absolute error."""
    assert clip.info.frames == FRAMES
    for index in range(FRAMES):
        frame = clip.frame(index)
        assert frame.c2w is not None
        assert frame.depth is not None
        torch.testing.assert_close(frame.K, world.K(index), rtol=0, atol=1e-4)
        torch.testing.assert_close(frame.c2w, world.c2w(index), rtol=0, atol=1e-6)
        true = world.clip.depth[index]
        if not sky:
            true = torch.where(world.sky(index), 0, true)
        assert torch.equal(frame.depth > 0, true > 0)
        error = ((frame.depth - true).abs() / true.clamp_min(1e-9))[true > 0]
        assert error.max() < depth
        difference = (frame.rgb.float() - world.clip.frames[index].float()).abs().mean()
        assert difference <= rgb


def check_motion(clip: TruthClip, world: KnownWorld, distance: float, share: float, sure: float = 1.0) -> None:
    """Motion over one, two and more frames, in both directions.

    Args:
        clip: As read.
        world: As written.
        distance: Bound of the error, in the world's unit.
        share: Of the pixels, for which motion must be known at least.
        sure: Share of those for which the bound must hold.
    """
    moving = 0
    for index, other in ((0, 1), (2, 1), (1, 3), (4, 2), (0, FRAMES - 1)):
        motion = clip.displacement(index, other)
        assert motion is not None
        error = (motion.world.double() - world.displacement(index, other)).norm(dim=-1)[motion.valid]
        assert motion.valid.double().mean() > (share if abs(index - other) < 3 else 0.5 * share)
        assert error.quantile(sure) < distance, (index, other)
        moving += int((motion.valid & world.clip.dynamic[index]).sum())
    assert moving > 100
    assert world.displacement(0, FRAMES - 1).norm(dim=-1).max() > 20 * distance


def numbers(values: Tensor) -> np.ndarray:
    return values.detach().numpy()


def truncate(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
