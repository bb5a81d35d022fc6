"""Scenes in the WAI format, in which many public sets are distributed: pictures, poses, depth, no motion.

A scene is a folder with `scene_meta.json` (Keetha et al., "MapAnything", 2025): `frames`, each with a picture, perhaps
a depth map as EXR, and `transform_matrix`, camera to world in the axes that `camera_convention` names; intrinsics
(`fl_x`, `fl_y`, `cx`, `cy`, `w`, `h`) stand in each frame, or once for all.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from neoverse_ns.datafiles.finding import clip_name, folders_with, nothing_found
from neoverse_ns.datafiles.intrinsics import pinhole, scaled
from neoverse_ns.datafiles.reading import checked_shape, read_array, read_rgb, read_text, rigid
from neoverse_ns.errors import ClipError, PackageError
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.truth import ClipInfo, FrameTruth, Part, TruthClip

NAME = "wai"
META = "scene_meta.json"
STATIC = {"ase", "blendedmvs", "dl3dv", "eth3d", "scannetpp", "scannetppv2"}
"""Sets in which nothing moves, as their scenes name them; of others that is not known."""
_FURTHEST = 4
_OPENGL = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64))
_EXR = "OPENCV_IO_ENABLE_OPENEXR"


class Wai(DataSet):
    """Folders that hold `scene_meta.json`."""

    name: ClassVar[str] = NAME

    def find(self, folder: Path) -> list[ManifestRow]:
        scenes = folders_with(folder, META)
        if not scenes:
            raise nothing_found(folder, NAME, f"SCENE/{META}")
        return [_row(folder, scene) for scene in scenes]

    def open(self, folder: Path, row: ManifestRow) -> TruthClip:
        return WaiClip(folder / str(row.source.get("path", "")), row)


class WaiClip(TruthClip):
    """One scene; its frames are taken in the order in which it lists them."""

    def __init__(self, folder: Path, row: ManifestRow) -> None:
        self._folder, self._meta = folder, _meta(folder)
        self._frames: list[dict[str, Any]] = self._meta["frames"]
        if len(self._frames) != row.frames:
            raise ClipError(
                f"{folder / META}: has {len(self._frames)} frames, not {row.frames}; make the manifest anew"
            )
        self.info = ClipInfo(NAME, row.id, row.frames, row.fps, row.static, row.has, furthest=_FURTHEST)

    def frame(self, index: int) -> FrameTruth:
        if not 0 <= index < len(self._frames):
            raise ClipError(f"{self._folder}: has frames 0 to {len(self._frames) - 1}, none numbered {index}")
        frame, what = self._frames[index], f"{self._folder / META}, frame {index}"
        rgb = read_rgb(self._folder / _file(frame, self._meta, "image", what))
        height, width = rgb.shape[:2]
        depth = None
        if "depth" in self.info.has:
            depth = _depth(self._folder / _file(frame, self._meta, "depth", what), (height, width))
        try:
            K = _intrinsics({**self._meta, **frame}, width, height)
            pose = torch.tensor(frame["transform_matrix"], dtype=torch.float64) if "pose" in self.info.has else None
        except (KeyError, TypeError, ValueError) as error:
            raise ClipError(f"{what}: has no usable camera ({error})") from error
        if pose is not None:
            pose = rigid(checked_shape(pose, (4, 4), what), what)
            pose = pose @ _OPENGL if self._meta.get("camera_convention", "opencv") == "opengl" else pose
        return FrameTruth(rgb, K, pose, depth)


def read_exr(path: Path) -> Float32[np.ndarray, "h w"]:
    """The first channel of an EXR picture of floating-point numbers.

    Raises:
        ClipError: It is missing or damaged.
        PackageError: OpenCV was built without EXR.
    """
    if not path.is_file():
        raise ClipError(f"{path}: is missing")
    # OpenCV looks at this when it meets its first EXR file.
    os.environ.setdefault(_EXR, "1")
    try:
        values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        if "OPENEXR" in str(error).upper() and "disabled" in str(error):
            raise PackageError(
                f"{path}: OpenCV does not read EXR here: set {_EXR}=1, and install opencv-python with EXR"
            ) from error
        raise ClipError(f"{path}: is broken; replace or remove it") from error
    if values is None:
        raise ClipError(f"{path}: is broken, or no EXR; replace or remove it")
    return np.ascontiguousarray(values if values.ndim == 2 else values[..., -1], dtype=np.float32)


def _depth(path: Path, size: tuple[int, int]) -> Float32[Tensor, "h w"]:
    values = read_array(path, (None, None)) if path.suffix == ".npy" else read_exr(path)
    depth = torch.from_numpy(np.asarray(checked_shape(values, size, str(path)), dtype=np.float32))
    return torch.where(torch.isfinite(depth) & (depth > 0), depth, 0)


def _intrinsics(camera: dict[str, Any], width: int, height: int) -> Float64[Tensor, "3 3"]:
    size = int(camera.get("w", width)), int(camera.get("h", height))
    fx, fy, cx, cy = (float(camera[name]) for name in ("fl_x", "fl_y", "cx", "cy"))
    K = pinhole(fx, fy, cx, cy, size)
    return K if size == (width, height) else scaled(K, size, (width, height))


def _file(frame: dict[str, Any], meta: dict[str, Any], modality: str, what: str) -> str:
    found = frame.get(_key(meta, modality), frame.get("file_path") if modality == "image" else None)
    if not isinstance(found, str):
        raise ClipError(f"{what}: names no {modality}")
    return found


def _key(meta: dict[str, Any], modality: str) -> str:
    """Under which name frames have their picture, or their depth."""
    told = meta.get("frame_modalities", {}).get(modality, {})
    return str(told.get("frame_key", modality)) if isinstance(told, dict) else modality


def _meta(folder: Path) -> dict[str, Any]:
    path = folder / META
    try:
        meta = json.loads(read_text(path))
    except ValueError as error:
        raise error if isinstance(error, ClipError) else ClipError(f"{path}: is no JSON ({error})") from error
    frames = meta.get("frames") if isinstance(meta, dict) else None
    if not isinstance(frames, list) or not frames or not all(isinstance(frame, dict) for frame in frames):
        raise ClipError(f"{path}: lists no frames")
    if str(meta.get("camera_model", "PINHOLE")).upper() != "PINHOLE":
        raise ClipError(f"{path}: has lenses of kind {meta['camera_model']}; only PINHOLE can be read: undistort first")
    if meta.get("camera_convention", "opencv") not in ("opencv", "opengl"):
        raise ClipError(f"{path}: has axes '{meta['camera_convention']}'; there are opencv and opengl")
    return meta


def _row(folder: Path, scene: Path) -> ManifestRow:
    meta, path = _meta(scene), clip_name(folder, scene)
    first: dict[str, Any] = {**meta, **meta["frames"][0]}
    has: set[Part] = set()
    if all("transform_matrix" in frame for frame in meta["frames"]):
        has.add("pose")
    if _key(meta, "depth") in meta["frames"][0]:
        has.add("depth")
    static = str(meta.get("dataset_name", "")).lower() in STATIC
    if static and has == {"pose", "depth"}:
        has.add("motion")
    return ManifestRow(
        id=path,
        dataset=NAME,
        source={"path": path},
        frames=len(meta["frames"]),
        fps=float(meta.get("fps", 30.0)),
        width=int(first.get("w", 0)),
        height=int(first.get("h", 0)),
        static=static,
        has=frozenset(has),
    )
