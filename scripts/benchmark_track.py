"""Measure tracks on synthetic clips of which everything is known: errors in the picture and in 3D, and visibility.

    python scripts/benchmark_track.py --markdown docs/benchmarks_track.md --json track.json
    python scripts/benchmark_track.py --only demo --runs demo=outputs/demo/neoverse/run --anchors video,scene

The demo's clip, and those of the movers' battery. Scenes are reconstructed here, or come from finished runs of the same
clips.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import tyro
from _benchmark.columns import Column
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables
from _benchmark.track_cases import NAMES, make_case, of_times
from _benchmark.track_scores import score
from _benchmark.track_truth import choose_points, true_tracks

from neoverse_ns.applications.track.config import Anchor, TrackConfig
from neoverse_ns.applications.track.track import track
from neoverse_ns.errors import SettingsError

TITLE = "Points followed in 3D"


@dataclass
class BenchmarkTrack:
    """Measure tracks on synthetic clips."""

    only: str = "demo,walker"
    """Names of clips, separated by commas."""
    runs: tuple[str, ...] = ()
    """Finished runs or saved scenes, as NAME=PATH; other clips are reconstructed, and not trained."""
    anchors: str = "video,training,scene"
    """What places are measured on; see ns-neoverse track --help."""
    homes: int = 3
    """Frames that points are given in, spread over the clip."""
    still: int = 24
    """Pixels between points on what is still."""
    moving: int = 8
    """Pixels between points on what moves."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    add: bool = False
    """Keep what the file named by --json says of other clips, and write both."""


def measure(name: str, anchor: Anchor, options: BenchmarkTrack, work: Path) -> Row:
    """One clip with one way of following.

    Raises:
        NeoVerseError: It cannot be reconstructed.
    """
    case = make_case(name, work, _runs(options).get(name))
    homes = of_times(case, options.homes)
    queries = choose_points(case.solids, case.cameras, case.time_of, homes, options.still, options.moving)
    truth = true_tracks(case.solids, case.cameras, case.time_of, queries)
    started = time.process_time()
    tracks = track(case.scene, queries, TrackConfig(anchor=anchor))
    seconds = time.process_time() - started
    moving = sorted({solid.thing for solid in case.solids} - {0})
    names = {"still": [0], "moving": moving} | case.things
    scores = {group: values | {"seconds": seconds} for group, values in score(tracks, truth, names).items()}
    return {"clip": f"{name}, {anchor}"} | scores


def sections(things: tuple[str, ...]) -> dict[str, tuple[Column, ...]]:
    """A table for every group of points."""

    def columns(key: str) -> tuple[Column, ...]:
        return (
            Column("points", (key, "points"), 0),
            Column("hidden", (key, "hidden"), 2),
            Column("median px", (key, "median"), 2),
            Column("90 % px", (key, "p90"), 2),
            Column("occlusion accuracy", (key, "occlusion"), 3),
            Column("AJ", (key, "aj"), 3),
            Column("3D, median", (key, "aside"), 3),
            Column("3D, 90 %", (key, "aside_p90"), 3),
            Column("3D-AJ", (key, "aj_3d"), 3),
            *((Column("CPU s", (key, "seconds"), 0),) if key == "all" else ()),
        )

    return {key.capitalize(): columns(key) for key in ("all", "still", "moving", *things)}


def header(options: BenchmarkTrack) -> dict[str, Any]:
    """What was measured how, and where."""
    return {
        "rows": "clip, and what places are measured on: `video` all frames, `training` all but those held out (every "
        "8th), whose places are then the scene's motion between others, `scene` no frame at all",
        "scenes": ", ".join(f"{name} from a trained run" for name in _runs(options)) or "reconstructed, not trained",
        "points": f"of {options.homes} frames from the first to the last, every {options.still} pixels on what is "
        f"still, every {options.moving} on what moves; each is followed through all frames, forward and back",
        "px": "distance to the true place in the clip's own pixels, of points that are truly seen, in all frames but "
        "the one they were given in; also where seen again after they were hidden",
        "occlusion accuracy": "share of right answers to whether a point is seen, in the same frames",
        "3D": "distance to the true place in the frame's camera over the true depth, after one scale for the clip, "
        "that of still points",
        "AJ, 3D-AJ": "TAP-Vid's and TAPVid-3D's average Jaccard (median scale of the group; thresholds of 1 to 16 "
        "pixels, the lowest of which is 0.3 % of the depth here)",
        "machine": describe_machine(),
    }


def _runs(options: BenchmarkTrack) -> dict[str, Path]:
    pairs = [text.partition("=") for text in options.runs]
    wrong = [name for name, _, path in pairs if name not in NAMES or not path]
    if wrong:
        raise SettingsError(f"--runs takes NAME=PATH with a name among {', '.join(NAMES)}, not {wrong[0]}")
    return {name: Path(path) for name, _, path in pairs}


def run(options: BenchmarkTrack, work: Path) -> int:
    """Measure every clip, write after each, print the tables at the end; returns the process's exit code."""
    names, wanted = options.only.split(","), options.anchors.split(",")
    anchors: list[Anchor] = [anchor for anchor in get_args(Anchor) if anchor in wanted]
    unknown = [name for name in names if name not in NAMES] + [name for name in wanted if name not in anchors]
    if unknown:
        raise SettingsError(f"there is no {unknown[0]}: clips are {', '.join(NAMES)}, anchors video, training, scene")
    jobs: list[Job] = [
        (f"{name}, {anchor}", lambda name=name, anchor=anchor: measure(name, anchor, options, work))
        for name in names
        for anchor in anchors
    ]
    report = tables(header(options), sections(("thrown ball", "crate", "rolling ball")), TITLE)
    return measure_all(jobs, report, options.json, options.markdown, options.add)


def main() -> int:
    options = tyro.cli(BenchmarkTrack, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-track-")


if __name__ == "__main__":
    sys.exit(main())
