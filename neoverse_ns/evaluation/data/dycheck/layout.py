"""DyCheck's iPhone scenes: a moving camera, and up to two that stand still beside it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from neoverse_ns.datafiles.finding import clip_name, folders_with, nothing_found
from neoverse_ns.evaluation.data.dycheck.files import SPLITS, read_camera, read_names, scene_folder
from neoverse_ns.evaluation.data.dycheck.scene import DyCheckScene
from neoverse_ns.evaluation.data.missing import lacking
from neoverse_ns.evaluation.data.scene import BenchmarkData

FIVE = ("apple", "block", "paper-windmill", "spin", "teddy")
"""Scenes that most later papers use."""

SEVEN = ("apple", "block", "paper-windmill", "space-out", "spin", "teddy", "wheel")
"""Scenes that have test cameras."""


class DyCheck(BenchmarkData):
    """Pictures of 720x960 with the set's own cameras."""

    name: ClassVar[str] = "dycheck"
    title: ClassVar[str] = "DyCheck iPhone"
    origin: ClassVar[str] = (
        "Google Drive folder named in the README of github.com/KAIR-BAIR/dycheck (docs/DATASETS.md), about 28 GB"
    )
    licence: ClassVar[str] = "the code is under Apache-2.0; no other terms are given for the pictures"
    published_scenes: ClassVar[tuple[str, ...]] = SEVEN
    factor: ClassVar[Literal[1, 2]] = 1
    """By which the pictures that are read are reduced."""
    covisible: ClassVar[tuple[str, ...]] = ("covisible/1x/val", "covisible/2x/val")
    """Folders of masks of covisibility; the first one that is there is read."""

    def find(self, folder: Path) -> list[str]:
        scenes = folders_with(folder, *self._marks(), deepest=1) if folder.is_dir() else []
        if not scenes:
            raise nothing_found(folder, self.name, ", ".join(self._marks()))
        return [clip_name(folder, scene) for scene in scenes]

    def open(self, folder: Path, scene: str) -> DyCheckScene:
        place = scene_folder(folder, scene)
        names = read_names(place)
        cameras = {name: read_camera(place / "camera" / f"{name}.json") for name, _, _ in names.all}
        return DyCheckScene(place, names, cameras, self.factor, self.covisible)

    def missing(self, folder: Path, scene: str) -> list[str]:
        place = scene_folder(folder, scene)
        names = read_names(place)
        size = f"{self.factor}x"
        found = lacking(place, "pictures of the input camera", (f"rgb/{size}/{name}.png" for name, _, _ in names.train))
        found += lacking(place, "pictures of test cameras", (f"rgb/{size}/{name}.png" for name, _, _ in names.val))
        found += lacking(place, "depth maps", (f"depth/{size}/{name}.npy" for name, _, _ in names.train))
        masks = next((masks for masks in self.covisible if (place / masks).is_dir()), self.covisible[0])
        return found + lacking(place, "masks of covisibility", (f"{masks}/{name}.png" for name, _, _ in names.val))

    def _marks(self) -> tuple[str, ...]:
        return (*SPLITS, "camera")


class DyCheckHalf(DyCheck):
    """The set's own halved pictures, 360x480, on which its tables are made."""

    name: ClassVar[str] = "dycheck-2x"
    title: ClassVar[str] = "DyCheck iPhone, halved"
    factor: ClassVar[Literal[1, 2]] = 2
    covisible: ClassVar[tuple[str, ...]] = ("covisible/2x/val",)
