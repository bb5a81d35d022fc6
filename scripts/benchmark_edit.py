"""Measure edits: things of the demo's yard removed, moved and doubled, against the yard rendered that way.

    python scripts/benchmark_edit.py outputs/demo --markdown docs/benchmarks_edit.md

Each thing is selected twice: as the reconstruction found it, and by its true mask.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro
from _benchmark.columns import Column
from _benchmark.edits import EditedRun
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables
from show_views import find_config

from neoverse_ns.api.runs import load
from neoverse_ns.applications.edit.config import CompositeConfig
from neoverse_ns.applications.edit.edit import EditConfig
from neoverse_ns.generate.config import RefinerConfig

SECTIONS = {
    "Removed": (
        Column("selection IoU", ("selection", "iou"), 2),
        Column("dB in the region", ("remove", "db"), 2, "mean"),
        Column("Telea per frame", ("remove", "telea"), 2, "mean"),
        Column("gain", ("remove", "gain"), 2, "mean"),
        Column("outside", ("remove", "outside"), 1),
    ),
    "Moved": (
        Column("dB in the region", ("move", "db"), 2, "mean"),
        Column("silhouette IoU", ("move", "iou"), 3, "mean"),
        Column("outside", ("move", "outside"), 1),
    ),
    "Doubled": (
        Column("dB of the copy", ("duplicate", "db"), 2, "mean"),
        Column("silhouette IoU", ("duplicate", "iou"), 3, "mean"),
        Column("outside", ("duplicate", "outside"), 1),
    ),
}


@dataclass
class EditBenchmark:
    """Measure a finished run of the demo's clip."""

    run: tyro.conf.Positional[Path]
    """Its config.yml, or a folder, whose newest run is taken."""
    yard_seed: int = 0
    """Of the yard that was rendered."""
    things: tuple[int, ...] = (1, 2, 3)
    """Of the yard: the thrown ball, the sliding crate, the ball that rolls behind the pillar."""
    every: int = 1
    """Of so many frames one is compared with the truth, whose rendering takes most of the time."""
    from_frames: bool = True
    """See ns-neoverse edit --help."""
    refine: Annotated[RefinerConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=RefinerConfig)
    """Who finishes the frames."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""


def header(options: EditBenchmark) -> dict[str, Any]:
    """What was measured how, and where."""
    return {
        "run": f"ns-train neoverse on the clip of ns-neoverse demo (seed {options.yard_seed}), every 8th frame held "
        f"out; refiner: {options.refine.refiner}",
        "protocol": f"one of {options.every} sampled frames, of those that show 24 pixels of the region and more; PSNR "
        "there against the yard rendered with the edit; moved by 8 % of the median depth, region: where it was and "
        "where it is; outside: worst frame against the clip's, 6 pixels from the region and more (100: untouched)",
        "selection": "own: what the reconstruction found to move; exact: the true mask of every frame",
        "machine": describe_machine(),
    }


def run(options: EditBenchmark) -> int:
    """Measure every thing, print the tables at the end; returns the process's exit code."""
    config = EditConfig(CompositeConfig(from_frames=options.from_frames), options.refine)
    edited = EditedRun(load(find_config(options.run)), options.yard_seed, config, options.every)
    jobs: list[Job] = []
    for thing in options.things:
        for name in ("own", "exact"):
            jobs.append((f"thing {thing}, {name}", _job(edited, thing, name)))
    return measure_all(jobs, tables(header(options), SECTIONS, "Edits"), options.json, options.markdown)


def _job(edited: EditedRun, thing: int, name: str) -> Callable[[], Row]:
    return lambda: {"clip": f"thing {thing}, {name}", **edited.measure(thing, name == "exact")}


def main() -> int:
    options = tyro.cli(EditBenchmark, description=__doc__)
    return in_work_folder(lambda _: run(options), "neoverse-edit-")


if __name__ == "__main__":
    sys.exit(main())
