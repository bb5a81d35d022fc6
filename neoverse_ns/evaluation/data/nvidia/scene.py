"""Frames of NVIDIA's dynamic scenes, in whichever copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.evaluation.data.pictures import averaged, read_colours, read_mask
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known

TWELVE = tuple(str(number) for number in range(1, 13))
"""The rig's cameras, as files number them; "0" is the one that jumps from one of them to the next."""

SEVEN = ("Balloon1", "Balloon2", "Jumping", "Playground", "Skating", "Truck", "Umbrella")
"""Scenes that tables use."""

LICENCE = "no licence is found with the recordings of Yoon and others (2020)"

FPS = 30.0
"""Times in a second; the copies do not tell, and nothing that is measured depends on it."""


@dataclass(frozen=True)
class NvidiaFrame:
    """One picture.

    Attributes:
        name: Within the scene's folder.
        camera: "0" or one of `TWELVE`.
        time: Of the copy.
        K: At the size at which the scene is read.
        c2w: Camera to world, OpenCV axes.
        mask: Within the scene's folder, of what moves; None where there is none.
    """

    name: str
    camera: str
    time: int
    K: Float64[Tensor, "3 3"]
    c2w: Float64[Tensor, "4 4"]
    mask: str | None = None


class NvidiaScene(BenchmarkScene):
    """One scene; all pictures are brought to one size.

    Args:
        place: Its folder.
        frames: In any order.
        size: Width and height of what is read.
    """

    def __init__(self, place: Path, frames: Sequence[NvidiaFrame], size: tuple[int, int]) -> None:
        self.name, self.folder = place.name, place
        self._masks: Mapping[str, str | None] = {frame.name: frame.mask for frame in frames}
        self.frames = tuple(
            BenchmarkFrame(one.name, one.camera, one.time, one.time / FPS, *size, K=one.K, c2w=one.c2w)
            for one in sorted(frames, key=lambda frame: (int(frame.camera), frame.time))
        )

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        wanted = what or ("rgb",)
        size = (frame.width, frame.height)
        rgb = None
        if "rgb" in wanted:
            rgb = torch.from_numpy(averaged(read_colours(self.folder / frame.name), size))
        masks = {}
        mask = self._masks[frame.name]
        if "dynamic" in wanted and mask is not None and (self.folder / mask).is_file():
            masks["dynamic"] = torch.from_numpy(read_mask(self.folder / mask, size, above=0).copy())
        return BenchmarkPixels(rgb=rgb, masks=masks)

    def lacks(self, frame: BenchmarkFrame, *what: Known) -> list[str]:
        files = [frame.name] if "rgb" in what else []
        if "dynamic" in what:
            files.append(self._masks[frame.name] or f"a mask of {frame.name}")
        return [name for name in files if not (self.folder / name).is_file()]
