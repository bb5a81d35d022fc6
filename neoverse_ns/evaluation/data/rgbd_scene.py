"""Scenes of one camera whose pictures, and depth pictures of 16 bits, are files of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.datafiles.reading import image_size
from neoverse_ns.datafiles.rgbd_sequence import Lens, depth_seen
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.pictures import read_colours
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known


@dataclass(frozen=True)
class DepthPictures:
    """What the numbers in depth pictures mean.

    Attributes:
        units: Of them in a metre.
        lens: Through which they were seen, from where the colour camera stands; None for its own lens.
        unknown: Numbers beside 0 that mean that depth is not known.
    """

    units: float
    lens: Lens | None = None
    unknown: tuple[int, ...] = ()


@dataclass(frozen=True)
class FrameFiles:
    """A frame, and where it lies.

    Attributes:
        colour: Its picture.
        depth: Its depth picture; None where it has none.
        time: Its number.
        seconds: The same in seconds.
        c2w: Where it was taken; None where that is not known.
    """

    colour: Path
    depth: Path | None
    time: int
    seconds: float
    c2w: Float64[Tensor, "4 4"] | None = None


class RgbdScene(BenchmarkScene):
    """One recording, in metres.

    Args:
        name: Of the scene.
        folder: That its pictures lie below.
        files: Of its frames, by time.
        lens: Of its pictures; None where it is not known.
        depth: What depth pictures mean.

    Raises:
        ClipError: There are no frames, or the first picture is missing.
    """

    unit = 1.0

    def __init__(
        self, name: str, folder: Path, files: Sequence[FrameFiles], lens: Lens | None, depth: DepthPictures
    ) -> None:
        if not files:
            raise ClipError(f"{folder}: scene {name} has no frames")
        self.name, self.folder, self._depth = name, folder, depth
        # One camera took all of them; that this is so is seen when they are read.
        width, height = image_size(files[0].colour)
        K = None if lens is None else lens.at(width, height)
        self._lens = lens
        self._files: Mapping[str, FrameFiles] = {one.colour.relative_to(folder).as_posix(): one for one in files}
        self.frames = tuple(
            BenchmarkFrame(name, "0", one.time, one.seconds, width, height, K, one.c2w)
            for name, one in self._files.items()
        )

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        files, wanted, found = self._files[frame.name], what or ("rgb",), dict[str, Any]()
        if "rgb" in wanted:
            found["rgb"] = torch.from_numpy(read_colours(files.colour, (frame.width, frame.height)))
        if "depth" in wanted and files.depth is not None:
            own = self._depth.lens or self._lens or Lens(torch.eye(3, dtype=torch.float64), (frame.width, frame.height))
            K = own.at(frame.width, frame.height) if frame.K is None else frame.K
            found["depth"] = depth_seen(
                files.depth, self._depth.units, self._depth.unknown, own, K, frame.width, frame.height
            )
        return BenchmarkPixels(**found)

    def lacking_depth(self) -> list[str]:
        """Names of the frames that have no depth picture."""
        return [name for name, files in self._files.items() if files.depth is None or not files.depth.is_file()]
