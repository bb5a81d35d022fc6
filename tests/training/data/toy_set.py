"""A data set of tiny clips, a file of JSON each: colours of noise before a wall that stands still."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import torch

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.truth import ClipInfo, FrameTruth, TruthClip

FRAMES, HEIGHT, WIDTH = 9, 28, 42
SETS = {"toy": "tests.training.data.toy_set:Toy"}


class ToyClip(TruthClip):
    def __init__(self, name: str, seed: int, static: bool) -> None:
        has = frozenset({"pose", "depth"})
        self.info = ClipInfo("toy", name, FRAMES, 10.0, static, has)
        self._seed = seed

    def frame(self, index: int) -> FrameTruth:
        generator = torch.Generator().manual_seed(1000 * self._seed + index)
        rgb = torch.randint(0, 256, (HEIGHT, WIDTH, 3), generator=generator, dtype=torch.uint8)
        K = torch.tensor([[40.0, 0, WIDTH / 2], [0, 40, HEIGHT / 2], [0, 0, 1]], dtype=torch.float64)
        c2w = torch.eye(4, dtype=torch.float64)
        c2w[0, 3] = 0.1 * index
        return FrameTruth(rgb, K, c2w, torch.full((HEIGHT, WIDTH), 3.0))


class Toy(DataSet):
    name: ClassVar[str] = "toy"

    def find(self, folder: Path) -> list[ManifestRow]:
        return [row_of_file(path) for path in sorted(folder.glob("*.toy"))]

    def open(self, folder: Path, row: ManifestRow) -> ToyClip:
        path = folder / str(row.source["path"])
        try:
            found = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise ClipError(f"{path}: not a toy, or damaged ({error})") from error
        return ToyClip(row.id, found["seed"], row.static)


def row_of_file(path: Path) -> ManifestRow:
    static = int(path.stem.rpartition("-")[2]) % 3 == 0
    return ManifestRow(path.stem, "toy", {"path": path.name}, FRAMES, 10.0, WIDTH, HEIGHT, static=static)


def write_toys(folder: Path, count: int, broken: set[int] = frozenset(), name: str = "toy") -> list[ManifestRow]:  # pyright: ignore
    """So many clips, those of the given numbers cut short."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        text = json.dumps({"seed": number})
        (folder / f"{name}-{number:04d}.toy").write_text(text[:-1] if number in broken else text)
    return Toy().find(folder)
