"""ScanNet++: still rooms, photographed with a fisheye."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.datafiles.finding import nothing_found
from neoverse_ns.datafiles.intrinsics import pinhole
from neoverse_ns.datafiles.reading import rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.json_files import fields_of, read_json
from neoverse_ns.evaluation.data.lens_scene import Bent, LensScene
from neoverse_ns.evaluation.data.missing import lacking
from neoverse_ns.evaluation.data.scene import BenchmarkData, BenchmarkFrame
from neoverse_ns.evaluation.data.undistort import Lens

_TRANSFORMS = "dslr/nerfstudio/transforms.json"
_PICTURES, _MASKS = "dslr/resized_images", "dslr/resized_anon_masks"
_KIND = "a transforms.json of ScanNet++"


class ScanNetPp(BenchmarkData):
    """Pictures of the DSLR as the set's toolbox makes them straight; frames are numbered by name, those kept for
    testing among the others."""

    name: ClassVar[str] = "scannetpp"
    title: ClassVar[str] = "ScanNet++"
    origin: ClassVar[str] = "kaldir.vc.in.tum.de/scannetpp after registration; of every scene dslr/ is needed"
    licence: ClassVar[str] = "ScanNet++ terms of use: non-commercial, not to be passed on"

    def find(self, folder: Path) -> list[str]:
        root = _root(folder)
        found = sorted(path.parents[2].name for path in root.glob(f"*/{_TRANSFORMS}"))
        if not found:
            raise nothing_found(folder, self.name, f"data/<scene>/{_TRANSFORMS}")
        return found

    def open(self, folder: Path, scene: str) -> LensScene:
        place = _root(folder) / scene
        path = place / _TRANSFORMS
        stored = read_json(path)
        with fields_of(path, _KIND):
            if stored.get("camera_model", "OPENCV_FISHEYE") != "OPENCV_FISHEYE":
                raise ClipError(f"{path}: the lens is {stored['camera_model']}, not OPENCV_FISHEYE")
            lens = _lens(stored)
            K = straight_intrinsics(lens)
            test = {_picture(row) for row in stored.get("test_frames", [])}
            rows = sorted([*stored["frames"], *stored.get("test_frames", [])], key=_picture)
            frames, bent = [], {}
            for number, row in enumerate(rows):
                name, c2w = _picture(row), colmap_pose(np.array(row["transform_matrix"], dtype=np.float64))
                frames.append(
                    BenchmarkFrame(
                        name,
                        "0",
                        number,
                        float(number),
                        lens.width,
                        lens.height,
                        pinhole(*K),
                        rigid(c2w, f"{path}, {name}"),
                    )
                )
                mask = place / _MASKS / str(row.get("mask_path") or Path(name).with_suffix(".png").name)
                bent[name] = Bent(lens, K, cv2.BORDER_REFLECT_101, mask)
        return LensScene(scene, place, tuple(frames), bent, frozenset(test))

    def missing(self, folder: Path, scene: str) -> list[str]:
        found = self.open(folder, scene)
        masks = (bent.mask for bent in map(found.bent, found.frames) if bent.mask is not None)
        return [
            *lacking(found.folder, "pictures", (frame.name for frame in found.frames)),
            *lacking(found.folder, "masks", (mask.relative_to(found.folder).as_posix() for mask in masks)),
        ]


def straight_intrinsics(lens: Lens) -> tuple[float, float, float, float]:
    """fx, fy, cx, cy of the pinhole to which the set's toolbox brings its pictures: OpenCV's for a fisheye without
    black borders (balance 0), its axis then put through the middle."""
    K = cv2.fisheye.estimateNewCameraMatrixForUndistortRectify(
        # OpenCV counts whole numbers at pixel centres.
        lens.K - np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]]),
        np.array((*lens.coefficients, 0.0, 0.0, 0.0, 0.0)[:4]),
        (lens.width, lens.height),
        np.eye(3),
        balance=0.0,
    )
    return float(K[0, 0]), float(K[1, 1]), lens.width / 2, lens.height / 2


def colmap_pose(stored: Float64[np.ndarray, "4 4"]) -> Float64[Tensor, "4 4"]:
    """Camera to COLMAP's world, OpenCV axes, of a pose as nerfstudio's files have it: OpenGL axes, and a world whose
    first two axes are swapped and whose third is turned round."""
    pose = torch.from_numpy(stored.copy())
    pose[2] *= -1
    pose = pose[[1, 0, 2, 3]]
    pose[:3, 1:3] *= -1
    return pose


def _lens(stored: dict[str, Any]) -> Lens:
    fx, fy, cx, cy = (float(stored[name]) for name in ("fl_x", "fl_y", "cx", "cy"))
    numbers = tuple(float(stored[name]) for name in ("k1", "k2", "k3", "k4"))
    return Lens(fx, fy, cx, cy, int(stored["w"]), int(stored["h"]), numbers, "fisheye")


def _picture(row: dict[str, Any]) -> str:
    return f"{_PICTURES}/{Path(row['file_path']).name}"


def _root(folder: Path) -> Path:
    return folder / "data" if (folder / "data").is_dir() else folder
