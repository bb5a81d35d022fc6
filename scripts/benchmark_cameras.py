"""Solve the cameras of small synthetic clips whose truth is exact: camera work, overlays, lenses and faults of time.

    python scripts/benchmark_cameras.py --markdown docs/benchmarks_cameras.md --json cameras.json
    python scripts/benchmark_cameras.py --only forward,zoom_walk,bonnet
    python scripts/benchmark_cameras.py --clips CLIPS

What is rendered how stands in _benchmark/camera_cases.py. With --clips the clips of that folder that have a reference
are solved, too, on the frames of the geometry part of scripts/benchmark.py.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from _benchmark.alias import alias_of
from _benchmark.camera_cases import CASES, FRAMES, RATE, Case, choose_cases
from _benchmark.camera_render import as_loaded, render_case
from _benchmark.camera_scores import measure_cameras, summarise_intervals
from _benchmark.columns import CAMERA_SECTIONS
from _benchmark.report import Row, describe_machine, to_markdown
from _benchmark.runner import Job, in_work_folder, measure_all

from neoverse_ns.evaluation.data.clips.folder import find_clips, load_benchmark_clip
from neoverse_ns.evaluation.data.clips.windows import geometry_window
from neoverse_ns.evaluation.judges.cameras.geometry import sample_notes

TITLE = "Cameras of all kinds"
PROTOCOL = geometry_window(2.0, 3.0)
"""Of the real clips: that of scripts/benchmark.py."""
SYNTHETIC, REAL = "synthetic", "real"
"""Keys of the measurements in a row."""


@dataclass
class BenchmarkCameras:
    """Solve the camera battery."""

    only: str | None = None
    """Names of cases, and of clips where --clips is given, separated by commas; all by default."""
    clips: Path | None = None
    """Folder of clip folders, as for scripts/benchmark.py; those with a reference are added."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    work_dir: Path | None = None
    """Where links to images are kept; by default a folder that is deleted at the end."""


def measure_case(case: Case) -> Row:
    """Render a synthetic clip and solve what the loader leaves of it."""
    clip, cameras = as_loaded(*render_case(case))
    scores = {"size": [clip.width, clip.height], **measure_cameras(clip, cameras)}
    return {"clip": case.name, SYNTHETIC: scores, "notes": [*clip.notes, *scores["doubts"]]}


def measure_clip(folder: Path, work: Path) -> Row:
    """Solve a real clip that has a reference."""
    sample = load_benchmark_clip(folder, PROTOCOL, work)
    assert sample.cameras is not None
    scores = measure_cameras(sample.clip, sample.cameras)
    return {"clip": folder.name, REAL: scores, "notes": sample_notes(sample, PROTOCOL) + scores["doubts"]}


def choose(options: BenchmarkCameras, work: Path) -> list[Job]:
    """What to measure, by name.

    Raises:
        SettingsError: A name is neither a case's nor, where clips were given, a clip's.
        ClipError: There are no clips.
    """
    names = None if options.only is None else options.only.split(",")
    folders = [] if options.clips is None else _with_reference(options.clips)
    others = {folder.name for folder in folders}
    cases = choose_cases(None if names is None else [name for name in names if name not in others])
    jobs: list[Job] = [(case.name, lambda case=case: measure_case(case)) for case in cases]
    for folder in folders:
        if names is None or folder.name in names:
            jobs.append((folder.name, lambda folder=folder: measure_clip(folder, work)))
    return jobs


def _with_reference(root: Path) -> list[Path]:
    return [folder for folder in find_clips(root) if (folder / "cameras.npz").is_file()]


def describe(rows: list[Row], machine: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Header and text of the report: what was measured, the tables, and what they say of the focal intervals."""
    header: dict[str, Any] = {
        "synthetic clips": f"{len(CASES)} cases of {FRAMES} frames at {RATE:g} a second, rendered with exact cameras",
        "errors": "position after a similarity in % of the true path; where the camera does not travel, the travel "
        "found in % of the median depth; focal interval: errors of both its ends",
    }
    if any(REAL in row for row in rows):
        said = f"{alias_of(PROTOCOL)}: {PROTOCOL.name}"
        header["real clips"] = f"{said}; their references are themselves estimates, but for measured ones"
    header["machine"] = machine
    summary = {key: summarise_intervals([row[key] for row in rows if key in row]) for key in (SYNTHETIC, REAL)}
    lines = [
        f"- {key}, {what}: {share}"
        for key, shares in summary.items()
        if any(key in row for row in rows)
        for what, share in shares.items()
    ]
    text = to_markdown(rows, header, CAMERA_SECTIONS, TITLE)
    return header | {"summary": summary}, "\n".join([text, "## Focal intervals", "", *lines]) + "\n"


def run(options: BenchmarkCameras, work: Path) -> int:
    """Measure everything, write after each, print the tables at the end; returns the process's exit code."""
    jobs, machine = choose(options, work), describe_machine()
    return measure_all(jobs, lambda rows: describe(rows, machine), options.json, options.markdown)


def main() -> int:
    options = tyro.cli(BenchmarkCameras, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-cameras-", options.work_dir)


if __name__ == "__main__":
    sys.exit(main())
