"""One camera of a file, and the names that say which frame it belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float64
from torch import Tensor

PATH_PREFIX = "neoverse_path_"
"""How names of frames begin that belong to a path of ours in a scene's own world, and to no frame of a clip."""


@dataclass(frozen=True)
class Label:
    """What a file is called.

    Attributes:
        name: Its name without folder and ending; empty where it has none.
        number: The frame it says it belongs to, as it counts them; None where it does not say.
    """

    name: str
    number: int | None

    @property
    def of_path(self) -> bool:
        """Whether it says that it is no frame of a clip, but of a path of ours."""
        return self.name.startswith(PATH_PREFIX)


@dataclass(frozen=True)
class CameraEntry:
    """One camera of a file.

    Attributes:
        label: Which frame it belongs to.
        c2w: Camera-to-world, OpenCV axes.
        K: Intrinsics in pixels of an image of `size`; None where the file has none.
        size: Width and height of that image; None where the file does not say.
        time: Its time as the file counts it, be it seconds or a share of the clip; None where it does not say.
    """

    label: Label
    c2w: Float64[Tensor, "4 4"]
    K: Float64[Tensor, "3 3"] | None = None
    size: tuple[int, int] | None = None
    time: float | None = None


def label(name: str) -> Label:
    """Label of a file name: the stem, and the last number in it, which counts frames of a clip."""
    stem = Path(name).stem
    if stem.startswith(PATH_PREFIX):
        return Label(stem, None)
    digits = re.findall(r"[0-9]+", stem)
    return Label(stem, int(digits[-1]) if digits else None)


def natural(name: str) -> list[tuple[int, str]]:
    """A key that puts 2 before 10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]
