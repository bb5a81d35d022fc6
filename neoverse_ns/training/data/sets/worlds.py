"""Endless random worlds as a data set: nothing is read, every frame is made when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, overload

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from neoverse_ns.clip.synthetic.worlds import View, WorldCamera, is_static, random_world
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.truth import ClipInfo, Displacement, FrameTruth, TruthClip

NAME = "worlds"

WIDTH, HEIGHT, FRAMES, FPS = 196, 112, 33, 12.0
"""Of a clip whose row does not say otherwise."""

SPLITS = ("train", "val", "test")
"""Each has seeds of its own."""

SEEDS = 2**40
"""Worlds a split."""

FURTHEST = 4
"""Largest step between neighbouring frames of a sample: a third of a second."""


@dataclass(frozen=True)
class WorldRows(Sequence[ManifestRow]):
    """Rows of as many worlds as wanted, each made when it is looked at.

    Attributes:
        count: How many.
        split: One of SPLITS; no two have a world in common.
        width: Of the frames in pixels.
        height: Of the frames in pixels.
        frames: Of each clip.
    """

    count: int
    split: str = "train"
    width: int = WIDTH
    height: int = HEIGHT
    frames: int = FRAMES

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ClipError(f"worlds have no split '{self.split}': choose one of {', '.join(SPLITS)}")
        if not 0 < self.count <= SEEDS or min(self.width, self.height) < 1 or self.frames < 2:
            raise ClipError(
                f"worlds need from 1 to {SEEDS} clips of at least 2 frames of at least 1 pixel, got {self.count} of "
                f"{self.frames} frames of {self.width}x{self.height}"
            )

    def __len__(self) -> int:
        return self.count

    @overload
    def __getitem__(self, index: int) -> ManifestRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[ManifestRow]: ...
    def __getitem__(self, index: int | slice) -> ManifestRow | list[ManifestRow]:
        if isinstance(index, slice):
            return [self._row(number) for number in range(*index.indices(self.count))]
        if not -self.count <= index < self.count:
            raise IndexError(f"row {index} of {self.count} worlds")
        return self._row(index % self.count)

    def _row(self, number: int) -> ManifestRow:
        seed = number + SPLITS.index(self.split) * SEEDS
        return ManifestRow(
            id=f"{self.split}-{number:09d}",
            dataset=NAME,
            source={"seed": seed},
            frames=self.frames,
            fps=FPS,
            width=self.width,
            height=self.height,
            split=self.split,
            static=is_static(seed),
            has=frozenset({"pose", "depth", "motion"}),
        )


class Worlds(DataSet):
    """A folder of worlds holds one file, `worlds.json`, such as `{"train": 100000, "val": 64}`.

    It may also state `width`, `height` and `frames`. Without a folder, :class:`WorldRows` are rows to open.
    """

    name: ClassVar[str] = NAME

    def find(self, folder: Path) -> list[ManifestRow]:
        file = folder / "worlds.json"
        try:
            settings = json.loads(file.read_text())
            counts = {split: int(settings.get(split, 0)) for split in SPLITS}
            size = {key: int(settings[key]) for key in ("width", "height", "frames") if key in settings}
        except FileNotFoundError as error:
            raise ClipError(f'{folder} holds no worlds.json: write one such as {{"train": 1000, "val": 16}}') from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ClipError(f"{file} cannot be read as counts of worlds: {error}") from error
        return [row for split, count in counts.items() if count for row in WorldRows(count, split, **size)]

    def open(self, folder: Path, row: ManifestRow) -> WorldClip:
        seed = row.source.get("seed")
        if not isinstance(seed, int):
            raise ClipError(f"world {row.id} has no seed: its source is {row.source}")
        return WorldClip(seed, row.width or WIDTH, row.height or HEIGHT, row.frames, row.id, row.fps)


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
