"""HyperSim: still interiors along a camera's path, in linear colours and distances along each ray.

`ai_VVV_NNN/` (in the folder or in its `scenes`) holds `images/scene_cam_XX_final_hdf5/frame.IIII.color.hdf5`,
`images/scene_cam_XX_geometry_hdf5/frame.IIII.{depth_meters,render_entity_id}.hdf5`, `_detail/metadata_scene.csv`
(metres an asset unit) and `_detail/cam_XX/camera_keyframe_{positions,orientations}.hdf5` in asset units and OpenGL
axes, one for each number IIII. Frames that were never published are left out of the numbers. Projections stand in
`metadata_camera_parameters.csv`, which comes with the set's code (Roberts et al., ICCV 2021).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64, Shaped, UInt8
from torch import Tensor

from neoverse_ns.datafiles.finding import folders_with, nothing_found
from neoverse_ns.datafiles.reading import checked_shape, rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.geometry.se3 import assemble
from neoverse_ns.training.data.motion.static import static_displacement
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.sets.folder import info_of, must_find, numbers_in, path_of, source_of
from neoverse_ns.training.data.sets.hdf5 import hdf5_shape, read_hdf5
from neoverse_ns.training.data.sets.hypersim_tables import is_sheared, metres_a_unit, pinhole_of, projections, splits
from neoverse_ns.training.data.sets.parts import PartsClip
from neoverse_ns.training.data.sets.ray_distance import z_depth
from neoverse_ns.training.data.sets.tone_map import tone_mapped
from neoverse_ns.training.data.truth import Displacement, Part

KEY = "dataset"
"""The one array of each of its HDF5 files."""

FURTHEST = 4
FPS = 1.0
"""They are stills; the number only says that they are in order."""

LICENCE = "CC BY-SA 3.0"
HAS: frozenset[Part] = frozenset(("pose", "depth", "motion"))


class HyperSim(DataSet):
    """The layout of HyperSim. Scenes whose projection is sheared, as tilted lenses do it, are left out."""

    name = "hypersim"

    def find(self, folder: Path) -> list[ManifestRow]:
        scenes = folders_with(folder, "_detail", "images")
        if not scenes:
            raise nothing_found(folder, self.name, "ai_001_001/{_detail,images}")
        table, split = projections(folder), splits(folder)
        rows = [
            row
            for scene in scenes
            if scene.name in table and not is_sheared(table[scene.name])
            for camera in sorted(path.name for path in (scene / "_detail").glob("cam_*") if path.is_dir())
            if (row := _row(folder, scene, camera, split.get(scene.name, "train"))) is not None
        ]
        return must_find(rows, folder, self.name, "images/scene_cam_00_final_hdf5 of scenes that are not sheared")

    def open(self, folder: Path, row: ManifestRow) -> HyperSimClip:
        return HyperSimClip(folder, path_of(folder, row), str(row.source.get("camera")), row)


class HyperSimClip(PartsClip):
    """The pictures of one camera's path, tone-mapped one by one as the set's authors do it."""

    def __init__(self, folder: Path, scene: Path, camera: str, row: ManifestRow) -> None:
        super().__init__(info_of(row, FURTHEST))
        self._colours = scene / "images" / f"scene_{camera}_final_hdf5"
        self._geometry = scene / "images" / f"scene_{camera}_geometry_hdf5"
        self._numbers = _numbers(self._colours)
        if len(self._numbers) != row.frames:
            raise ClipError(
                f"{self._colours}: holds {len(self._numbers)} pictures, not {row.frames}; make the manifest anew"
            )
        table = projections(folder)
        if scene.name not in table:
            raise ClipError(f"{scene}: its projection stands in no metadata_camera_parameters.csv")
        if is_sheared(table[scene.name]):
            raise ClipError(f"{scene}: its projection is sheared, which no pinhole camera is")
        self._size = _size(self._colours, self._numbers[0])
        self._K = pinhole_of(table[scene.name], *self._size)
        self._c2w = _poses(scene / "_detail" / camera, self._numbers, metres_a_unit(scene))

    def rgb(self, index: int) -> UInt8[Tensor, "h w 3"]:
        colour = self._array(self._colours, index, "color", (3,))
        # Pixels that show nothing at all do not count for the exposure.
        entities = self._geometry / _name(self._numbers[index], "render_entity_id")
        counted = self._array(self._geometry, index, "render_entity_id") != -1 if entities.is_file() else None
        return tone_mapped(colour, counted)

    def depth(self, index: int) -> Float32[Tensor, "h w"]:
        distance = self._array(self._geometry, index, "depth_meters")
        return z_depth(torch.from_numpy(distance.astype(np.float64)), self._K)

    def camera(self, index: int) -> tuple[Float64[Tensor, "3 3"], Float64[Tensor, "4 4"]]:
        return self._K, self._c2w[index]

    def displacement(self, index: int, other: int) -> Displacement:
        self.check(other)
        return static_displacement(self.view(index).depth)

    def _array(self, folder: Path, index: int, kind: str, channels: tuple[int, ...] = ()) -> Shaped[np.ndarray, "..."]:
        path = folder / _name(self._numbers[index], kind)
        return checked_shape(read_hdf5(path, KEY), (self._size[1], self._size[0], *channels), str(path))


def _name(number: int, kind: str) -> str:
    return f"frame.{number:04d}.{kind}.hdf5"


def _numbers(colours: Path) -> list[int]:
    return numbers_in(colours, r"frame\.(\d+)\.color\.hdf5")


def _size(colours: Path, number: int) -> tuple[int, int]:
    """Width and height of the pictures, by the header of one."""
    path = colours / _name(number, "color")
    shape = hdf5_shape(path, KEY)
    if len(shape) != 3:
        raise ClipError(f"{path}: holds an array of shape {shape} instead of a picture")
    return shape[1], shape[0]


def _poses(detail: Path, numbers: list[int], metres: float) -> Float64[Tensor, "n 4 4"]:
    """Camera to world of the pictures of these numbers, in metres and OpenCV axes."""
    positions, turns = detail / "camera_keyframe_positions.hdf5", detail / "camera_keyframe_orientations.hdf5"
    t = checked_shape(read_hdf5(positions, KEY), (None, 3), str(positions)).astype(np.float64)
    R = checked_shape(read_hdf5(turns, KEY), (len(t), 3, 3), str(turns)).astype(np.float64)
    indices = detail / "camera_keyframe_frame_indices.hdf5"
    order = read_hdf5(indices, KEY).tolist() if indices.is_file() else list(range(len(t)))
    rows = {number: row for row, number in enumerate(order) if row < len(t)}
    lacking = next((number for number in numbers if number not in rows), None)
    if lacking is not None:
        raise ClipError(f"{detail}: has {len(t)} poses, none of picture {lacking}")
    chosen = [rows[number] for number in numbers]
    opengl = torch.from_numpy(R[chosen]) * torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)
    return rigid(assemble(opengl, torch.from_numpy(t[chosen]) * metres), str(detail))


def _row(folder: Path, scene: Path, camera: str, split: str) -> ManifestRow | None:
    colours = scene / "images" / f"scene_{camera}_final_hdf5"
    numbers = _numbers(colours)
    if not numbers:
        return None
    width, height = 0, 0
    with suppress(ClipError):
        width, height = _size(colours, numbers[0])
    name, source = source_of(folder, scene)
    return ManifestRow(
        f"{name}/{camera}",
        HyperSim.name,
        {**source, "camera": camera},
        len(numbers),
        FPS,
        width,
        height,
        split=split,
        static=True,
        has=HAS,
        licence=LICENCE,
    )
