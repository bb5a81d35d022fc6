"""An ablation for people: rows in the paper's order, each beside what it lacks, and where the time goes."""

from __future__ import annotations

import math
from typing import Any

from neoverse_ns.evaluation.ablations.measure import Ablation
from neoverse_ns.evaluation.ablations.paired import FEWEST, Difference, difference
from neoverse_ns.evaluation.ablations.published import published_lines, published_seconds
from neoverse_ns.evaluation.ablations.rows import ROWS, Row
from neoverse_ns.evaluation.ablations.stages import STAGES
from neoverse_ns.evaluation.results.means import means_of
from neoverse_ns.evaluation.results.tables import NONE, not_comparable, shown
from neoverse_ns.trajectory.plain_json import plain


def ablation_markdown(ablation: Ablation) -> str:
    """The tables as Markdown."""
    results = ablation.results
    metrics = list(results.protocol["metrics"])
    lines = [
        f"# Ablation under {results.alias}",
        "",
        f"- id: `{results.methods[0].id if results.methods else results.alias}`",
        f"- scenes: {', '.join(results.scenes)}; seed {results.seed}",
        "- in parentheses: the difference from the last column's row, scene by scene, ± its standard deviation",
        _significance(len(results.scenes)),
        "",
        f"| row | {' | '.join(metrics)} | beside |",
        "|---|" + "---:|" * len(metrics) + "---|",
        *(_row(ablation, row, metrics) for row, _ in ablation.rows),
        "",
        *(f"- {row.title}: `{method}`{_keyframes_used(ablation, row)}" for row, method in ablation.rows),
    ]
    lines += [f"- {metric} is not measured: {reason}" for metric, reason in results.unmeasured.items()]
    for row, _ in ablation.rows:
        failed = [scene for scene in ablation.run(row.name).scenes if scene.failed]
        lines += [f"- {row.title}, {scene.scene}: {scene.failed}" for scene in failed]
    published = published_lines(results.alias, [row.name for row, _ in ablation.rows], metrics, not_comparable(results))
    lines += ["", *published] if published else []
    if ablation.seconds:
        lines += ["", *_times(ablation)]
    return "\n".join(lines) + "\n"


def ablation_plain(ablation: Ablation) -> dict[str, Any]:
    """The same for programs, as JSON can hold it."""
    results = ablation.results
    rows = []
    for row, method in ablation.rows:
        run = ablation.run(row.name)
        means = {metric: mean.to_plain() for metric, mean in means_of(results, run).items()}
        gaps = {metric: _plain_gap(gap) for metric, gap in _gaps(ablation, row).items()}
        rows.append({"row": row.name, "method": method, "against": row.against, "means": means, "differences": gaps})
    return plain({"alias": results.alias, "scenes": results.scenes, "rows": rows, "seconds": ablation.seconds})


def _keyframes_used(ablation: Ablation, row: Row) -> str:
    """How many keyframes a row about them really had, scene by scene."""
    if "keyframes" not in row.settings:
        return ""
    used = [str(scene.report.get("keyframes", NONE)) for scene in ablation.run(row.name).scenes]
    return f"; keyframes used: {', '.join(used)}"


def _significance(scenes: int) -> str:
    if scenes < FEWEST:
        return f"- {'1 scene is' if scenes == 1 else f'{scenes} scenes are'} too few to call any difference significant"
    return "- *: the 95 % interval of the difference (Student's t, scenes as units) leaves out 0"


def _gaps(ablation: Ablation, row: Row) -> dict[str, Difference]:
    if row.against == row.name:
        return {}
    full = ablation.run(row.against)
    metrics = ablation.results.protocol["metrics"]
    return {metric: difference(ablation.run(row.name), full, metric) for metric in metrics}


def _row(ablation: Ablation, row: Row, metrics: list[str]) -> str:
    means, gaps = means_of(ablation.results, ablation.run(row.name)), _gaps(ablation, row)
    cells = []
    for metric in metrics:
        mean = means[metric]
        text = shown(mean.value, metric)
        if not mean.complete and mean.values:
            text += f" ({mean.counts})"
        if metric in gaps and mean.values:
            text += f" ({_gap(gaps[metric], metric, len(ablation.results.scenes))})"
        cells.append(text)
    beside = NONE if row.against == row.name else ROWS[row.against].title
    return f"| {row.title} | {' | '.join(cells)} | {beside} |"


def _gap(gap: Difference, metric: str, scenes: int) -> str:
    if math.isnan(gap.mean):
        return "no scene in common"
    spread = "" if math.isnan(gap.spread) else f" ± {shown(gap.spread, metric)}"
    marks = "*" if gap.significant else ""
    # A scene that one of both did not answer is in no difference.
    marks += "" if gap.scenes == scenes else f" over {gap.scenes} of {scenes} scenes"
    return f"{'+' if gap.mean >= 0 else '−'}{shown(abs(gap.mean), metric)}{spread}{marks}"


def _plain_gap(gap: Difference) -> dict[str, Any]:
    return {
        "mean": gap.mean,
        "spread": gap.spread,
        "scenes": gap.scenes,
        "half_interval": gap.half_interval,
        "significant": gap.significant,
    }


def _times(ablation: Ablation) -> list[str]:
    known = [stage for stage in STAGES if any(stage in split for split in ablation.seconds.values())]
    others = dict.fromkeys(
        part for split in ablation.seconds.values() for part in split if part not in (*STAGES, "total")
    )
    columns = [*known, *others, "total"]
    lines = [
        f"Seconds on {ablation.results.scenes[0]}, median of three runs after one to warm up, models already loaded:",
        "",
        f"| row | {' | '.join(columns)} |",
        "|---|" + "---:|" * len(columns),
    ]
    titles = {row.name: row.title for row, _ in ablation.rows}
    for name, split in ablation.seconds.items():
        cells = [f"{split[column]:.1f}" if column in split else NONE for column in columns]
        lines.append(f"| {titles[name]} | {' | '.join(cells)} |")
    return [*lines, "", *published_seconds(list(ablation.seconds))]
