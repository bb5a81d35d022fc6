"""Rules of protocols that ask for cameras, depth or tracks of what is given: nothing is kept to be shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.protocol.positions import Positions
from neoverse_ns.evaluation.protocol.protocol import Choice
from neoverse_ns.evaluation.protocol.rules import Rule
from neoverse_ns.evaluation.protocol.viewers import Sole

LEAST = 3
"""Frames below which nothing can be aligned with the truth."""


@dataclass(frozen=True)
class Given:
    """Frames of the input camera, as many as there are at some places.

    Attributes:
        at: Places on the list of frames, by time; those beyond its end are left out.
        posed_list: The list holds frames with a true camera alone.
        posed: Of the chosen frames, those without a true camera are left out, with a remark.
        camera: Whose frames they are.
    """

    at: Positions
    posed_list: bool = False
    posed: bool = False
    camera: str = "0"

    @property
    def label(self) -> str:
        """The rule in an id: `posed-t0:270:3` counts on frames with a camera, `t30:140-posed` leaves others out."""
        return f"{'posed-' * self.posed_list}t{self.at.label}{'-posed' * self.posed}"

    def __call__(self, scene: BenchmarkScene) -> Choice:
        """Choose.

        Raises:
            ClipError: Fewer than three frames are left.
        """
        listed = sorted((frame for frame in scene.frames if frame.camera == self.camera), key=lambda frame: frame.time)
        if self.posed_list:
            listed = [frame for frame in listed if frame.c2w is not None]
        wanted = self.at.on(len(listed))
        chosen = [listed[place] for place in wanted if place < len(listed)]
        skipped = []
        if len(chosen) < len(wanted):
            whose = "frames with a camera" if self.posed_list else "frames"
            skipped.append(f"has {len(listed)} {whose}, so that {len(chosen)} of {len(wanted)} are taken")
        if self.posed and (without := [frame for frame in chosen if frame.c2w is None]):
            skipped.append(f"no camera is known of {_names(without)}")
            chosen = [frame for frame in chosen if frame.c2w is not None]
        if len(chosen) < LEAST:
            found = f"{scene.name} has {len(chosen)} frames of '{self.label}'"
            raise ClipError(f"{scene.folder}: {found}, at least {LEAST} are needed")
        return Choice(tuple(chosen), (), tuple(skipped))


@dataclass(frozen=True)
class Others(Positions):
    """The first so many places but some."""

    of: Positions
    first: int

    @property
    def label(self) -> str:
        return f"0:{self.first}not{self.of.label}"

    def on(self, count: int) -> list[int]:
        taken = set(self.of.on(count))
        return [place for place in range(self.first) if place not in taken]


@dataclass(frozen=True)
class OfTrainedCamera:
    """A rule for one camera, on what the set's own split trains with: of the camera with the lowest number.

    Attributes:
        rule: Its frames are those of the camera called "0", whatever this one is called.
    """

    rule: Rule

    @property
    def label(self) -> str:
        """The rule in an id."""
        return f"trained-{self.rule.label}"

    def __call__(self, scene: BenchmarkScene) -> Choice:
        """Choose.

        Raises:
            ClipError: As the rule; or all frames are kept for testing.
        """
        trained = [frame for frame in scene.frames if frame.name not in scene.held_out]
        if not trained:
            raise ClipError(f"{scene.folder}: {scene.name} keeps all its frames for testing")
        camera = min({frame.camera for frame in trained}, key=int)
        part = _Part(scene, tuple(frame for frame in trained if frame.camera == camera))
        by = Sole(camera)
        rule = replace(
            self.rule,
            inputs=replace(self.rule.inputs, by=by),
            targets=replace(self.rule.targets, by=by),
            times=replace(self.rule.times, of=(camera,)),
        )
        return rule(part)


class _Part(BenchmarkScene):
    """Some frames of a scene, to choose from."""

    def __init__(self, whole: BenchmarkScene, frames: tuple[BenchmarkFrame, ...]) -> None:
        self.name, self.folder, self.frames, self.unit = whole.name, whole.folder, frames, whole.unit
        self._whole = whole

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        return self._whole.read(frame, *what)


def _names(frames: list[BenchmarkFrame]) -> str:
    names = [frame.name for frame in frames]
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} more, to {names[-1]}"
