"""KITTI odometry: drives of a car with two grey and two colour cameras side by side, rectified."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.clip.images import images_in
from neoverse_ns.datafiles.finding import nothing_found
from neoverse_ns.datafiles.reading import image_size, read_table, read_text, rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.pictures import read_colours
from neoverse_ns.evaluation.data.scene import BenchmarkData, BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known

_RATE = 10.0


class KittiScene(BenchmarkScene):
    """One sequence, with as many of the four cameras as there are folders of pictures.

    Attributes:
        folder: Of the data set, with `sequences` and `poses`.
    """

    unit = 1.0

    def __init__(self, root: Path, name: str) -> None:
        self.name, self.folder = name, root
        place = root / "sequences" / name
        if not (place / "calib.txt").is_file():
            raise ClipError(f"{place / 'calib.txt'}: is missing")
        P = _calibration(place / "calib.txt")
        times = read_table(place / "times.txt", 1)[:, 0] if (place / "times.txt").is_file() else None
        poses = _poses(root / "poses" / f"{name}.txt")
        frames: list[BenchmarkFrame] = []
        for camera in sorted(P):
            if not (place / f"image_{camera}").is_dir():
                continue
            K, offset = split_projection(P[camera])
            pictures = images_in(place / f"image_{camera}")
            width, height = image_size(pictures[0])
            for picture in pictures:
                if not picture.stem.isdigit():
                    raise ClipError(f"{picture}: pictures are named by their numbers, as 000000.png")
                at = int(picture.stem)
                seconds = float(times[at]) if times is not None and at < len(times) else at / _RATE
                c2w = poses[at] @ offset if poses is not None and at < len(poses) else None
                file = picture.relative_to(root).as_posix()
                frames.append(BenchmarkFrame(file, str(camera), at, seconds, width, height, K, c2w))
        if not frames:
            raise ClipError(f"{place}: has none of image_0, image_1, image_2 and image_3")
        self.frames = tuple(frames)

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        if "rgb" not in (what or ("rgb",)):
            return BenchmarkPixels()
        colours = read_colours(self.folder / frame.name, (frame.width, frame.height))
        return BenchmarkPixels(torch.from_numpy(colours))


class KittiOdometry(BenchmarkData):
    """`sequences/NN/{image_0..3, calib.txt, times.txt}` and `poses/NN.txt`."""

    name: ClassVar[str] = "kitti-odometry"
    title: ClassVar[str] = "KITTI odometry"
    origin: ClassVar[str] = (
        "KITTI's site: odometry data set (grey 22 GB, or colour 65 GB) and its poses, account needed"
    )
    licence: ClassVar[str] = "CC BY-NC-SA 3.0"
    published_scenes: ClassVar[tuple[str, ...]] = tuple(f"{number:02d}" for number in range(11))

    def find(self, folder: Path) -> list[str]:
        root = _root(folder)
        names = [] if root is None else [place.parent.name for place in (root / "sequences").glob("*/calib.txt")]
        if not names:
            raise nothing_found(folder, self.name, "sequences/00/calib.txt")
        return sorted(names)

    def open(self, folder: Path, scene: str) -> KittiScene:
        root = _root(folder)
        if root is None:
            raise nothing_found(folder, self.name, "sequences/00/calib.txt")
        return KittiScene(root, scene)

    def missing(self, folder: Path, scene: str) -> list[str]:
        found = self.open(folder, scene)
        if found.frames[0].c2w is None:
            return [f"{scene}: {found.folder / 'poses' / scene}.txt is missing, its cameras are not known"]
        return []


def split_projection(P: Float64[Tensor, "3 4"]) -> tuple[Float64[Tensor, "3 3"], Float64[Tensor, "4 4"]]:
    """Intrinsics, and the motion from a camera to the first one, of its projection from there."""
    offset = torch.eye(4, dtype=torch.float64)
    offset[:3, 3] = -torch.linalg.solve(P[:, :3], P[:, 3])
    return P[:, :3].clone(), offset


def _calibration(path: Path) -> dict[int, Float64[Tensor, "3 4"]]:
    """Projections by camera.

    Raises:
        ClipError: There are none, or one is no matrix of 3x4.
    """
    found = {}
    for line in read_text(path).splitlines():
        name, _, numbers = line.partition(":")
        if name[:1] == "P" and name[1:].isdigit():
            try:
                found[int(name[1:])] = torch.from_numpy(np.array(numbers.split(), dtype=np.float64).reshape(3, 4))
            except ValueError as error:
                raise ClipError(f"{path}: {name} is not 3x4 numbers") from error
    if not found:
        raise ClipError(f"{path}: has no line P0: with 12 numbers")
    return found


def _poses(path: Path) -> Float64[Tensor, "n 4 4"] | None:
    """Of the first camera, camera to world; None where the set does not give them."""
    if not path.is_file():
        return None
    top = torch.from_numpy(read_table(path, 12)).view(-1, 3, 4)
    bottom = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=torch.float64).expand(len(top), 1, 4)
    return rigid(torch.cat([top, bottom], dim=1), str(path))


def _root(folder: Path) -> Path | None:
    return next((place for place in (folder, folder / "dataset") if (place / "sequences").is_dir()), None)
