"""MPI Sintel: frames of a film, with cameras, depth and flow."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from neoverse_ns.datafiles.finding import nothing_found
from neoverse_ns.datafiles.intrinsics import pinhole
from neoverse_ns.datafiles.reading import image_size, rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.missing import lacking
from neoverse_ns.evaluation.data.pictures import read_colours
from neoverse_ns.evaluation.data.scene import BenchmarkData, BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.data.sintel.files import read_cam, read_dpt, read_flo
from neoverse_ns.geometry.se3 import assemble, se3_inverse

FOURTEEN = (
    *("alley_2", "ambush_4", "ambush_5", "ambush_6", "cave_2", "cave_4", "market_2", "market_5", "market_6"),
    *("shaman_3", "sleeping_1", "sleeping_2", "temple_2", "temple_3"),
)
"""Sequences whose camera moves far enough to be measured."""

MOVING_PIXELS = 13.75
"""Pixels by which flow must differ from what the camera's motion alone explains, for a pixel to count as moving; as
MonST3R's preparation of the set has it."""

_PASS, _CAMERAS, _DEPTH, _FLOW, _RATE = "final", "camdata_left", "depth", "flow", 24.0


class SintelScene(BenchmarkScene):
    """One sequence of the final pass; its folder is that of the training set."""

    unit = 1.0

    def __init__(self, root: Path, name: str) -> None:
        self.name, self.folder = name, root
        pictures = sorted((root / _PASS / name).glob("frame_*.png"))
        if not pictures:
            raise ClipError(f"{root / _PASS / name}: has no frame_0001.png")
        width, height = image_size(pictures[0])
        frames = []
        for number, picture in enumerate(pictures):
            K, w2c = read_cam(root / _CAMERAS / name / f"{picture.stem}.cam")
            motion = torch.from_numpy(w2c)
            c2w = se3_inverse(rigid(assemble(motion[:, :3], motion[:, 3]), str(picture)))
            lens = pinhole(K[0, 0], K[1, 1], K[0, 2], K[1, 2], (width, height))
            place = f"{_PASS}/{name}/{picture.name}"
            frames.append(BenchmarkFrame(place, "0", number, number / _RATE, width, height, lens, c2w))
        self.frames = tuple(frames)

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        wanted, found = what or ("rgb",), dict[str, Any](masks={})
        if "rgb" in wanted:
            found["rgb"] = torch.from_numpy(read_colours(self.folder / frame.name, (frame.width, frame.height)))
        if "depth" in wanted and self._file(_DEPTH, frame, "dpt").is_file():
            found["depth"] = torch.from_numpy(self._depth(frame))
        if "dynamic" in wanted and (mask := self._moving(frame)) is not None:
            found["masks"]["dynamic"] = mask
        return BenchmarkPixels(**found)

    def _file(self, folder: str, frame: BenchmarkFrame, suffix: str) -> Path:
        return self.folder / folder / self.name / f"{Path(frame.name).stem}.{suffix}"

    def _depth(self, frame: BenchmarkFrame) -> np.ndarray:
        path = self._file(_DEPTH, frame, "dpt")
        depth = read_dpt(path)
        if depth.shape != (frame.height, frame.width):
            raise ClipError(f"{path}: {depth.shape[1]}x{depth.shape[0]} pixels, not {frame.width}x{frame.height}")
        return depth

    def _moving(self, frame: BenchmarkFrame) -> Bool[Tensor, "h w"] | None:
        """Pixels whose flow is not the camera's; None for the last frame, and where flow or depth is missing."""
        flow = self._file(_FLOW, frame, "flo")
        if frame.time + 1 >= len(self.frames) or not flow.is_file() or not self._file(_DEPTH, frame, "dpt").is_file():
            return None
        still = still_flow(torch.from_numpy(self._depth(frame)).double(), frame, self.frames[frame.time + 1])
        return (torch.from_numpy(read_flo(flow)).double() - still).norm(dim=-1) > MOVING_PIXELS


class Sintel(BenchmarkData):
    """The training set, or the folder that it lies in."""

    name: ClassVar[str] = "sintel"
    title: ClassVar[str] = "MPI Sintel"
    origin: ClassVar[str] = "the MPI Sintel site: training images, depth and cameras, flow; no account"
    licence: ClassVar[str] = "for research; see the site"
    published_scenes: ClassVar[tuple[str, ...]] = FOURTEEN

    def find(self, folder: Path) -> list[str]:
        root = _root(folder)
        if root is None:
            raise nothing_found(folder, self.name, f"training/{_PASS} and training/{_CAMERAS}")
        found = sorted(place.name for place in (root / _PASS).iterdir() if (root / _CAMERAS / place.name).is_dir())
        if not found:
            raise nothing_found(folder, self.name, f"sequences in both {_PASS} and {_CAMERAS}")
        return found

    def open(self, folder: Path, scene: str) -> SintelScene:
        root = _root(folder)
        if root is None:
            raise nothing_found(folder, self.name, f"training/{_PASS} and training/{_CAMERAS}")
        return SintelScene(root, scene)

    def missing(self, folder: Path, scene: str) -> list[str]:
        found = self.open(folder, scene)
        names = [Path(frame.name).stem for frame in found.frames]
        depth = lacking(found.folder, f"depth maps of {scene}", (f"{_DEPTH}/{scene}/{name}.dpt" for name in names))
        return depth + lacking(
            found.folder, f"flow maps of {scene}", (f"{_FLOW}/{scene}/{name}.flo" for name in names[:-1])
        )


def still_flow(depth: Float64[Tensor, "h w"], frame: BenchmarkFrame, other: BenchmarkFrame) -> Float64[Tensor, "h w 2"]:
    """Flow in pixels from one frame to another of what does not move, by its depth and both cameras."""
    assert frame.K is not None
    assert frame.c2w is not None
    assert other.K is not None
    assert other.c2w is not None
    y, x = torch.meshgrid(
        torch.arange(depth.shape[0]).double() + 0.5, torch.arange(depth.shape[1]).double() + 0.5, indexing="ij"
    )
    pixels = torch.stack([x, y, torch.ones_like(x)], dim=-1)
    points = (pixels @ torch.linalg.inv(frame.K).mT) * depth[..., None]
    motion = se3_inverse(other.c2w) @ frame.c2w
    seen = (points @ motion[:3, :3].mT + motion[:3, 3]) @ other.K.mT
    return seen[..., :2] / seen[..., 2:].clamp_min(1e-9) - pixels[..., :2]


def _root(folder: Path) -> Path | None:
    places = (folder, folder / "training")
    return next((place for place in places if all((place / name).is_dir() for name in (_PASS, _CAMERAS))), None)
