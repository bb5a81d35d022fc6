"""What a method is given, and what it must answer, when views of a scene are judged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.evaluation.protocol.protocol import Cameras
from neoverse_ns.geometry.cameras import PinholeCameras


@dataclass(frozen=True)
class Target:
    """A view that is to be shown.

    Attributes:
        name: Of its frame.
        time: Normalised as the input clip's times are; may lie outside of [0, 1].
        true_c2w: In the data set's world and unit; None where it does not tell.
        true_K: In pixels of `width` x `height`; None likewise.
        width: Of the picture that is judged.
        height: The same.
        beside: Position among the inputs of the frame that another camera took at the same time; None where there is
            none.
        camera: Which camera took it, as the set calls it.
    """

    name: str
    time: float
    true_c2w: Float64[Tensor, "4 4"] | None
    true_K: Float64[Tensor, "3 3"] | None
    width: int
    height: int
    beside: int | None = None
    camera: str = ""


Peek = Callable[[Target], UInt8[Tensor, "h w 3"]]
"""Reads the picture of a target, as large as it is judged; for the camera solver alone."""


@dataclass(frozen=True)
class ViewTask:
    """A scene's inputs and targets, without any picture of a target.

    Attributes:
        scene: Its name.
        clip: The input frames, at the size that reconstructions work at.
        names: Their names, in order.
        cameras: True cameras of the inputs, in the set's world and unit; None where it does not tell.
        targets: What is to be shown.
        work: Folder for whatever the method keeps.
        seed: Of everything random.
        placing: How the targets' cameras are to be placed.
        tto: Most steps in which a target's camera is improved by its own picture; 0 for none.
        peek: Reads targets' pictures where `placing` or `tto` lets the camera solver see them; None elsewhere.
        input_cameras: Which camera took each input, as the set calls it.
    """

    scene: str
    clip: Clip
    names: tuple[str, ...]
    cameras: PinholeCameras | None
    targets: tuple[Target, ...]
    work: Path
    seed: int = 0
    placing: Cameras = "sim3-context"
    tto: int = 0
    peek: Peek | None = None
    input_cameras: tuple[str, ...] = ()

    def part(self, inputs: list[int]) -> ViewTask:
        """The same with some of the inputs only, given by their positions in ascending order.

        A target whose own input is gone has none.
        """
        if inputs == list(range(len(self.names))):
            return self
        place = {old: new for new, old in enumerate(inputs)}
        targets = [
            replace(target, beside=None if target.beside is None else place.get(target.beside))
            for target in self.targets
        ]
        return replace(
            self,
            clip=self.clip.part(inputs),
            names=tuple(self.names[i] for i in inputs),
            cameras=None if self.cameras is None else self.cameras[inputs],
            targets=tuple(targets),
            input_cameras=tuple(self.input_cameras[i] for i in inputs) if self.input_cameras else (),
        )


@dataclass(frozen=True)
class Shown:
    """A method's answer for one target.

    Attributes:
        name: Of the target.
        rgb: What it shows there.
        alpha: How opaque; None where the method knows no holes.
    """

    name: str
    rgb: UInt8[Tensor, "h w 3"]
    alpha: Float[Tensor, "h w"] | None = None


@dataclass
class Answer:
    """Views as they are shown, one at a time, and what was noted on the way.

    Attributes:
        views: In any order; targets that are left out count as not answered.
        seconds: Of each stage, filled while `views` is read.
        report: Plain values that JSON can hold: solver, cameras found, settings, reasons.
    """

    views: Iterator[Shown]
    seconds: dict[str, float] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)


class ViewMethod(ABC):
    """Who is measured by views."""

    name: str
    """In tables and on the command line."""
    solver: str
    """Who finds cameras, for the id; `none` where nobody does."""

    @abstractmethod
    def answer(self, task: ViewTask) -> Answer:
        """Show the targets.

        Raises:
            ReconstructionError, ClipError: Nothing can be shown of this scene; the message says why.
        """
