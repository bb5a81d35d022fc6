"""Frames of one rectified ADT sequence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64
from torch import Tensor

from neoverse_ns.datafiles.reading import rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.adt.turn import upright, upright_camera
from neoverse_ns.evaluation.data.json_files import fields_of, read_json
from neoverse_ns.evaluation.data.pictures import averaged, read_colours, read_mask
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known

_DARK = 0.02
"""Share of the light below which the lens shows nothing that a division could bring back."""


@dataclass(frozen=True)
class AdtFrame:
    """One entry of transforms.json, of the picture as it is stored, on its side.

    Attributes:
        image: Relative to the rectified folder.
        nanoseconds: Of its middle.
        width: In pixels.
        height: The same.
        K: Centres at +0.5.
        c2w: Camera to world, OpenCV axes, metres.
    """

    image: str
    nanoseconds: float
    width: int
    height: int
    K: Float64[Tensor, "3 3"]
    c2w: Float64[Tensor, "4 4"]


def read_frames(rectified: Path) -> list[AdtFrame]:
    """The frames of a rectified folder, by time.

    Raises:
        ClipError: transforms.json is missing, or no such list.
    """
    path = rectified / "transforms.json"
    frames = []
    listed = read_json(path)
    with fields_of(path, "a list of rectified frames"):
        for entry in listed["frames"]:
            # The rectifying tool puts the axis at ((w - 1) / 2, (h - 1) / 2): it counts pixels by their centres.
            K = torch.eye(3, dtype=torch.float64)
            K[0, 0], K[1, 1] = float(entry["fx"]), float(entry["fy"])
            K[0, 2], K[1, 2] = float(entry["cx"]) + 0.5, float(entry["cy"]) + 0.5
            c2w = torch.tensor(entry["transform_matrix"], dtype=torch.float64).view(4, 4)
            image = str(entry["image_path"])
            size = (int(entry["w"]), int(entry["h"]))
            frames.append(AdtFrame(image, float(entry["timestamp"]), *size, K, rigid(c2w, f"{path}, {image}")))
    if not frames:
        raise ClipError(f"{path}: names no frame")
    return sorted(frames, key=lambda frame: frame.nanoseconds)


class AdtScene(BenchmarkScene):
    """One sequence.

    Args:
        place: Its folder.
        rectified: Within it.
    """

    unit = 1.0

    def __init__(self, place: Path, rectified: Path) -> None:
        self.name, self.folder, self._rectified = place.name, place, rectified
        listed = read_frames(rectified)
        frames = []
        for number, one in enumerate(listed):
            c2w, K = upright_camera(one.c2w, one.K, one.height)
            frames.append(
                BenchmarkFrame(
                    name=(rectified / one.image).relative_to(place).as_posix(),
                    camera="0",
                    time=number,
                    seconds=(one.nanoseconds - listed[0].nanoseconds) * 1e-9,
                    width=one.height,
                    height=one.width,
                    K=K,
                    c2w=c2w,
                )
            )
        self.frames = tuple(frames)

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        wanted = what or ("rgb",)
        stored = (frame.height, frame.width)
        rgb, masks = None, {}
        if "rgb" in wanted:
            colours = read_colours(self.folder / frame.name, stored)
            rgb = torch.from_numpy(upright(colours if self._light is None else _lit(colours, self._light)))
        if "valid" in wanted:
            masks["valid"] = torch.from_numpy(upright(self._valid(stored)))
        return BenchmarkPixels(rgb=rgb, masks=masks)

    @cached_property
    def _light(self) -> Float32[np.ndarray, "h w 3"] | None:
        """Share of the light that comes through the lens, of the stored pictures; None where nothing tells."""
        path = self._rectified / "vignette.png"
        if not path.is_file():
            return None
        first = self.frames[0]
        return averaged(read_colours(path), (first.height, first.width)).astype(np.float32) / 255

    def _valid(self, stored: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
        path = self._rectified / "mask.png"
        valid = read_mask(path, stored) if path.is_file() else np.ones(stored[::-1], bool)
        return valid if self._light is None else valid & (self._light.min(-1) > _DARK)


def _lit(colours: np.ndarray, light: Float32[np.ndarray, "h w 3"]) -> np.ndarray:
    """Pictures as an even lens would have taken them; what is too bright is cut."""
    return np.clip(np.round(colours / np.maximum(light, _DARK)), 0, 255).astype(np.uint8)
