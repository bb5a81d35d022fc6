"""The seam between layouts of benchmark data and everything that measures: frames by camera and time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from jaxtyping import Bool, Float32, Float64, UInt8
from torch import Tensor

Known = Literal["rgb", "depth", "valid", "covis", "dynamic"]
"""What may be read of a frame: its picture; z-depth; pixels that show anything (transparency, a lens's border, what was
made unrecognisable); those that the input camera saw at some time; those that move on their own."""


@dataclass(frozen=True)
class BenchmarkFrame:
    """One frame as its files' headers tell, before any picture is read.

    Attributes:
        name: Of its picture, relative to the scene's folder, with forward slashes; no other frame of the scene has it.
        camera: Which camera took it; the moving input camera of a set with several is "0".
        time: Its number in the source; frames of one number show one instant.
        seconds: The same in seconds.
        width: Of the picture as it is read, in pixels.
        height: The same.
        K: Intrinsics in those pixels, centres at +0.5, of a pinhole: lenses that bend lines are undone in reading. None
            where the set does not tell.
        c2w: Camera to world, OpenCV axes, in the set's own world and unit; None where it does not tell.
    """

    name: str
    camera: str
    time: int
    seconds: float
    width: int
    height: int
    K: Float64[Tensor, "3 3"] | None = None
    c2w: Float64[Tensor, "4 4"] | None = None


@dataclass(frozen=True)
class BenchmarkPixels:
    """What was asked for of a frame; None or absent where the set does not have it.

    Attributes:
        rgb: As filmed, seen by a pinhole.
        depth: z-depth in the set's unit, 0 where unknown.
        masks: "valid", "covis" and "dynamic" as far as known, each True where it holds.
    """

    rgb: UInt8[Tensor, "h w 3"] | None = None
    depth: Float32[Tensor, "h w"] | None = None
    masks: Mapping[str, Bool[Tensor, "h w"]] = field(default_factory=dict)


class BenchmarkScene(ABC):
    """A scene of a data set. Pictures are read when they are asked for, and not kept.

    Attributes:
        name: As protocols and tables call it.
        folder: Where it lies.
        frames: Of all cameras, by camera, then by time.
        unit: Metres per unit of the world; None where nobody knows.
        held_out: Names of the frames that the set's own split keeps for testing; empty where it has none.
    """

    name: str
    folder: Path
    frames: tuple[BenchmarkFrame, ...]
    unit: float | None = None
    held_out: frozenset[str] = frozenset()

    @abstractmethod
    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        """Read some of what is known of a frame.

        Args:
            frame: One of `frames`.
            what: "rgb" where nothing is named.

        Raises:
            ClipError: A file is missing or damaged; names it.
        """

    def lacks(self, frame: BenchmarkFrame, *what: Known) -> list[str]:
        """Which files of a frame are not there; empty where all are, or where frames have no files of their own.

        Args:
            frame: One of `frames`.
            what: Is wanted of it. Unless a layout knows better, of its picture alone something can be told, and that
                where pictures are files under the frames' names.
        """
        if "rgb" not in what or (self.folder / frame.name).is_file():
            return []
        return [frame.name] if self._has_files else []

    @cached_property
    def _has_files(self) -> bool:
        return any((self.folder / one.name).is_file() for one in self.frames)


class BenchmarkData(ABC):
    """A layout of a data set.

    Attributes:
        name: In protocols and on the command line.
        title: For people.
        origin: Where it is to be had, and what must be done for it.
        licence: Under which terms.
        published_scenes: By their folders' names, those that the set's own tables use; empty where any folder serves.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    origin: ClassVar[str]
    licence: ClassVar[str]
    published_scenes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def find(self, folder: Path) -> list[str]:
        """Names of the scenes in a folder, by name; reads names and headers alone.

        Raises:
            ClipError: There is none, or the folder is of another layout; says what was looked for.
        """

    @abstractmethod
    def open(self, folder: Path, scene: str) -> BenchmarkScene:
        """Open a scene, reading its cameras and names of files but no pictures.

        Raises:
            ClipError: It is not there, or not complete enough to say what its frames are; names the file.
        """

    def missing(self, folder: Path, scene: str) -> list[str]:
        """What a protocol may want of a scene and this folder lacks, a sentence each: files that its tables name,
        masks, depth. Nothing that would keep :meth:`open` from working counts here."""
        return []
