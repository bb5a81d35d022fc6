"""What a camera solver is given, and what it must answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry


@dataclass(frozen=True)
class CameraTask:
    """A scene's frames, the same for every solver.

    Attributes:
        scene: Its name.
        clip: The frames at the size that our own solvers work at.
        write: Writes the same frames, decoded the same way, at the source's size into a new folder, in the order of
            their names; returns it.
        whole: Every pair of frames may be matched: photos, or few images; else they follow each other.
        work: Folder of this scene, which solvers may share matches in.
        seed: Of everything random.
        known_K: True intrinsics at the clip's size, for methods that are to be told them.
        every_depth: Depth of every frame is asked for, too.
    """

    scene: str
    clip: Clip
    write: Callable[[Path], Path]
    whole: bool
    work: Path
    seed: int = 0
    known_K: Float64[Tensor, "3 3"] | None = None
    every_depth: bool = False


@dataclass(frozen=True)
class CamerasFound:
    """A solver's answer.

    Attributes:
        cameras: Of all frames, at the clip's size, in any world; not finite for those that it did not place. None
            where it placed none.
        seconds: Of features, matching and mapping, without decoding.
        peak_gb: Most memory, in 10^9 bytes; None where the system does not tell.
        report: Plain values that JSON can hold.
        failed: Why there are none; None where there are.
        geometry: Depth and motion of keyframes, of solvers that find them, too.
    """

    cameras: PinholeCameras | None
    seconds: dict[str, float]
    peak_gb: float | None = None
    report: dict[str, Any] = field(default_factory=dict)
    failed: str | None = None
    geometry: SceneGeometry | None = None


class CameraMethod(ABC):
    """Who is measured by cameras.

    Attributes:
        name: In tables and on the command line.
        solver: In ids.
        repeats: Whether the same seed gives the same cameras; where it does not, several runs tell the spread.
        focal_given: Whether it wants to be told the true focal length.
    """

    name: str
    solver: str
    repeats: bool = True
    focal_given: bool = False

    @abstractmethod
    def solve(self, task: CameraTask) -> CamerasFound:
        """Find the cameras of all frames.

        Raises:
            NeoVerseError: It cannot be run at all, or the frames cannot be used; the message says why.
        """

    def settings(self) -> dict[str, Any]:
        """What the answer depends on besides the task: version and options, plain values."""
        return {}
