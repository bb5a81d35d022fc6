"""Steady walks that were shaken by a known amount, and finished runs of real clips.

    python scripts/benchmark_stabilize.py --markdown docs/benchmarks_stabilize.md --json stabilize.json
    python scripts/benchmark_stabilize.py --strengths 2 --width 192 --steps 0 --runs outputs/clip/neoverse/run

The courtyard is walked through on rails, with the shake of a hand added (_benchmark/shaken.py). The clip is
reconstructed and optimised like any other, and made steady; what comes out is compared with the truth along the same
steady path.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro
from _benchmark.columns_stabilize import STABILIZE_SECTIONS
from _benchmark.picture_motion import picture_shake
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables
from _benchmark.shaken import ShakenClip, shaken_clip
from _benchmark.steady_scores import score_pictures, score_shake

from neoverse_ns import load
from neoverse_ns.api.runs import shown
from neoverse_ns.applications.stabilize.config import StabilizeConfig
from neoverse_ns.applications.stabilize.jitter import SECONDS
from neoverse_ns.applications.stabilize.steady import SteadyVideo, stabilize
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.write import write_video
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.optimise.loop import optimise
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import build_scene
from neoverse_ns.reconstruct.store import is_saved_scene, load_scene, save_scene

TITLE = "Stabilisation"
FRAMES, RATE = 25, 8.0


@dataclass
class BenchmarkStabilize:
    """Measure stabilisation."""

    strengths: str = "1,2,4"
    """Shakes, separated by commas; 1 turns by 0.35 degrees and sways by 0.6 % of the depth on every axis. Empty leaves
    them out."""
    seed: int = 0
    """Of the scene and the shake."""
    width: int = 384
    """Of the pictures."""
    steps: int = 150
    """Of optimisation."""
    runs: tuple[Path, ...] = ()
    """Finished runs of real clips."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    add: bool = False
    """Keep what the file named by --json says of other clips, and write both."""
    work_dir: Path | None = None
    """Where reconstructions are kept and found again; by default a folder that is deleted at the end."""


def measure_shaken(strength: float, options: BenchmarkStabilize, work: Path) -> Row:
    """Shake, reconstruct, steady, compare.

    Raises:
        NeoVerseError: It cannot be reconstructed.
    """
    clip = shaken_clip(strength, options.seed, FRAMES, options.width, round(options.width * 7 / 24) * 2, RATE)
    scene = _reconstructed(clip, work / f"shaken_{strength:g}_{options.seed}_{options.width}_{options.steps}", options)
    video = stabilize(scene)
    drawn = stabilize(scene, StabilizeConfig(seconds=video.seconds, pixels="drawn"))
    videos = {"own": video.frames, "drawn": drawn.frames}
    row: Row = {"clip": _name(strength, options), **_effort(video)}
    row["shake"] = score_shake(clip, scene, video)
    row["pictures"] = score_pictures(clip, scene, videos, video.trajectory.cameras)
    return row


def measure_run(path: Path) -> Row:
    """Steady a finished run, of whose cameras only the estimate is known."""
    scene = load(path)
    assert scene.source is not None
    video = stabilize(scene)
    before, after = vars(video.before), vars(video.after)
    shakes = [picture_shake(frames, scene.seconds) for frames in (scene.source.clip.frames, video.frames)]
    picture = {"before": shakes[0], "after": shakes[1], "left": 100 * shakes[1] / shakes[0]}
    left = {name: 100 * after[name] / before[name] for name in before}
    run = {"before": before, "after": after, "left": left, "picture": picture}
    return {"clip": _clip_of(path), **_effort(video), "run": run}


def _reconstructed(clip: ShakenClip, folder: Path, options: BenchmarkStabilize) -> ExportScene:
    if not is_saved_scene(folder):
        video = folder.with_suffix(".mp4")
        video.parent.mkdir(parents=True, exist_ok=True)
        write_video(video, clip.frames, RATE)
        config = SceneConfig(clip=ClipConfig(num_frames=FRAMES, width=options.width), held_out_every=0)
        scene = build_scene(video, replace(config, reconstructor="bundle"))
        if options.steps:
            scene = optimise(scene, OptimiseConfig(steps=options.steps))
        save_scene(scene, folder)
    return shown(load_scene(folder))


def _clip_of(run: Path) -> str:
    """What the run is of: nerfstudio keeps it in EXPERIMENT/METHOD/TIME."""
    folder = run.parent if run.is_file() else run
    return folder.absolute().parent.parent.name


def _name(strength: float, options: BenchmarkStabilize) -> str:
    return f"shaken {strength:g}, {options.width} px, {options.steps} steps"


def _effort(video: SteadyVideo) -> dict[str, Any]:
    return {"seconds": video.seconds, "cut": 100 * video.part.cut, "unseen": 100 * max(video.unseen)}


def header(options: BenchmarkStabilize) -> dict[str, Any]:
    """What was measured how, and where."""
    return {
        "clips": f"the courtyard walked through on rails, shaken in the band of a hand (0.3 to 3 hertz): {FRAMES} "
        f"frames, {RATE:g} a second, none held out; strength 1 is 0.35 degrees and 0.6 % of the depth on every axis",
        "scenes": "reconstructed from the video without weights, and optimised in as many steps as stand there",
        "shake": f"root mean square of what a Gaussian low-pass of {SECONDS:g} s (local linear regression on the "
        "group) takes away of the motion: rotation, position over the depth, and the picture at that depth. The walk "
        "on rails itself turns and bends, which counts a little (column of the rails)",
        "true cameras": "of the result: the true camera of a frame, moved as its estimate was; errors of the estimate "
        "shake the result and count",
        "wobble": "high-passed median displacement, by optical flow, against the truth along the smooth path, of still "
        "and of moving pixels",
        "PSNR": "own pixels and drawing against the truth from the true steady cameras; at the clip's own cameras the "
        "drawing is compared with the very frames that it was optimised on, which nothing seen from elsewhere reaches",
        "picture": "high-passed shift of the picture's middle, of a similarity fitted to followed corners; what moves "
        "and parallax are left in it, so that a steady walk does not come to 0 (column of the truth's)",
        "machine": describe_machine(),
    }


def run(options: BenchmarkStabilize, work: Path) -> int:
    """Measure every clip, write after each, print the tables at the end; returns the process's exit code."""
    jobs: list[Job] = [
        (_name(strength, options), lambda strength=strength: measure_shaken(strength, options, work))
        for strength in map(float, filter(None, options.strengths.split(",")))
    ]
    jobs += [(_clip_of(path), lambda path=path: measure_run(path)) for path in options.runs]
    report = tables(header(options), STABILIZE_SECTIONS, TITLE)
    return measure_all(jobs, report, options.json, options.markdown, options.add)


def main() -> int:
    options = tyro.cli(BenchmarkStabilize, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-stabilize-", options.work_dir)


if __name__ == "__main__":
    sys.exit(main())
