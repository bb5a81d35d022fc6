"""Measure how an exported instant looks in a splat viewer: drawn flat, in one sorted pass, against the layered drawing.

    python scripts/benchmark_export.py RUN/config.yml [RUN/config.yml ...] --markdown docs/benchmarks_export.md

In the frame's own camera and from orbits 8 and 15 degrees to its right and left, held-out frames and some others;
against the truth where the frame shows it; and, to compare, all Gaussians alive written side by side.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
from _benchmark.columns import Column
from _benchmark.report import Row, describe_machine, to_markdown, write_report

from neoverse_ns.console import CONSOLE, progress, warn
from neoverse_ns.errors import NeoVerseError
from neoverse_ns.export.instant import around, flat_instant
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.image import psnr
from neoverse_ns.plugin.run import OpenRun, open_run
from neoverse_ns.rasterize.drawing import draw_instant

DEGREES = (8.0, 15.0)
"""Of the orbits. The export itself looks from 8 degrees aside, but not from farther."""
FIELDS = ("means", "quats", "scales", "opacities", "sh", "index")


@dataclass
class ExportBenchmark:
    """Measure finished runs."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Their config.yml files."""
    others: int = 3
    """Frames beside those held out, evenly over the training frames."""
    markdown: Path | None = None
    """Where to write the table."""
    json: Path | None = None
    """Where to write every number."""


def side_by_side(run: OpenRun, time: float) -> GaussiansAtTime:
    """Everything alive, as if there were no layers."""
    model, _ = run.loaded()
    parts = [at_time(layer, time) for layer in model.gaussians.detach().values()]
    return GaussiansAtTime(**{name: torch.cat([getattr(part, name) for part in parts]) for name in FIELDS})


@torch.no_grad()
def measure(run: OpenRun, others: int) -> Row:
    """Means and worst values over the chosen frames, dB."""
    model, scene = run.loaded()
    train = run.split.train
    chosen = sorted({*run.split.held_out, *(train[len(train) * (2 * i + 1) // (2 * others)] for i in range(others))})
    depth = float(scene.geometry.depth.median())
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    with progress("drawing exported instants", len(chosen)) as steps:
        for frame in chosen:
            camera, time = run.cameras[[frame]], float(run.clip.times[frame])
            near, far = (around(camera, depth, degrees) for degrees in DEGREES)
            views = PinholeCameras(
                torch.cat([near.c2w[:3], far.c2w[1:3]]), camera.K.expand(5, 3, 3), camera.width, camera.height
            )
            layered = [drawing.rgb[0].clamp(0, 1) for drawing in run.drawings(views, torch.full((5,), time))]
            truth = run.clip.frames[frame].float() / 255
            flat = flat_instant(model.gaussians.detach(), time, camera, model.config.draw_options)
            note("gaussians", len(flat.means))
            for kind, instant in (("flat", flat), ("all", side_by_side(run, time))):
                shown = _draw(instant, views, model.config.rasterize_mode)
                note(f"{kind} in view", psnr(shown[0], layered[0]))
                for aside in (1, 2):
                    note(f"{kind} aside", psnr(shown[aside], layered[aside]))
                    note(f"{kind} far aside", psnr(shown[aside + 2], layered[aside + 2]))
                if frame in run.split.held_out:
                    note(f"{kind} truth", psnr(shown[0], truth))
            if frame in run.split.held_out:
                note("layered truth", psnr(layered[0], truth))
            steps.advance()
    row: Row = {"frames": len(chosen)}
    for name, values in found.items():
        row[name] = sum(values) / len(values)
        row[f"{name} worst"] = min(values)
    return row


def _draw(instant: GaussiansAtTime, views: PinholeCameras, mode: Any) -> list[torch.Tensor]:
    drawing = draw_instant(instant, views.viewmats, views.K, views.width, views.height, mode)
    return list(drawing.rgb.clamp(0, 1))


SECTIONS = {
    "Exported instant, drawn flat (dB)": (
        Column("in view", ("flat in view",), 1, "mean"),
        Column("worst", ("flat in view worst",), 1, "mean"),
        Column("8° aside", ("flat aside",), 1, "mean"),
        Column("worst aside", ("flat aside worst",), 1, "mean"),
        Column("15° aside", ("flat far aside",), 1, "mean"),
        Column("truth, layered", ("layered truth",), 2, "mean"),
        Column("truth, flat", ("flat truth",), 2, "mean"),
        Column("all, in view", ("all in view",), 1, "mean"),
        Column("all, aside", ("all aside",), 1, "mean"),
        Column("all, truth", ("all truth",), 2, "mean"),
        Column("Gaussians", ("gaussians",), 0, "mean"),
    )
}


def run(options: ExportBenchmark) -> int:
    header = {
        "protocol": f"held-out frames and {options.others} more; 8 and 15 degrees of orbit about the median depth to "
        "either side; flat is the exported instant in one sorted pass, all is everything alive side by side, both "
        "against the layered drawing; truth is of held-out frames",
        "machine": describe_machine(),
    }
    rows: list[Row] = []
    for config in options.runs:
        opened = open_run(config)
        rows.append({"clip": opened.loaded()[1].clip.source.parent.name, **measure(opened, options.others)})
        text = to_markdown(rows, header, SECTIONS, "What is exported against what is shown")
        write_report(rows, header, text, options.json, options.markdown)
    CONSOLE.print(to_markdown(rows, header, SECTIONS), markup=False, highlight=False)
    return 0


def main() -> int:
    try:
        return run(tyro.cli(ExportBenchmark, description=__doc__))
    except NeoVerseError as error:
        warn(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
