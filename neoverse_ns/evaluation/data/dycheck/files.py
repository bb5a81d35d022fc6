"""Lists and cameras of a DyCheck scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.datafiles.finding import no_folder
from neoverse_ns.datafiles.reading import rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.json_files import fields_of, read_json
from neoverse_ns.evaluation.data.undistort import Lens

SPLITS = ("splits/train.json", "splits/val.json")
"""Lists of the frames of the input camera and of the test cameras."""

_FPS = 30.0
"""Frames in a second where extra.json does not tell."""

Named = tuple[str, str, int]
"""A frame: its name, its camera, its time."""


@dataclass(frozen=True)
class DyCheckNames:
    """Frames of a scene.

    Attributes:
        train: Of the input camera.
        val: Of the test cameras; empty in scenes without any.
        fps: Times in a second.
    """

    train: tuple[Named, ...]
    val: tuple[Named, ...]
    fps: float

    @property
    def all(self) -> tuple[Named, ...]:
        """By camera, then by time."""
        return tuple(sorted(self.train + self.val, key=lambda frame: frame[1:]))


@dataclass(frozen=True)
class DyCheckCamera:
    """One camera at one time.

    Attributes:
        lens: For pictures of full size.
        c2w: Camera to world, OpenCV axes, metres.
    """

    lens: Lens
    c2w: Float64[Tensor, "4 4"]


def scene_folder(folder: Path, scene: str) -> Path:
    """Where a scene lies.

    Raises:
        ClipError: There is no such folder.
    """
    place = folder / scene
    if not place.is_dir():
        raise no_folder(place)
    return place


def read_names(place: Path) -> DyCheckNames:
    """The lists of a scene.

    Raises:
        ClipError: One is missing or is no such list, or two frames are of one camera and time.
    """
    extra = place / "extra.json"
    fps = _FPS
    if extra.is_file():
        with fields_of(extra, "what DyCheck says of a scene"):
            fps = float(read_json(extra).get("fps", _FPS))
            if not 0 < fps < float("inf"):
                raise ValueError(f"fps is {fps}")
    names = DyCheckNames(_split(place / SPLITS[0]), _split(place / SPLITS[1]), fps)
    if not names.train:
        raise ClipError(f"{place / SPLITS[0]}: names no frame")
    if len({frame[1:] for frame in names.all}) < len(names.all):
        raise ClipError(f"{place}: two frames of its splits are of one camera and time")
    return names


def read_camera(path: Path) -> DyCheckCamera:
    """A camera's file.

    Raises:
        ClipError: It is missing, or is no such camera.
    """
    camera = read_json(path)
    with fields_of(path, "a camera of DyCheck"):
        width, height = (int(side) for side in camera["image_size"])
        focal, (cx, cy) = float(camera["focal_length"]), map(float, camera["principal_point"])
        k1, k2, k3 = map(float, camera.get("radial_distortion", (0, 0, 0)))
        p1, p2 = map(float, camera.get("tangential_distortion", camera.get("tangential", (0, 0))))
        lens = Lens(
            focal,
            focal * float(camera.get("pixel_aspect_ratio", 1)),
            cx,
            cy,
            width,
            height,
            (k1, k2, p1, p2, k3),
            skew=float(camera.get("skew", 0)),
        )
        c2w = torch.eye(4, dtype=torch.float64)
        # The file's rows are the camera's axes: it turns the world into the camera.
        c2w[:3, :3] = torch.tensor(camera["orientation"], dtype=torch.float64).mT
        c2w[:3, 3] = torch.tensor(camera["position"], dtype=torch.float64)
    if min(width, height) < 2 or not focal > 0:
        raise ClipError(f"{path}: a picture of {width}x{height} with a focal length of {focal} cannot be")
    return DyCheckCamera(lens, rigid(c2w, str(path)))


def _split(path: Path) -> tuple[Named, ...]:
    found = read_json(path)
    with fields_of(path, "a split of DyCheck"):
        lists = [found[key] for key in ("frame_names", "camera_ids", "time_ids")]
        return tuple((str(name), str(int(camera)), int(time)) for name, camera, time in zip(*lists, strict=True))
