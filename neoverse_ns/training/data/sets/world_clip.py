"""A clip filmed in a random world: every frame is made when it is asked for, and all of it is known."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from neoverse_ns.clip.synthetic.worlds import View, WorldCamera, random_world
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.truth import ClipInfo, Displacement, FrameTruth, TruthClip

NAME = "worlds"

WIDTH, HEIGHT, FRAMES, FPS = 196, 112, 33, 12.0
"""Of a clip that does not say otherwise."""

FURTHEST = 4
"""Largest step between neighbouring frames of a sample: a third of a second."""


class WorldClip(TruthClip):
    """A clip filmed in the world of a seed.

    Args:
        seed: Of the world.
        width: Of the frames in pixels.
        height: Of the frames in pixels.
        frames: How many the world's time is divided into.
        name: Of the clip; the seed where there is none.
        fps: Frames per second.
    """

    def __init__(
        self,
        seed: int,
        width: int = WIDTH,
        height: int = HEIGHT,
        frames: int = FRAMES,
        name: str | None = None,
        fps: float = FPS,
    ) -> None:
        self.world = random_world(seed)
        self.width, self.height = width, height
        self.times = np.linspace(0, 1, frames)
        self._views: dict[int, View] = {}
        self.info = ClipInfo(
            dataset=NAME,
            clip=str(seed) if name is None else name,
            frames=frames,
            fps=fps,
            static=self.world.things == 0,
            has=frozenset({"pose", "depth", "motion"}),
            furthest=min(FURTHEST, frames - 1),
        )

    @cached_property
    def poses(self) -> Float64[np.ndarray, "t parts 4 4"]:
        """Local-to-world transforms of all parts at all frames."""
        return self.world.poses(self.times)

    @cached_property
    def c2w(self) -> Float64[np.ndarray, "t 4 4"]:
        return self.world.camera(self.times)

    def camera(self, index: int, beside: float = 0.0) -> WorldCamera:
        """The camera at a frame, or one moved to its right by `beside`."""
        self._check(index)
        c2w = self.c2w[index].copy()
        c2w[:3, 3] += beside * c2w[:3, 0]
        K = self.world.intrinsics(self.width, self.height)
        return WorldCamera(self.world, self.poses[index], c2w, K, self.width, self.height)

    def frame(self, index: int, beside: float = 0.0, rays: int = 1) -> FrameTruth:
        """A frame.

        Args:
            index: Of the frame.
            beside: Distance to the right at which a second camera stands; 0 is the clip's own.
            rays: Per pixel along each axis, for smoother pictures; depth is that of the pixel's middle.
        """
        camera = self.camera(index, beside)
        view = camera.view() if beside else self._view(index)
        rgb = camera.colour(view if rays == 1 else camera.view(rays), rays)
        known = torch.isfinite(view.depth) & ~self._sky[view.part]
        depth = torch.where(known, view.depth, 0.0)
        return FrameTruth(rgb, torch.from_numpy(camera.K), torch.from_numpy(camera.c2w), depth)

    def instances(self, index: int) -> Int64[Tensor, "h w"]:
        """1 + place in the world's parts of what moves, 0 for what stands still; rows of :attr:`poses` belong to it."""
        part = self._view(index).part
        return torch.where(self._moves[part], part + 1, 0)

    def things(self, index: int) -> Int64[Tensor, "h w"]:
        """Number of the moving thing that each pixel shows, 0 for what stands still."""
        numbers = torch.tensor([*(part.thing for part in self.world.parts), 0])
        return numbers[self._view(index).part]

    def displacement(self, index: int, other: int) -> Displacement:
        self._check(other)
        camera, view = self.camera(index), self._view(index)
        known = torch.isfinite(view.depth) & ~self._sky[view.part]
        world = torch.zeros(self.height, self.width, 3)
        moving = known & self._moves[view.part]
        rows, columns = moving.nonzero(as_tuple=True)
        if len(rows):
            part, depth = view.part[rows, columns].numpy(), view.depth[rows, columns].double().numpy()
            x = (columns.numpy() + 0.5 - camera.K[0, 2]) / camera.K[0, 0] * depth
            y = (rows.numpy() + 0.5 - camera.K[1, 2]) / camera.K[1, 1] * depth
            point = np.stack([x, y, depth], -1) @ camera.c2w[:3, :3].T + camera.c2w[:3, 3]
            # The change of a place from the change of the pose: differences of two places round at the world's size.
            change = (self.poses[other] - self.poses[index]) @ np.linalg.inv(self.poses[index])
            shift = (change[part, :3, :3] @ point[:, :, None])[:, :, 0] + change[part, :3, 3]
            world[rows, columns] = torch.from_numpy(shift).float()
        return Displacement(world, known)

    @cached_property
    def _moves(self) -> Tensor:
        """Of each part, and of nothing, which is the last."""
        return torch.tensor([*(part.thing > 0 for part in self.world.parts), False])

    @cached_property
    def _sky(self) -> Tensor:
        return torch.tensor([*(part.sky for part in self.world.parts), True])

    def _view(self, index: int) -> View:
        """Kept: motion asks for the same surfaces as the picture."""
        if index not in self._views:
            self._views[index] = self.camera(index).view()
        return self._views[index]

    def _check(self, index: int) -> None:
        if not 0 <= index < self.info.frames:
            raise ClipError(f"world {self.info.clip} has {self.info.frames} frames, none numbered {index}")
