"""Solve cameras with our own reconstructor, with COLMAP and with OpenMVG, on the same frames in the same run.

    pip install 'neoverse-ns[geometry]'
    pip install openmvg-rs  # where it is wanted, too; needs Python 3.11
    python scripts/benchmark_colmap.py --clips CLIPS --markdown docs/benchmarks_colmap.md --json colmap.json

Frames are those of the geometry part of scripts/benchmark.py. A clip that one solver fails on is listed with the reason
and keeps the other's numbers.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro
from _benchmark.alias import alias_of
from _benchmark.colmap import measure_colmap, measure_openmvg
from _benchmark.columns import COLMAP_SECTIONS, SOLVERS
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables

from neoverse_ns.console import warn
from neoverse_ns.errors import NeoVerseError
from neoverse_ns.evaluation.data.clips.folder import find_clips, load_benchmark_clip
from neoverse_ns.evaluation.data.clips.windows import ClipWindow, geometry_window
from neoverse_ns.evaluation.judges.cameras.geometry import measure_geometry, sample_notes
from neoverse_ns.evaluation.methods.solvers.colmap import MAPPINGS, SETTINGS, import_pycolmap
from neoverse_ns.evaluation.methods.solvers.openmvg import describe_openmvg

TITLE = "Cameras beside COLMAP's"


@dataclass
class BenchmarkColmap:
    """All solvers on a folder of clips."""

    clips: Path
    """Folder of clip folders, as for scripts/benchmark.py."""
    only: str | None = None
    """Names of the clips to use, separated by commas; all by default."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the table."""
    start: float = 2.0
    """First second of every video that is long enough; others start at 0."""
    duration: float = 3.0
    """Seconds used of every video."""
    frames: int = 16
    """Frames of every video."""
    seed: int = 0
    """Of COLMAP and OpenMVG."""
    remark: str = ""
    """What readers must know about this run, as that the machine had other work."""
    work_dir: Path | None = None
    """Where frames and models are kept; by default a folder that is deleted at the end."""


def compare(folder: Path, protocol: ClipWindow, work: Path, seed: int) -> Row:
    """One clip by every solver."""
    row: Row = {"clip": folder.name}
    try:
        sample = load_benchmark_clip(folder, protocol, work)
    except NeoVerseError as error:
        return row | {"error": str(error)}
    row |= {"source_frames": sample.clip.frame_indices.tolist(), "notes": sample_notes(sample, protocol)}
    unsolved = {"frames": len(sample.clip), "solved": 0}
    try:
        row["ours"] = measure_geometry(sample)
    except NeoVerseError as error:
        row["ours"] = unsolved | {"notes": [str(error)]}
        warn(f"{folder.name}: ours: {error}")
    row |= measure_colmap(sample, work / "colmap" / folder.name, seed)
    found = measure_openmvg(sample, work / "openmvg" / folder.name, seed)
    row |= {} if found is None else {"openmvg": found}
    for name in SOLVERS:
        row["notes"] += [f"{SOLVERS[name]}: {note}" for note in row.get(name, {}).get("notes", [])]
    if row["ours"]["solved"] and row[MAPPINGS[0]]["solved"]:
        row["times_faster"] = row[MAPPINGS[0]]["seconds"] / row["ours"]["seconds"]
    return row


def run(options: BenchmarkColmap, work: Path) -> int:
    """Compare on every clip, write after each, print the table at the end; returns the process's exit code."""
    version = import_pycolmap().__version__
    protocol = geometry_window(options.start, options.duration, options.frames)
    folders = find_clips(options.clips, options.only.split(",") if options.only else None)
    header = {
        "protocol": f"{alias_of(protocol)}: {protocol.name}",
        "COLMAP": f"pycolmap {version}, seed {options.seed}: {SETTINGS}",
        "OpenMVG": describe_openmvg(options.seed),
        "errors": "over the frames that a solver placed; medians over the clips it solved, of seconds over all",
        "machine": describe_machine(),
    } | ({"remark": options.remark} if options.remark else {})
    jobs: list[Job] = [
        (folder.name, lambda folder=folder: compare(folder, protocol, work, options.seed)) for folder in folders
    ]
    return measure_all(jobs, tables(header, COLMAP_SECTIONS, TITLE), options.json, options.markdown)


def main() -> int:
    options = tyro.cli(BenchmarkColmap, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-colmap-", options.work_dir)


if __name__ == "__main__":
    sys.exit(main())
