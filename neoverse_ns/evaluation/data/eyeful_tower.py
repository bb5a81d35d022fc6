"""EyefulTower (VR-NeRF): still rooms, photographed by a rig of many cameras on its way through."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from neoverse_ns.datafiles.finding import clip_name, folders_with, nothing_found
from neoverse_ns.datafiles.reading import image_size, rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.json_files import fields_of, read_json
from neoverse_ns.evaluation.data.lens_scene import Bent, LensScene
from neoverse_ns.evaluation.data.missing import lacking
from neoverse_ns.evaluation.data.scene import BenchmarkData, BenchmarkFrame
from neoverse_ns.evaluation.data.undistort import Lens
from neoverse_ns.geometry.se3 import se3_inverse

SIX = ("apartment", "kitchen", "office1b", "office_view1", "office_view2", "riverview")
"""Scenes of the second rig, whose lenses are no fisheyes."""

PICTURES = "images-jpeg-1k"
"""Folder of the pictures that are read: of about 684x1024, by the set's own reduction."""

_MODEL = "RadialAndTangential"


class EyefulTower(BenchmarkData):
    """Pictures of 1k of the rig with pinhole lenses, lines made straight. A camera is a sensor of the rig, a time one
    of its positions: nothing moves."""

    name: ClassVar[str] = "eyeful-tower"
    title: ClassVar[str] = "EyefulTower (VR-NeRF)"
    origin: ClassVar[str] = "AWS open data, no account (github.com/facebookresearch/EyefulTower): images-jpeg-1k, JSON"
    licence: ClassVar[str] = "CC BY-NC 4.0"
    published_scenes: ClassVar[tuple[str, ...]] = SIX

    def find(self, folder: Path) -> list[str]:
        found = folders_with(folder, "cameras.json", PICTURES, deepest=2) if folder.is_dir() else []
        if not found:
            raise nothing_found(folder, self.name, f"cameras.json and {PICTURES}")
        return [clip_name(folder, place) for place in found]

    def open(self, folder: Path, scene: str) -> LensScene:
        place = folder / scene
        rows = _rows(place / "cameras.json")
        size = image_size(place / _picture(rows[0]["cameraId"]))
        frames, bent = [], {}
        for row in rows:
            with fields_of(place / "cameras.json", "a list of cameras as EyefulTower has it"):
                frame, lens = _frame(row, size, place)
            frames.append(frame)
            bent[frame.name] = Bent(lens)
        frames.sort(key=lambda frame: (int(frame.camera), frame.time, frame.name))
        name = place.resolve().name if scene == "." else scene
        return LensScene(name, place, tuple(frames), bent, _held_out(place / "splits.json", rows))

    def missing(self, folder: Path, scene: str) -> list[str]:
        place = folder / scene
        gone = lacking(place, "pictures", (_picture(row["cameraId"]) for row in _rows(place / "cameras.json")))
        if not (place / "splits.json").is_file():
            gone.append(f"{scene}: splits.json is missing, so nobody knows which camera is kept for testing")
        return gone


def _rows(path: Path) -> list[dict[str, Any]]:
    with fields_of(path, "a list of cameras as EyefulTower has it"):
        rows = read_json(path)["KRT"]
        for row in rows:
            if row["distortionModel"] != _MODEL:
                raise ClipError(
                    f"{path}: lens {row['distortionModel']} is not read here: give a scene of {', '.join(SIX)}"
                )
            row["cameraId"] = str(row["cameraId"])
    if not rows:
        raise ClipError(f"{path}: has no cameras")
    return rows


def _frame(row: dict[str, Any], size: tuple[int, int], place: Path) -> tuple[BenchmarkFrame, Lens]:
    """A frame and its lens, at the size of the pictures; both matrices are stored column by column."""
    K = np.array(row["K"], dtype=np.float64).reshape(3, 3).T
    w2c = torch.from_numpy(np.array(row["T"], dtype=np.float64).reshape(4, 4).T.copy())
    numbers = tuple(float(value) for value in row["distortion"])
    full = Lens(K[0, 0], K[1, 1], K[0, 2], K[1, 2], int(row["width"]), int(row["height"]), numbers, skew=K[0, 1])
    lens = full.scaled(*size)
    name, time = _picture(row["cameraId"]), int(row["frameId"])
    c2w = se3_inverse(rigid(w2c, f"{place / 'cameras.json'}, {row['cameraId']}"))
    # The rig takes its pictures standing still; seconds only tell their order.
    frame = BenchmarkFrame(
        name, str(int(row["sensorId"])), time, float(time), *size, K=torch.from_numpy(lens.K), c2w=c2w
    )
    return frame, lens


def _picture(camera_id: str) -> str:
    return f"{PICTURES}/{camera_id}.jpg"


def _held_out(path: Path, rows: list[dict[str, Any]]) -> frozenset[str]:
    """Pictures of the split for tests; none where the file is missing."""
    if not path.is_file():
        return frozenset()
    with fields_of(path, "a split into train and test"):
        # Names begin with their camera's, so that the last part of a path tells a picture from all others.
        test = {Path(str(name)).stem for name in read_json(path)["test"]}
    return frozenset(_picture(row["cameraId"]) for row in rows if Path(row["cameraId"]).stem in test)
