"""What an evaluation would do, before anything is computed: scenes, frames, what is missing, how long it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.data.scene import BenchmarkData, BenchmarkScene
from neoverse_ns.evaluation.judges.views.there import lacking_files
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
        lacking: Files of chosen frames and their masks that are not there; those frames cannot be judged.
        opened: The scene that the frames belong to.
    """

    scene: str
    choice: Choice | None
    missing: tuple[str, ...] = ()
    problem: str | None = None
    opened: BenchmarkScene | None = None
    lacking: tuple[str, ...] = ()

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
        named: Scenes were asked for by name.
    """

    protocol: Protocol
    folder: Path
    scenes: tuple[ScenePlan, ...]
    absent: tuple[str, ...]
    methods: tuple[str, ...]
    seconds: Mapping[str, float]
    unmeasured: Mapping[str, str]
    named: bool = False

    @property
    def gone(self) -> list[str]:
        """Names of scenes that were to be measured and cannot be."""
        return [*self.absent, *(scene.scene for scene in self.scenes if scene.problem is not None)]

    @property
    def subset(self) -> list[str] | None:
        """Scenes that an id must name; None where they are all of the protocol's own, or none is left."""
        return [scene.scene for scene in self.usable] or None if self.named or self.gone else None

    @property
    def usable(self) -> list[ScenePlan]:
        """Scenes that can be measured."""
        return [scene for scene in self.scenes if scene.problem is None]

    def lines(self) -> list[str]:
        """For people, a line each: scenes, what is missing, time."""
        lines = [f"protocol {self.protocol.alias}: {self.protocol.full_id('...', self.subset)}"]
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
            ClipError: Scenes or files are missing or cannot be measured, and that was not allowed; or none is left.
        """
        gone = self.gone
        if gone and not allow_missing:
            reasons = [f"{scene.scene}: {scene.problem}" for scene in self.scenes if scene.problem is not None]
            what = "scenes that are" if len(gone) > 1 else "a scene that is"
            why = f" ({reasons[0]})" if reasons else ""
            raise ClipError(
                f"{self.folder}: {self.protocol.alias} needs {what} missing: {', '.join(gone)}{why}; --allow-missing "
                "measures the others, and says so beside every mean"
            )
        short = [scene for scene in self.usable if scene.lacking]
        if short and not allow_missing:
            first, (file, *rest) = short[0], short[0].lacking
            others = f" and {len(rest)} others" if rest else ""
            more = "" if len(short) == 1 else f", likewise of {', '.join(scene.scene for scene in short[1:])}"
            raise ClipError(
                f"{self.folder}: {self.protocol.alias} needs files that are missing: {file}{others} of "
                f"{first.scene}{more}; --allow-missing measures without them, and says so beside every mean"
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
    there = _there(data, folder, scenes or protocol.scenes or ())
    # A scene that is named twice is one scene: it must not count twice in a mean.
    wanted = list(dict.fromkeys(scenes or protocol.scenes or there))
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
            choice = protocol.rule(scene)
            # Of other kinds the judges know what can be done without.
            lacking = tuple(lacking_files(protocol, scene, choice)) if protocol.kind == "views" else ()
            missing = tuple(data.missing(folder, name))
            plans.append(ScenePlan(name, choice, missing, opened=scene, lacking=lacking))
        except ClipError as error:
            plans.append(ScenePlan(name, None, problem=str(error)))
    absent = tuple(name for name in wanted if name not in there)
    seconds = {
        method: sum((scene_seconds(protocol, plan.choice, method) for plan in plans if plan.choice is not None), 0.0)
        for method in methods
    }
    return Plan(
        protocol, folder, tuple(plans), absent, tuple(methods), seconds, dict(unmeasured or {}), scenes is not None
    )


def _there(data: BenchmarkData, folder: Path, wanted: Sequence[str]) -> list[str]:
    """Scenes of a folder, with those wanted that have a folder there and lack a file: opening them names the file.

    Raises:
        ClipError: There is none, or the folder is itself one of the scenes that are wanted.
    """
    damaged = [name for name in wanted if (folder / name).is_dir()]
    try:
        there = data.find(folder)
    except ClipError:
        if not damaged:
            raise
        there = []
    if "." in there and wanted and not set(wanted) & set(there):
        raise ClipError(f"{folder} is itself a scene: give the folder around it, --data {folder.absolute().parent}")
    return there + [name for name in damaged if name not in there and _why_not(data, folder, name) is not None]


def _why_not(data: BenchmarkData, folder: Path, scene: str) -> str | None:
    try:
        data.open(folder, scene)
    except ClipError as error:
        return str(error)
    return None


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"
