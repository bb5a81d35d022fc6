"""The seam of everything that is measured of a video by itself: frames go in one after the other."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.errors import NeoVerseError

Frame = UInt8[Tensor, "h w 3"]


class VideoMeasure(ABC):
    """A figure of a video, the mean of values that belong to single frames.

    Attributes:
        id: As in protocols.
        values: By the number of the frame that each belongs to, as far as frames were added.
        why_not: Why there are none although all frames were shown; None where there are.
    """

    id: str
    why_not: str | None = None

    def __init__(self) -> None:
        self.values: dict[int, float] = {}

    @abstractmethod
    def add(self, frame: Frame) -> None:
        """Take the next frame: RGB in 8 bits, of one size throughout, none left out."""

    def finish(self) -> None:  # noqa: B027 - few have anything left to do.
        """Take note that there are no more frames; what still waits is measured."""

    @property
    def mean(self) -> float:
        """Over the frames that have a value; NaN where none has."""
        return math.fsum(self.values.values()) / len(self.values) if self.values else math.nan


class NotMeasuredError(NeoVerseError):
    """A dimension cannot be measured here: the message says what is missing, whence it comes and where to put it."""
