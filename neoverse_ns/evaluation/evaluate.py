"""Measure methods under a protocol, scene by scene, and write after each."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neoverse_ns.console import progress, say, warn
from neoverse_ns.errors import LeakError, NeoVerseError, PackageError, SettingsError, WeightsError
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.judges.cameras.judge import over_common_frames
from neoverse_ns.evaluation.kinds import Judging, KindOfProtocol, kind_of
from neoverse_ns.evaluation.methods.method_text import split_methods
from neoverse_ns.evaluation.metric_files import MetricFiles
from neoverse_ns.evaluation.planning.plan import Plan, make_plan
from neoverse_ns.evaluation.protocol.aliases import protocol as find_protocol
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.results.provenance import file_list, machine_facts, package_facts
from neoverse_ns.evaluation.results.run_file import MethodRun, RunFile
from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.evaluation.results.store import check_place, held, take_up, write_results
from neoverse_ns.trajectory.plain_json import plain

SHOWN = "shown"
"""Folder of the pictures that methods show, in that of the results."""


@dataclass(frozen=True)
class Request:
    """What is to be measured.

    Attributes:
        protocol: Under which.
        folder: Of the data set.
        methods: As typed; empty for the usual one of the protocol's kind.
        output: Folder of the results; None writes nothing.
        scenes: Those wanted; None takes all of the protocol.
        allow_missing: Measure what is there where scenes are missing.
        retry_failed: Do scenes again that had no answer before.
        seed: Of everything random; None is the usual one of the protocol's kind.
        work: Folder in which methods keep what they make; None for one that is deleted at the end.
        weights: Of metrics.
        keep: Also write the pictures that methods show, to `shown` in the output folder.
    """

    protocol: Protocol
    folder: Path
    methods: tuple[str, ...] = ()
    output: Path | None = None
    scenes: tuple[str, ...] | None = None
    allow_missing: bool = False
    retry_failed: bool = False
    seed: int | None = None
    work: Path | None = None
    weights: MetricFiles = field(default_factory=MetricFiles)
    keep: bool = False

    @property
    def settled_seed(self) -> int:
        """The seed that is used."""
        return kind_of(self.protocol).seed if self.seed is None else self.seed

    @property
    def names(self) -> tuple[str, ...]:
        """Of the methods."""
        return self.methods or (kind_of(self.protocol).default,)


def request(protocol: str, folder: str | Path, methods: str = "", **rest: Any) -> Request:
    """A request in the words of the command line: `request("dycheck-neoverse@1", "iphone", "ours,repeat")`.

    Raises:
        SettingsError: There is no such protocol, or a method is named twice.
    """
    names = tuple(split_methods(methods)) if methods else ()
    return Request(find_protocol(protocol), Path(folder).expanduser(), names, **rest)


def plan(asked: Request) -> Plan:
    """What would be done; of data reads names and headers alone.

    Raises:
        ClipError, SettingsError: See :func:`~neoverse_ns.evaluation.planning.plan.make_plan`.
        SettingsError: A method has a setting that cannot be used, or results cannot be written where they shall be.
        RefinementError, PackageError, WeightsError: A method lacks what it needs, or a file of weights is another one.
    """
    kind = kind_of(asked.protocol)
    if asked.keep and (asked.output is None or not kind.shows):
        raise SettingsError(f"--keep: nothing that is measured under {asked.protocol.alias} shows pictures")
    for text in asked.names:
        kind.checked(text)
    asked.weights.check(asked.protocol)
    if asked.output is not None:
        check_place(asked.output)
    return make_plan(asked.protocol, asked.folder, asked.names, asked.scenes, asked.weights.unmeasured(asked.protocol))


def evaluate(asked: Request) -> RunFile:
    """Measure every method on every scene; results are written after each.

    What was measured before in just the same way is not done again.

    Raises:
        ClipError: Scenes are missing, and that was not allowed.
        SettingsError: There is no such method, or the output folder holds results of something else.
        PackageError, WeightsError: A method cannot be run here at all.
    """
    planned = plan(asked)
    planned.check(asked.allow_missing)
    kind = kind_of(asked.protocol)
    methods = [kind.make(text) for text in asked.names]
    results = _results(asked, planned, methods)
    with ExitStack() as stack:
        if asked.output is not None:
            stack.enter_context(held(asked.output))
            done = take_up(results, asked.output, asked.retry_failed)
            if done:
                what = "1 scene was" if done == 1 else f"{done} scenes were"
                say(f"{what} measured before, taken from {asked.output}" + (", and not shown again" * asked.keep))
        work = asked.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="neoverse-evaluate-")))
        _measure_all(asked, planned, methods, results, work, kind)
    return results


def measure_scenes(
    protocol: Protocol,
    folder: Path,
    scenes: Sequence[str],
    method: Any,
    work: Path,
    seed: int = 0,
    weights: MetricFiles | None = None,
) -> list[SceneResult]:
    """One method on some scenes, nothing written: what tables of variants are made of.

    Raises:
        NeoVerseError: Data or method cannot be used; a scene that cannot be solved is in the results, with the reason.
    """
    data, kind = benchmark_data(protocol.data), kind_of(protocol)
    results = []
    for name in scenes:
        scene = data.open(folder, name)
        judging = Judging(protocol, kind, work, seed, weights or MetricFiles())
        results.append(_measured(judging, scene, protocol.rule(scene), method))
    return results


def _measure_all(
    asked: Request, planned: Plan, methods: list[Any], results: RunFile, work: Path, kind: KindOfProtocol
) -> None:
    protocol = asked.protocol
    left = [
        (scene, method, run)
        for scene in planned.usable
        for method, run in zip(methods, results.methods, strict=False)
        if run.of(scene.scene) is None
    ]
    say(f"protocol {protocol.alias}: {len(left)} of {len(planned.usable) * len(methods)} to measure")
    with progress("evaluate", len(left)) as steps:
        for scene, method, run in left:
            name = scene.scene
            place = _folder_name(run.method)
            keep = asked.output / SHOWN / place if asked.keep and asked.output is not None else None
            judging = Judging(protocol, kind, work / place, asked.settled_seed, asked.weights, keep)
            assert scene.opened is not None
            assert scene.choice is not None
            result = _measured(judging, scene.opened, scene.choice, method)
            if result.failed:
                warn(f"{run.method}, {name}: {result.failed}")
            run.scenes.append(result)
            run.scenes.sort(key=lambda one: results.scenes.index(one.scene))
            _compare(results, name)
            # A long evaluation that is cut short keeps what it has.
            if asked.output is not None:
                write_results(results, asked.output)
            steps.advance(note=f"{run.method} {name}")
    for done in results.scenes:
        _compare(results, done)
    if asked.output is not None:
        write_results(results, asked.output)


def _compare(results: RunFile, scene: str) -> None:
    """Put solvers of cameras side by side over the frames that all of them placed, where there are several."""
    if results.protocol["kind"] != "cameras":
        return
    found = [result for run in results.methods if (result := run.of(scene)) is not None]
    if len(found) > 1:
        results.common_ate[scene] = over_common_frames(found)


def _measured(judging: Judging, scene: BenchmarkScene, choice: Choice, method: Any) -> SceneResult:
    protocol = judging.protocol
    try:
        return judging.measure(scene, choice, method)
    except (PackageError, WeightsError, SettingsError, LeakError):
        # These are the same for every scene, and nothing was measured; after a leak nothing else can be trusted.
        raise
    except NeoVerseError as error:
        inputs = [frame.name for frame in choice.inputs]
        attempted = dict.fromkeys(protocol.metrics, max(len(choice.targets), 1))
        return SceneResult(scene.name, method.name, inputs, attempted=attempted, failed=str(error))


def _results(asked: Request, planned: Plan, methods: list[Any]) -> RunFile:
    """The result file of this request, without any scene yet."""
    protocol = asked.protocol
    scenes = [scene.scene for scene in planned.usable]
    parts = {one.name: getattr(protocol, one.name) for one in dataclasses.fields(protocol) if one.name != "rule"}
    files = file_list(asked.folder, scenes)
    # A folder of one's own clips has no name that others know.
    label = f"clip-{files['sha256'][:8]}" if protocol.label == "clips" else protocol.label
    named = dataclasses.replace(protocol, label=label)
    runs = [_run(method, text, named, planned.subset) for method, text in zip(methods, asked.names, strict=True)]
    return RunFile(
        alias=protocol.alias,
        protocol=plain(parts),
        scenes=scenes,
        missing=planned.gone,
        data={"layout": protocol.data, "folder": str(asked.folder), **files},
        package=package_facts(),
        machine=machine_facts(),
        seed=asked.settled_seed,
        weights=asked.weights.digests(protocol),
        unmeasured=dict(planned.unmeasured),
        methods=runs,
    )


def _run(method: Any, text: str, protocol: Protocol, subset: list[str] | None) -> MethodRun:
    settings = plain(method.settings()) if hasattr(method, "settings") else {}
    weights = method.weights() if hasattr(method, "weights") else {}
    return MethodRun(text, protocol.full_id(method.solver, subset), method.solver, settings, weights)


def _folder_name(method: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in method)
