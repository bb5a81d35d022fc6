"""Endless random worlds as a data set: nothing is read, every frame is made when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, overload

from neoverse_ns.clip.synthetic.worlds import is_static
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.sets.world_clip import FPS, FRAMES, HEIGHT, NAME, WIDTH, WorldClip

SPLITS = ("train", "val", "test")
"""Each has seeds of its own."""

_SIZE = ("width", "height", "frames")

SEEDS = 2**40
"""Worlds a split."""


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
            settings = _numbers(json.loads(file.read_text()))
        except FileNotFoundError as error:
            raise ClipError(f'{folder} holds no worlds.json: write one such as {{"train": 1000, "val": 16}}') from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ClipError(f"{file} cannot be read as counts of worlds: {error}") from error
        size = {key: settings[key] for key in _SIZE if key in settings}
        counts = [(split, settings[split]) for split in SPLITS if settings.get(split)]
        if not counts:
            raise ClipError(f'{file} asks for no worlds: write such as {{"train": 1000, "val": 16}}')
        try:
            return [row for split, count in counts for row in WorldRows(count, split, **size)]
        except ClipError as error:
            raise ClipError(f"{file}: {error}") from error

    def open(self, folder: Path, row: ManifestRow) -> WorldClip:
        seed = row.source.get("seed")
        if not isinstance(seed, int):
            raise ClipError(f"world {row.id} has no seed: its source is {row.source}")
        return WorldClip(seed, row.width or WIDTH, row.height or HEIGHT, row.frames, row.id, row.fps)


def _numbers(settings: Any) -> dict[str, int]:
    """What the file says.

    Raises:
        ValueError: It says something else.
    """
    if not isinstance(settings, dict):
        raise ValueError("not a JSON object")
    for key, value in settings.items():
        if key not in (*SPLITS, *_SIZE):
            raise ValueError(f"'{key}' means nothing here, only {', '.join((*SPLITS, *_SIZE))} do")
        if type(value) is not int or value < (key in _SIZE):
            raise ValueError(
                f"'{key}' must be a whole number {'above 0' if key in _SIZE else 'from 0 on'}, got {value}"
            )
    return settings
