"""Results for people: what was measured how, means beside what others published, and every scene."""

from __future__ import annotations

import math

from neoverse_ns.evaluation.judges.views.there import SIZE_NOTE
from neoverse_ns.evaluation.protocol.aliases import published_under
from neoverse_ns.evaluation.protocol.published import OTHER_PROTOCOL, Published
from neoverse_ns.evaluation.results.means import Mean, means_of, scene_mean
from neoverse_ns.evaluation.results.run_file import MethodRun, RunFile

_DIGITS = {"psnr": 2, "seconds": 1, "camera": 4, "control": 4}
_DIGITS |= dict.fromkeys(("subject", "background", "temporal", "motion", "aesthetic", "imaging", "smoothness"), 4)
NONE = "–"
"""What stands where there is no value."""


def markdown(results: RunFile) -> str:
    """The whole report as Markdown."""
    lines = [f"# {results.alias}", "", *_facts(results), "", "## Means", "", *_means(results)]
    for run in results.methods:
        table = _scenes(results, run)
        lines += ["", f"## {run.method}", "", f"- id: `{run.id}`", *_settings(run), "", *table]
    if results.common_ate:
        lines += ["", "## Position error over the frames that all solvers placed", "", *_common(results)]
    notes = _notes(results)
    if notes:
        lines += ["", "## What is missing, and why", "", *notes]
    return "\n".join(lines) + "\n"


def means_table(results: RunFile) -> str:
    """The first table alone, under a line with the protocol's alias, and why cells are empty: what the command prints
    at the end."""
    reasons = [*_unmeasured(results), *_failures(results)]
    return "\n".join([f"protocol {results.alias}", "", *_means(results), *([""] if reasons else []), *reasons])


def _facts(results: RunFile) -> list[str]:
    package, data = results.package, results.data
    commit = "" if package["commit"] is None else f", commit {package['commit'][:12]}"
    changed = " with changes" if package["changed"] else ""
    machine = {key: value for key, value in results.machine.items() if key != "versions" and value is not None}
    versions = {key: value for key, value in results.machine.get("versions", {}).items() if value is not None}
    lines = [
        f"- protocol: {results.alias}; ids of methods below",
        f"- data: {data['layout']}, {data['files']} files, SHA-256 of their names and sizes {data['sha256'][:16]}",
        f"- scenes: {', '.join(results.scenes)}",
        f"- package: {package['package']} {package['version']}{commit}{changed}",
        f"- machine: {_words(machine)}; {_words(versions)}",
        f"- seed: {results.seed}",
        f"- means: {results.protocol['tables']}",
    ]
    if results.protocol.get("note"):
        lines.append(f"- note: {results.protocol['note']}")
    lines += [f"- weights of {name}: {value[:16]}" for name, value in sorted(results.weights.items())]
    return [*lines, *_unmeasured(results)]


def _unmeasured(results: RunFile) -> list[str]:
    return [f"- {metric} is not measured: {reason}" for metric, reason in results.unmeasured.items()]


def _failures(results: RunFile) -> list[str]:
    return [f"- {run.method}, {one.scene}: {one.failed}" for run in results.methods for one in run.scenes if one.failed]


def _settings(run: MethodRun) -> list[str]:
    lines = [f"- settings: {_words(run.settings)}"] if run.settings else []
    return lines + [f"- weights of {name}: {value[:16]}" for name, value in sorted(run.weights.items())]


def _means(results: RunFile) -> list[str]:
    """A row a method, then the rows of others; those of other protocols say so and give no figure of ours a rival."""
    metrics = results.protocol["metrics"]
    lines = ["| method | " + " | ".join(metrics) + " | protocol |", "|---|" + "---:|" * len(metrics) + "---|"]
    part, unlike = scenes_in(results), not_comparable(results)
    for run in results.methods:
        means = means_of(results, run)
        lines.append(f"| {run.method} | {' | '.join(_mean(means[m], m) for m in metrics)} | {results.alias}{part} |")
    own, others = published_under(results.alias)
    lines += [_published_row(row, metrics, f"{OTHER_PROTOCOL}: {unlike}" if unlike else row.alias) for row in own]
    lines += [_published_row(row, metrics, OTHER_PROTOCOL) for row in others]
    return lines


