"""DyCheck's scenes as Shape of Motion processed them: cameras refined by COLMAP, masks of full size."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.colmap_files import read_colmap_cameras
from neoverse_ns.evaluation.data.dycheck.files import SPLITS, DyCheckCamera, read_names, scene_folder
from neoverse_ns.evaluation.data.dycheck.layout import FIVE, DyCheck
from neoverse_ns.evaluation.data.dycheck.scene import DyCheckScene
from neoverse_ns.evaluation.data.json_files import fields_of

_SPARSE = "flow3d_preprocessed/colmap/sparse"
_SCALE = "flow3d_preprocessed/colmap/scale.npy"


class DyCheckRefined(DyCheck):
    """Pictures of 720x960 with cameras that COLMAP found, brought to metres by the copy's own scale."""

    name: ClassVar[str] = "dycheck-som"
    title: ClassVar[str] = "DyCheck iPhone, Shape of Motion's cameras"
    origin: ClassVar[str] = "the processed copy named in the README of github.com/vye16/shape-of-motion"
    published_scenes: ClassVar[tuple[str, ...]] = FIVE
    covisible: ClassVar[tuple[str, ...]] = ("flow3d_preprocessed/covisible/1x/val",)

    def open(self, folder: Path, scene: str) -> DyCheckScene:
        place = scene_folder(folder, scene)
        names = read_names(place)
        solved = read_colmap_cameras(place / _SPARSE)
        scale = _scale(place / _SCALE)
        cameras = {}
        for name, _, _ in names.all:
            found = solved.get(f"{name}.png")
            if found is None:
                raise ClipError(f"{place / _SPARSE}: has no picture '{name}.png', which the splits name")
            c2w = found.w2c.inverse()
            c2w[:3, 3] *= scale
            cameras[name] = DyCheckCamera(found.lens, c2w)
        return DyCheckScene(place, names, cameras, self.factor, self.covisible)

    def _marks(self) -> tuple[str, ...]:
        return (*SPLITS, _SPARSE)


def _scale(path: Path) -> float:
    """Metres in one of COLMAP's units."""
    if not path.is_file():
        raise ClipError(f"{path}: is missing")
    with fields_of(path, "one number"):
        scale = float(np.load(path, allow_pickle=False).item())
    if not 0 < scale < float("inf"):
        raise ClipError(f"{path}: a scale of {scale} cannot be")
    return scale
