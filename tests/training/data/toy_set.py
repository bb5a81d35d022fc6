"""A data set of tiny clips, a file of JSON each: colours of noise before a wall that stands still."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.truth import ClipInfo, FrameTruth, TruthClip

FRAMES, HEIGHT, WIDTH = 9, 28, 42
SETS = {name: f"tests.training.data.toy_set:{kind}" for name, kind in (("toy", "Toy"), ("toy_folder", "ToyFolder"))}


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


class ToyFolder(DataSet):
    """Clips that are folders: `clip.json`, and a picture and a depth map of each frame."""

    name: ClassVar[str] = "toy_folder"

    def find(self, folder: Path) -> list[ManifestRow]:
        names = sorted(path.parent.name for path in folder.glob("*/clip.json"))
        return [ManifestRow(name, self.name, {"path": name, "camera": 2}, FRAMES, 10.0, static=True) for name in names]

    def open(self, folder: Path, row: ManifestRow) -> ToyFolderClip:
        return ToyFolderClip(folder / str(row.source["path"]), row)


class ToyFolderClip(TruthClip):
    opened: ClassVar[list[Path]] = []

    def __init__(self, folder: Path, row: ManifestRow) -> None:
        assert row.source["camera"] == 2
        self.folder = folder
        self.opened.append(folder)
        settings = json.loads((folder / "clip.json").read_text())
        self._shift = int(settings["shift"])
        self.pictures = sorted((folder / "rgb").glob("*.npy"))
        if not self.pictures:
            raise ClipError(f"{folder}: no pictures")
        self.info = ClipInfo(row.dataset, row.id, len(self.pictures), 10.0, True, frozenset({"pose", "depth"}))

    def frame(self, index: int) -> FrameTruth:
        try:
            rgb = torch.from_numpy(np.load(self.folder / "rgb" / f"{index + self._shift:06d}.npy"))
            depth = torch.from_numpy(np.load(self.folder / "depth" / f"{index + self._shift:06d}_d.npy"))
        except (OSError, ValueError, EOFError) as error:
            raise ClipError(f"{self.folder}: frame {index} cannot be read ({error})") from error
        K = torch.tensor([[40.0, 0, WIDTH / 2], [0, 40, HEIGHT / 2], [0, 0, 1]], dtype=torch.float64)
        return FrameTruth(rgb, K, torch.eye(4, dtype=torch.float64), depth)


def write_toy_folders(folder: Path, count: int, shift: int = 0) -> list[ManifestRow]:
    """So many clips, whose frames are numbered from `shift` on; with `shift` -1 the first file is of no frame."""
    random = np.random.default_rng(0)
    for number in range(count):
        clip = folder / f"take.{number}"
        for kind in ("rgb", "depth"):
            (clip / kind).mkdir(parents=True)
        (clip / "clip.json").write_text(json.dumps({"shift": shift}))
        for index in range(FRAMES + shift % 2):
            rgb = random.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            np.save(clip / "rgb" / f"{index:06d}.npy", rgb)
            np.save(clip / "depth" / f"{index:06d}_d.npy", random.uniform(1, 2, (HEIGHT, WIDTH)).astype(np.float32))
    return ToyFolder().find(folder)
