"""Draw what the reconstructor makes of a clip on one page: frames, depth, confidence, motion, camera path from above.

python scripts/show_geometry.py clip.mp4 page.png --start 2 --duration 3
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.console import say, warn
from neoverse_ns.errors import NeoVerseError
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.solve import solve_geometry
from neoverse_ns.reconstruct.split import split_frames

ROWS = ("frame", "depth (log)", "confidence", "moving")
POINTS_PER_KEYFRAME = 1500


@dataclass
class ShowGeometry:
    """One page about a clip's geometry."""

    source: tyro.conf.Positional[Path]
    """Video file, folder of images, or image."""
    output: tyro.conf.Positional[Path]
    """Picture to write; its suffix decides the format (png, jpg, pdf, svg)."""
    columns: int = 5
    """Keyframes shown."""
    clip: Annotated[ClipConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=ClipConfig)
    """Which frames are used, and at which size."""


def draw_page(clip: Clip, geometry: SceneGeometry, columns: int) -> Figure:
    """The whole page.

    Args:
        clip: The frames that `geometry` was estimated from.
        geometry: What to draw.
        columns: Keyframes shown, spread evenly; at most as many as there are.
    """
    shown = np.unique(np.linspace(0, len(geometry.keyframes) - 1, columns).round().astype(int)).tolist()
    aspect = clip.height / clip.width
    figure = Figure(figsize=(3 * len(shown), 3 * aspect * len(ROWS) + 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    halves = figure.add_gridspec(2, 1, height_ratios=[3 * aspect * len(ROWS), 4.5])
    top, bottom = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
    grid = top.subplots(len(ROWS), len(shown), squeeze=False)
    log_depth = geometry.depth.log()
    near, far = np.quantile(log_depth[:, ::4, ::4].numpy(), [0.02, 0.98]).tolist()
    for column, keyframe in enumerate(shown):
        frame = geometry.keyframes[keyframe]
        pictures = grid[:, column]
        pictures[0].imshow(clip.frames[frame].numpy())
        pictures[0].set_title(f"frame {int(clip.frame_indices[frame])}, {float(clip.seconds[frame]):.2f} s", fontsize=9)
        pictures[1].imshow(-log_depth[keyframe].numpy(), cmap="turbo", vmin=-far, vmax=-near)
        pictures[2].imshow(geometry.confidence[keyframe].numpy(), cmap="gray", vmin=0, vmax=1)
        pictures[3].imshow(geometry.dynamic[keyframe].numpy(), cmap="gray", vmin=0, vmax=1)
        for row, axes in enumerate(pictures):
            axes.set(xticks=[], yticks=[], ylabel=ROWS[row] if column == 0 else "")
    plan, words = bottom.subplots(1, 2, width_ratios=[2, 1])
    _draw_plan(plan, clip, geometry)
    words.axis("off")
    words.text(0, 1, "\n".join(_report_lines(clip, geometry)), va="top", fontsize=8, family="monospace")
    return figure


def _draw_plan(axes: Axes, clip: Clip, geometry: SceneGeometry) -> None:
    """Camera path and keyframe points from above: x to the right, z up the page; moving points in red."""
    for place, frame in enumerate(geometry.keyframes):
        camera = geometry.cameras[frame : frame + 1]
        points = unproject(geometry.depth[place], camera.K[0].float(), camera.c2w[0].float()).reshape(-1, 3)
        stride = max(len(points) // POINTS_PER_KEYFRAME, 1)
        colours = clip.images[frame].reshape(-1, 3)[::stride].numpy().copy()
        colours[geometry.dynamic[place].reshape(-1)[::stride].numpy()] = (1.0, 0.0, 0.0)
        x, z = points[::stride, 0].numpy(), points[::stride, 2].numpy()
        axes.scatter(x, z, c=colours, s=1, linewidths=0, rasterized=True)
    centres, ahead = geometry.cameras.c2w[:, :3, 3], geometry.cameras.c2w[:, :3, 2]
    step = 0.15 * _reach(centres)
    axes.plot(centres[:, 0], centres[:, 2], "k-", linewidth=1)
    arrows = np.stack([centres.numpy(), (centres + step * ahead).numpy()])
    axes.plot(arrows[:, :, 0], arrows[:, :, 2], color="tab:blue", linewidth=0.8)
    axes.plot(centres[0, 0], centres[0, 2], "o", color="tab:green", markersize=5)
    # Far background would shrink everything of interest; the median depth is 1.
    axes.set(
        aspect="equal", xlabel="x (right)", ylabel="z (ahead)", title="from above; green: first camera, red: moving"
    )
    middle = float(centres[:, 0].mean())
    axes.set_xlim(middle - 2.2, middle + 2.2)
    axes.set_ylim(float(centres[:, 2].min()) - 0.3, float(centres[:, 2].max()) + 2.5)


def _reach(centres: Float[Tensor, "n 3"]) -> float:
    """A length to draw viewing directions with: the path's extent, or the median depth where the camera stands."""
    extent = float((centres.amax(0) - centres.amin(0)).norm())
    return extent if extent > 0.05 else 1.0


def _report_lines(clip: Clip, geometry: SceneGeometry) -> list[str]:
    """The report's plain values, one a line."""
    K = geometry.cameras.K[0]
    lines = [
        f"{clip.source.name}: {len(clip)} frames {clip.width}x{clip.height}",
        f"focal / width: {float(K[0, 0]) / clip.width:.3f}",
        f"moving: {100 * float(geometry.dynamic.float().mean()):.1f} % of pixels",
    ]
    for name, value in geometry.report.items():
        if isinstance(value, dict):
            inner = ", ".join(f"{key} {_short(item)}" for key, item in value.items())
            lines.append(f"{name}: {inner}"[:90])
        elif not isinstance(value, (list, tuple)):
            lines.append(f"{name}: {_short(value)}"[:90])
    return lines[:28]


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> int:
    options = tyro.cli(ShowGeometry, description=__doc__)
    try:
        clip = load_clip(options.source, options.clip)
        split = split_frames(len(clip), held_out_every=0)
        geometry = solve_geometry(clip, split, BundleConfig()).geometry
        options.output.parent.mkdir(parents=True, exist_ok=True)
        draw_page(clip, geometry, options.columns).savefig(options.output, dpi=110)
    except NeoVerseError as error:
        warn(str(error))
        return 1
    except OSError as error:
        warn(f"{options.output} cannot be written: {error.strerror or error}")
        return 1
    say(f"wrote {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