def scenes_in(results: RunFile) -> str:
    """The scenes in brackets where they are not all of the protocol's own; empty where they are, or it has none."""
    own = results.protocol.get("scenes")
    if own is None or (set(own) == set(results.scenes) and not results.missing):
        return ""
    # As the id has them, which is in lower case throughout.
    return f"[{'+'.join(sorted(results.scenes)).lower()}]"


def not_comparable(results: RunFile) -> str:
    """Why figures that others published under the very protocol do not compare with these; empty where they do."""
    # Figures of all scenes do not compare with those of some.
    if scenes_in(results):
        return "all scenes"
    for run in results.methods:
        for metric, mean in means_of(results, run).items():
            if not mean.complete and metric not in results.unmeasured:
                if mean.scenes < mean.of_scenes:
                    return f"{run.method} has {mean.scenes} of {mean.of_scenes} scenes"
                return f"{run.method} has {mean.values} of {mean.attempted} values"
        for scene in run.scenes:
            if SIZE_NOTE in scene.report:
                return f"{scene.scene} is {scene.report[SIZE_NOTE]}"
    return ""


def _published_row(row: Published, metrics: list[str], protocol: str) -> str:
    cells = [shown(row.values.get(metric, math.nan), metric) for metric in metrics]
    note = f"; {row.note}" if row.note else ""
    return f"| {row.method} ({row.source}{note}) | {' | '.join(cells)} | {protocol} |"


def _mean(mean: Mean, metric: str) -> str:
    if not mean.values:
        return NONE
    worst = "" if math.isnan(mean.worst) else f" / {shown(mean.worst, metric)}"
    return f"{shown(mean.value, metric)}{worst}" + ("" if mean.complete else f" ({mean.counts})")


def _scenes(results: RunFile, run: MethodRun) -> list[str]:
    metrics = results.protocol["metrics"]
    lines = [
        "| scene | " + " | ".join(metrics) + " | frames | s | GB |",
        "|---|" + "---:|" * (len(metrics) + 3),
    ]
    for scene in run.scenes:
        cells = []
        for metric in metrics:
            count, of = len(scene.values.get(metric, {})), scene.attempted.get(metric, 0)
            text = shown(scene_mean(scene, metric), metric)
            cells.append(text if count == of or not count else f"{text} ({count} of {of})")
        most = max(scene.attempted.values(), default=0)
        peak = NONE if scene.peak_gb is None else f"{scene.peak_gb:.1f}"
        seconds = f"{sum(scene.seconds.values()):.0f}" if scene.seconds else NONE
        lines.append(f"| {scene.scene} | {' | '.join(cells)} | {len(scene.inputs)}>{most} | {seconds} | {peak} |")
    return lines


def _common(results: RunFile) -> list[str]:
    names = [run.method for run in results.methods]
    lines = ["| scene | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for scene, found in results.common_ate.items():
        lines.append(f"| {scene} | {' | '.join(shown(found.get(name, math.nan), 'ate') for name in names)} |")
    return lines


def _notes(results: RunFile) -> list[str]:
    lines = [f"- {scene}: not there" for scene in results.missing]
    for run in results.methods:
        for scene in run.scenes:
            said = [scene.failed, *scene.skipped, scene.report.get(SIZE_NOTE)]
            lines += [f"- {run.method}, {scene.scene}: {text}" for text in said if text]
    return lines


def shown(value: float, metric: str) -> str:
    """A value of a metric in the digits that tables give it; a dash for NaN."""
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "inf"
    name = metric.partition("-")[0]
    return f"{value:.{_DIGITS.get(name, _DIGITS.get(name.lstrip('m'), 3))}f}"


def _words(values: dict[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())
