"""Draw what the reconstructor makes of a clip on one page: frames, depth, confidence, motion, camera path from above.

python scripts/show_geometry.py clip.mp4 page.png --start 2 --duration 3
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap
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
from neoverse_ns.errors import NeoVerseError, SettingsError
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.solve import solve_geometry
from neoverse_ns.reconstruct.split import split_frames

ROWS = ("frame", "depth (log)\nred: near", "confidence", "moving")
POINTS_PER_KEYFRAME = 1500
SURROUNDINGS = 4.0
"""How far around the camera path points are shown, in median depths: a far background would shrink all of interest."""


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
    plan, path, words = bottom.subplots(1, 3, width_ratios=[3, 2, 2])
    _draw_plan(plan, clip, geometry)
    _draw_path(path, geometry.cameras.c2w)
    words.axis("off")
    words.text(0, 1, "\n".join(_report_lines(clip, geometry)), va="top", fontsize=8, family="monospace")
    return figure


def _draw_plan(axes: Axes, clip: Clip, geometry: SceneGeometry) -> None:
    """Keyframe points and cameras from above: x to the right, z up the page; moving points in red."""
    shown = []
    for place, frame in enumerate(geometry.keyframes):
        camera = geometry.cameras[frame : frame + 1]
        points = unproject(geometry.depth[place], camera.K[0].float(), camera.c2w[0].float()).reshape(-1, 3)
        stride = max(len(points) // POINTS_PER_KEYFRAME, 1)
        colours = clip.images[frame].reshape(-1, 3)[::stride].numpy().copy()
        colours[geometry.dynamic[place].reshape(-1)[::stride].numpy()] = (1.0, 0.0, 0.0)
        shown.append(points[::stride, [0, 2]].numpy())
        axes.scatter(shown[-1][:, 0], shown[-1][:, 1], c=colours, s=1, linewidths=0, rasterized=True)
    centres, ahead = geometry.cameras.c2w[:, [0, 2], 3].numpy(), geometry.cameras.c2w[:, [0, 2], 2].numpy()
    reach = float(np.linalg.norm(np.ptp(centres, axis=0)))
    # Where the camera hardly moves, the arrows would be too short to see.
    arrows = np.stack([centres, centres + max(0.15 * reach, 0.15) * ahead])
    axes.plot(*centres.T, "k-", linewidth=1)
    axes.plot(arrows[:, :, 0], arrows[:, :, 1], color="tab:blue", linewidth=0.8)
    axes.plot(*centres[0], "o", color="tab:green", markersize=5)
    axes.set(xlabel="x (right)", ylabel="z (ahead)", title="from above; red: moving, blue: where to")
    least, most = np.quantile(np.concatenate(shown), [0.02, 0.98], axis=0)
    least = np.minimum(np.maximum(least, centres.min(0) - SURROUNDINGS), arrows.min((0, 1))) - 0.1
    most = np.maximum(np.minimum(most, centres.max(0) + SURROUNDINGS), arrows.max((0, 1))) + 0.1
    axes.set(xlim=(least[0], most[0]), ylim=(least[1], most[1]))
    # Fill the panel, showing more along the shorter side.
    axes.set_aspect("equal", adjustable="datalim")


def _draw_path(axes: Axes, c2w: Float[Tensor, "n 4 4"]) -> None:
    """The camera's way alone, at its own scale; one dot a frame, dark to bright."""
    x, z = c2w[:, 0, 3].numpy(), c2w[:, 2, 3].numpy()
    axes.plot(x, z, "-", color="0.7", linewidth=1, zorder=1)
    axes.scatter(x, z, c=np.arange(len(x)), cmap="viridis", s=12, zorder=2)
    reach = max(float(np.ptp(x)), float(np.ptp(z)))
    title = "camera path from above" if reach > 0 else "the camera stays in its place"
    half = 0.55 * reach if reach > 0 else 1.0
    middle = (float(x.max() + x.min()) / 2, float(z.max() + z.min()) / 2)
    axes.set(xlabel="x (right)", ylabel="z (ahead)", title=title)
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half))
    axes.set_box_aspect(1)
    axes.locator_params(nbins=5)


def _report_lines(clip: Clip, geometry: SceneGeometry) -> list[str]:
    """The report's plain values, one a line."""
    K = geometry.cameras.K[0]
    lines = [
        f"{clip.source.absolute().parent.name}/{clip.source.name}: {len(clip)} frames {clip.width}x{clip.height}",
        f"focal / width: {float(K[0, 0]) / clip.width:.3f}",
        f"moving: {100 * float(geometry.dynamic.float().mean()):.1f} % of pixels",
    ]
    for name, value in geometry.report.items():
        if isinstance(value, dict):
            inner = ", ".join(f"{key} {_short(item)}" for key, item in value.items())
            lines.append(f"{name}: {inner}"[:90])
        elif not isinstance(value, (list, tuple)):
            lines.append(f"{name}: {_short(value)}"[:90])
    return [part for line in lines for part in wrap(line, 50, subsequent_indent="  ")][:28]


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def check_output(path: Path) -> None:
    """Find out before the work that it cannot be written.

    Raises:
        SettingsError: The suffix names no known format.
    """
    formats = FigureCanvasAgg.get_supported_filetypes()
    if path.suffix[1:].lower() not in formats:
        raise SettingsError(f"{path}: no picture format of that suffix; use one of {', '.join(sorted(formats))}")


def main() -> int:
    options = tyro.cli(ShowGeometry, description=__doc__)
    try:
        check_output(options.output)
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
