"""Measuring the rows of an ablation: an evaluation with a method a row, which resumes as every evaluation does."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neoverse_ns.console import say
from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.ablations.rows import GENERATOR, Row, chosen_rows, within_inputs
from neoverse_ns.evaluation.ablations.stages import median_stages
from neoverse_ns.evaluation.evaluate import Request, evaluate, measure_scenes, plan
from neoverse_ns.evaluation.kinds import kind_of
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.results.run_file import MethodRun, RunFile
from neoverse_ns.evaluation.results.scene_result import SceneResult

REPEATS = 3
"""Runs of which times are the median, after one that warms up."""


@dataclass(frozen=True)
class Ablation:
    """Rows that were measured.

    Attributes:
        results: Of all rows' methods.
        rows: In order, with the method that stands for each.
        seconds: By row's name: the median seconds of each stage on the first scene.
    """

    results: RunFile
    rows: list[tuple[Row, str]]
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)

    def run(self, name: str) -> MethodRun:
        """What was found of a row."""
        method = next(method for row, method in self.rows if row.name == name)
        return next(run for run in self.results.methods if run.method == method)


def check_ablated(protocol: Protocol, method: str) -> None:
    """Let a protocol and a method pass of which parts can be left out.

    Raises:
        SettingsError: It is another protocol than one of views, or another method.
    """
    if protocol.kind != "views":
        raise SettingsError(f"{protocol.alias} asks for {protocol.kind}; rows of an ablation are measured by views")
    chosen_rows((), method)


def ablate(asked: Request, names: Sequence[str] = (), generator: str = GENERATOR, timed: bool = False) -> Ablation:
    """Measure the rows of one method.

    Args:
        asked: Protocol, data and output; its only method is the one that is ablated.
        names: Rows, see :func:`~neoverse_ns.evaluation.ablations.rows.chosen_rows`.
        generator: Who refines in rows with generation.
        timed: Also measure times: each row that is about them four more times on the first scene, the first time for
            nothing.

    Raises:
        SettingsError: There is no such row or method.
        ClipError, PackageError, WeightsError: See :func:`~neoverse_ns.evaluation.evaluate.evaluate`.
    """
    if len(asked.names) != 1:
        raise SettingsError(f"an ablation is of one method, not of {', '.join(asked.names)}")
    base = asked.names[0]
    check_ablated(asked.protocol, base)
    rows = [(row, row.method(base, generator)) for row in rows_of(asked, names, generator)]
    methods = tuple(dict.fromkeys(method for _, method in rows))
    results = evaluate(dataclasses.replace(asked, methods=methods))
    seconds: dict[str, dict[str, float]] = {}
    if timed:
        for row, method in rows:
            if row.timed:
                say(f"times of {row.title}")
                seconds[row.name] = repeated(lambda method=method: _once(asked, results.scenes[0], method))
    return Ablation(results, rows, seconds)


def rows_of(asked: Request, names: Sequence[str] = (), generator: str = GENERATOR) -> list[Row]:
    """The rows that an ablation would have on the data that is there; see :func:`ablate`.

    Raises:
        SettingsError, ClipError: See :func:`ablate`.
    """
    rows = chosen_rows(names, asked.names[0], generator)
    if not any("keyframes" in row.settings for row in rows):
        return rows
    scenes = plan(asked).usable
    return within_inputs(rows, max((len(scene.choice.inputs) for scene in scenes if scene.choice), default=0) or 1)


def repeated(measure: Callable[[], SceneResult], repeats: int = REPEATS) -> dict[str, float]:
    """Median seconds of each stage over some runs, after one that warms up and does not count."""
    measure()
    return median_stages([measure() for _ in range(repeats)])


def _once(asked: Request, scene: str, text: str) -> SceneResult:
    """One scene from nothing: what an earlier run keeps would make a later one quick."""
    method: Any = kind_of(asked.protocol).make(text)
    with tempfile.TemporaryDirectory(prefix="neoverse-times-") as work:
        place = Path(work)
        return measure_scenes(asked.protocol, asked.folder, [scene], method, place, asked.settled_seed, asked.weights)[
            0
        ]
