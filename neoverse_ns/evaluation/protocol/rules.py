"""Rules that choose inputs and targets, written as data: a list of times, and who looks at which places of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkScene
from neoverse_ns.evaluation.protocol.positions import Positions
from neoverse_ns.evaluation.protocol.protocol import Choice
from neoverse_ns.evaluation.protocol.viewers import SOLE, Viewers


@dataclass(frozen=True)
class Times:
    """The list of times that a rule counts on.

    Attributes:
        of: Cameras whose times they are: those that all of them have. None takes those that all of the scene's have.
        most: Only the first so many; None for all.
    """

    of: tuple[str, ...] | None = ("0",)
    most: int | None = None

    @property
    def label(self) -> str:
        """As in ids; empty for all times of the input camera."""
        shared = "" if self.of is not None and len(self.of) == 1 else "shared"
        return shared + ("" if self.most is None else str(self.most))

    def on(self, scene: BenchmarkScene) -> list[int]:
        """The times, rising.

        Raises:
            ClipError: There are fewer than `most`.
        """
        seen: dict[str, set[int]] = defaultdict(set)
        for frame in scene.frames:
            seen[frame.camera].add(frame.time)
        wanted = tuple(seen) if self.of is None else self.of
        times = sorted(set.intersection(*(seen[camera] for camera in wanted))) if wanted else []
        if self.most is None:
            return times
        if len(times) < self.most:
            whose = (
                f"cameras {' and '.join(sorted(wanted))} share" if len(wanted) > 1 else f"camera {''.join(wanted)} has"
            )
            raise ClipError(f"{scene.folder}: {whose} {len(times)} times; this protocol needs {self.most}")
        return times[: self.most]


@dataclass(frozen=True)
class Pick:
    """Frames of some cameras at some places of the list of times.

    Attributes:
        at: Which places.
        by: Which cameras.
        as_there: Whatever of them the scene has is all that is meant; else one that is missing is remarked.
    """

    at: Positions
    by: Viewers = SOLE
    as_there: bool = False

    @property
    def label(self) -> str:
        return f"{self.by.label}t{self.at.label}"


@dataclass(frozen=True)
class Rule:
    """Inputs and targets of a scene; a :data:`~neoverse_ns.evaluation.protocol.protocol.FrameRule`.

    Attributes:
        inputs: All of them must be there.
        targets: Those that are not there are skipped, with a remark.
        times: What places are counted on.
    """

    inputs: Pick
    targets: Pick
    times: Times = Times()

    @property
    def label(self) -> str:
        """The rule in an id, as `c0t0:64:2>c1t0:64`."""
        before = f"{self.times.label}-" if self.times.label else ""
        return f"{before}{self.inputs.label}>{self.targets.label}"

    def __call__(self, scene: BenchmarkScene) -> Choice:
        """Choose.

        Raises:
            ClipError: An input is not there, the list of times is too short, or no target is there; says which.
        """
        frames = {(frame.camera, frame.time): frame for frame in scene.frames}
        times = self.times.on(scene)
        needed = max(_needed(pick, len(times)) for pick in (self.inputs, self.targets))
        if needed > len(times):
            raise ClipError(
                f"{scene.folder}: has {len(times)} times that '{self.label}' can count on, and it needs {needed}"
            )
        inputs, missing = _picked(scene, frames, self.inputs, times)
        if missing:
            raise ClipError(f"{scene.folder}: {'; '.join(missing)}; this protocol needs them as inputs")
        targets, skipped = _picked(scene, frames, self.targets, times)
        for kind, found in (("input", inputs), ("target", targets)):
            if not found:
                raise ClipError(f"{scene.folder}: has no {kind} of '{self.label}'")
        if both := {frame.name for frame in inputs} & {frame.name for frame in targets}:
            raise ClipError(f"{scene.folder}: {', '.join(sorted(both))} would be input and target at once")
        return Choice(tuple(inputs), tuple(targets), tuple(skipped))


def _needed(pick: Pick, count: int) -> int:
    """How long the list of times must be for a pick."""
    places = pick.at.on(count)
    return places[-1] + 1 if places else 0


def _picked(
    scene: BenchmarkScene, frames: dict[tuple[str, int], BenchmarkFrame], pick: Pick, times: list[int]
) -> tuple[list[BenchmarkFrame], list[str]]:
    """Frames by time, then by the order of cameras; and a sentence for each camera that lacks some."""
    places = pick.at.on(len(times))
    found: list[BenchmarkFrame] = []
    missing: dict[str, list[int]] = defaultdict(list)
    for time in (times[place] for place in places):
        for camera in pick.by.at(time):
            frame = frames.get((camera, time))
            if frame is not None:
                found.append(frame)
            elif not pick.as_there:
                missing[camera].append(time)
    return found, [f"camera {camera} has no frame at {_runs(lacking)}" for camera, lacking in sorted(missing.items())]


def _runs(times: list[int]) -> str:
    """Rising numbers as `time 5` or `times 0-76, 80`."""
    runs: list[list[int]] = []
    for time in times:
        if runs and time == runs[-1][-1] + 1:
            runs[-1].append(time)
        else:
            runs.append([time])
    told = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return f"time{'s' if len(times) > 1 else ''} {told}"
