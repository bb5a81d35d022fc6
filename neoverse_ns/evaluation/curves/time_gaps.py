"""Quality over the gap between given frames: a table and a curve of the protocols `FAMILY-gap-2@1` to `-8@1`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.curves.svg import Line, line_chart
from neoverse_ns.evaluation.evaluate import Request, evaluate
from neoverse_ns.evaluation.protocol.aliases import protocol
from neoverse_ns.evaluation.protocol.gaps import FAMILIES, GAPS
from neoverse_ns.evaluation.results.means import Mean, means_of
from neoverse_ns.evaluation.results.run_file import RunFile
from neoverse_ns.evaluation.results.tables import shown
from neoverse_ns.trajectory.plain_json import plain


@dataclass(frozen=True)
class GapCurve:
    """Several methods at several gaps.

    Attributes:
        family: What it was measured on.
        gaps: Frames from one given frame to the next, rising.
        methods: As asked for.
        metrics: Ids.
        results: Of each gap.
    """

    family: str
    gaps: tuple[int, ...]
    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    results: tuple[RunFile, ...]

    def mean(self, method: str, gap: int, metric: str) -> Mean:
        """Over all scenes."""
        results = self.results[self.gaps.index(gap)]
        run = next(run for run in results.methods if run.method == method)
        return means_of(results, run)[metric]

    def markdown(self) -> str:
        """Tables, one a metric: a row a method, a column a gap."""
        aliases = ", ".join(results.alias for results in self.results)
        lines = [f"# Time gaps on {self.family}", "", f"- protocols: {aliases}"]
        lines += [
            f"- gap {gap}: `{results.methods[0].id}`" for gap, results in zip(self.gaps, self.results, strict=True)
        ]
        unmeasured = {metric: why for results in self.results for metric, why in results.unmeasured.items()}
        lines += [f"- {metric} is not measured: {why}" for metric, why in unmeasured.items()]
        for metric in self.metrics:
            if metric in unmeasured:
                continue
            lines += ["", f"## {metric}", "", "| method | " + " | ".join(f"gap {gap}" for gap in self.gaps) + " |"]
            lines.append("|---|" + "---:|" * len(self.gaps))
            for method in self.methods:
                cells = [_cell(self.mean(method, gap, metric), metric) for gap in self.gaps]
                lines.append(f"| {method} | {' | '.join(cells)} |")
        return "\n".join(lines) + "\n"

    def svg(self, metric: str = "psnr") -> str:
        """The curve of a metric as an SVG picture."""
        lines = [
            Line(method, [(float(gap), self.mean(method, gap, metric).value) for gap in self.gaps])
            for method in self.methods
        ]
        unit = ", dB" if metric == "psnr" else ""
        return line_chart(lines, "frames from one given frame to the next", f"{metric}{unit}", f"{self.family}-gap")

    def to_plain(self) -> dict[str, Any]:
        """What JSON can hold."""
        values = {
            method: {
                str(gap): {metric: self.mean(method, gap, metric).to_plain() for metric in self.metrics}
                for gap in self.gaps
            }
            for method in self.methods
        }
        return plain({"aliases": [results.alias for results in self.results], "values": values})


def measure_gaps(family: str, asked: Request, gaps: Sequence[int] = GAPS) -> GapCurve:
    """Measure all gaps; each has its own folder below the output's, and resumes by itself.

    Args:
        family: Of the protocols.
        asked: Data, methods and output; its protocol is not looked at.
        gaps: Those wanted.

    Raises:
        SettingsError: There is no such family or gap.
        ClipError, PackageError, WeightsError: See :func:`~neoverse_ns.evaluation.evaluate.evaluate`.
    """
    chosen = [gap_alias(family, gap) for gap in sorted(set(gaps))]
    results = []
    for alias in chosen:
        output = None if asked.output is None else asked.output / alias
        work = None if asked.work is None else asked.work / alias
        results.append(evaluate(replace(asked, protocol=protocol(alias), output=output, work=work)))
    metrics = tuple(results[0].protocol["metrics"])
    return GapCurve(family, tuple(sorted(set(gaps))), asked.names, metrics, tuple(results))


def gap_alias(family: str, gap: int) -> str:
    """Alias of a gap's protocol.

    Raises:
        SettingsError: There is no such family or gap.
    """
    if family not in FAMILIES:
        raise SettingsError(f"time gaps can be measured on {', '.join(FAMILIES)}, not on '{family}'")
    if gap not in GAPS:
        raise SettingsError(f"there is no protocol of gap {gap}; there are {', '.join(map(str, GAPS))}")
    return f"{family}-gap-{gap}@1"


def _cell(mean: Mean, metric: str) -> str:
    text = shown(mean.value, metric)
    return text if mean.complete or math.isnan(mean.value) else f"{text} ({mean.counts})"
