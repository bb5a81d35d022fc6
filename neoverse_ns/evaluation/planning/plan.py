"""What an evaluation would do, before anything is computed: scenes, frames, what is missing, how long it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.planning.costs import scene_seconds
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol


@dataclass(frozen=True)
class ScenePlan:
    """One scene.

    Attributes:
        scene: Its name.
        choice: Its frames under the protocol; None where they cannot be chosen.
        missing: What the protocol wants of it and the folder lacks, a sentence each.
        problem: Why it cannot be measured at all; None where it can.
        opened: The scene that the frames belong to.
    """

    scene: str
    choice: Choice | None
    missing: tuple[str, ...] = ()
    problem: str | None = None
    opened: BenchmarkScene | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the input pictures; None without any."""
        if self.choice is None or not self.choice.inputs:
            return None
        return self.choice.inputs[0].width, self.choice.inputs[0].height


@dataclass(frozen=True)
class Plan:
    """An evaluation that is to be done.

    Attributes:
        protocol: Under which.
        folder: Of the data.
        scenes: Those that are there, in the protocol's order.
        absent: Those that the protocol, or whoever asked, names, and that are not there.
        methods: As they were asked for.
        seconds: Expected of each method, all scenes together.
        unmeasured: Metrics that cannot be measured here, and why.
    """

    protocol: Protocol
    folder: Path
    scenes: tuple[ScenePlan, ...]
    absent: tuple[str, ...]
    methods: tuple[str, ...]
    seconds: Mapping[str, float]
    unmeasured: Mapping[str, str]

    @property
    def usable(self) -> list[ScenePlan]:
        """Scenes that can be measured."""
        return [scene for scene in self.scenes if scene.problem is None]

    def lines(self) -> list[str]:
        """For people, a line each: scenes, what is missing, time."""
        lines = [f"protocol {self.protocol.alias}: {self.protocol.full_id('...')}"]
        for scene in self.scenes:
            if scene.choice is None:
                lines.append(f"{scene.scene}: cannot be measured: {scene.problem}")
                continue
            size = "" if scene.size is None else f" of {scene.size[0]}x{scene.size[1]}"
            counts = f"{len(scene.choice.inputs)} frames{size} in, {len(scene.choice.targets)} judged"
            lines.append(f"{scene.scene}: {counts}")
            lines += [f"{scene.scene}: {text}" for text in (*scene.choice.skipped, *scene.missing)]
        lines += [f"{name}: not in {self.folder}" for name in self.absent]
        lines += [f"{metric} will not be measured: {reason}" for metric, reason in self.unmeasured.items()]
        for method, seconds in self.seconds.items():
            lines.append(f"{method}: about {_minutes(seconds)} on this machine, by what others took elsewhere")
        return lines

    def check(self, allow_missing: bool) -> None:
        """Refuse what would give a mean over other scenes than the protocol has.

        Raises:
            ClipError: Scenes are missing or cannot be measured, and that was not allowed; or none is left.
        """
        gone = [*self.absent, *(scene.scene for scene in self.scenes if scene.problem is not None)]
        if gone and not allow_missing:
            reasons = [f"{scene.scene}: {scene.problem}" for scene in self.scenes if scene.problem is not None]
            what = "scenes that are" if len(gone) > 1 else "a scene that is"
            why = f" ({reasons[0]})" if reasons else ""
            raise ClipError(
                f"{self.folder}: {self.protocol.alias} needs {what} missing: {', '.join(gone)}{why}; --allow-missing "
                "measures the others, and says so beside every mean"
            )
        if not self.usable:
            raise ClipError(f"{self.folder}: no scene of {self.protocol.alias} can be measured; --dry-run says why")


def make_plan(
    protocol: Protocol,
    folder: Path,
    methods: Sequence[str],
    scenes: Sequence[str] | None = None,
    unmeasured: Mapping[str, str] | None = None,
) -> Plan:
    """Look at a data folder, names and headers alone.

    Args:
        protocol: Under which.
        folder: Of the data set.
        methods: Whom it is for.
        scenes: Those wanted; None takes the protocol's own, or all.
        unmeasured: Metrics that cannot be measured here, and why.

    Raises:
        ClipError: The folder is of another layout, or empty.
        SettingsError: A scene is asked for that the protocol does not have.
    """
    data = benchmark_data(protocol.data)
    there = data.find(folder)
    wanted = list(scenes or protocol.scenes or there)
    if scenes is not None and protocol.scenes is not None:
        strange = sorted(set(scenes) - set(protocol.scenes))
        if strange:
            raise SettingsError(
                f"{protocol.alias} has no scene {', '.join(strange)}; it has {', '.join(protocol.scenes)}"
            )
    plans = []
    for name in (name for name in wanted if name in there):
        try:
            scene = data.open(folder, name)
            plans.append(ScenePlan(name, protocol.rule(scene), tuple(data.missing(folder, name)), opened=scene))
        except ClipError as error:
            plans.append(ScenePlan(name, None, problem=str(error)))
    absent = tuple(name for name in wanted if name not in there)
    seconds = {
        method: sum((scene_seconds(protocol, plan.choice, method) for plan in plans if plan.choice is not None), 0.0)
        for method in methods
    }
    return Plan(protocol, folder, tuple(plans), absent, tuple(methods), seconds, dict(unmeasured or {}))


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"
