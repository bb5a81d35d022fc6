"""Draw what moves in a finished run: held-out truth and drawing cropped to every mover, from both sides, and its depth.

    python scripts/show_movers.py outputs/dog movers.png
    python scripts/show_movers.py outputs/dog/neoverse/run/config.yml movers.png --most 2 --frames 5

A mover is a thing that the reconstructor told apart, or else a region of its motion masks, linked through time. The
cameras aside stand 15 degrees to the left and to the right, turned about the mover's middle at the depth at which it is
drawn. The plot shows the median depth of its pixels in every keyframe, the quarter beyond on either side (shaded), and
the median of the still pixels right around it (dashed): a mover that dips behind them vanishes from aside.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import tyro
from _benchmark.movers import Mover, find_movers
from _benchmark.turned import middle_of, turned_about
from jaxtyping import Bool, UInt8
from make_pictures import spread
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from show_geometry import check_output
from show_views import find_config
from torch import Tensor

from neoverse_ns.console import say, warn
from neoverse_ns.errors import NeoVerseError, RunError
from neoverse_ns.plugin.run import OpenRun, open_run, to_bytes
from neoverse_ns.reconstruct.scene import Scene

TITLES = ("truth", "drawn", "15° left", "15° right")
MARGIN = 0.3
"""How far a crop reaches beyond the mover's box on every side, in sides of the box."""
LEAST_CROP = 48
"""Pixels that a crop has along each side at least."""
RING = 9
"""Pixels around a mover whose still depth is shown beside its own."""

Box = tuple[slice, slice]


@dataclass
class ShowMovers:
    """One page about what moves in one run."""

    run: tyro.conf.Positional[Path]
    """A run's config.yml, or a folder, whose newest run is taken."""
    picture: tyro.conf.Positional[Path]
    """Where to write the page; its suffix decides the format (png, jpg, pdf, svg)."""
    most: int = 3
    """Movers shown, largest first."""
    frames: int = 3
    """Frames shown of each: held-out ones that show it, spread over the clip; keyframes where there are none."""


def draw_page(run: OpenRun, most: int, frames: int) -> Figure:
    """The whole page.

    Raises:
        RunError: This is no run from a folder, or nothing moves in it.
    """
    if run.scene is None:
        raise RunError("this scene was not loaded from a run folder")
    movers = find_movers(run.clip, run.scene.geometry, most)
    if not movers:
        raise RunError("nothing moves in this run: no region of the motion masks is seen in two keyframes")
    shown = [frames_showing(run.scene, mover, frames) for mover in movers]
    heights = [2.7 * max(len(chosen), 1.5) for chosen in shown]
    figure = Figure(figsize=(15, sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    blocks = figure.subfigures(len(movers), 1, squeeze=False, height_ratios=heights)[:, 0]
    for number, (mover, block) in enumerate(zip(movers, blocks, strict=True)):
        _draw_mover(block, run, run.scene, mover, shown[number])
        share = 100 * mover.size / mover.masks.numel()
        block.suptitle(f"mover {number + 1}: {share:.1f} % of all pixels, in {len(mover.seen)} keyframes", fontsize=9)
    return figure


def mask_at(scene: Scene, mover: Mover, frame: int) -> Bool[Tensor, "h w"]:
    """Where a mover is in any frame: its own mask in a keyframe, else what moves in the frame around its places in the
    keyframes before and after; empty where neither shows it."""
    keyframes = scene.geometry.keyframes
    if frame in keyframes:
        return mover.masks[keyframes.index(frame)]
    before = max((k for k in keyframes if k < frame), default=keyframes[0])
    after = min((k for k in keyframes if k > frame), default=keyframes[-1])
    around = mover.masks[keyframes.index(before)] | mover.masks[keyframes.index(after)]
    if frame not in scene.split.held_out or not bool(around.any()):
        return around
    rows, columns = box_of(around, 0.0)
    inside = torch.zeros_like(around)
    inside[rows, columns] = scene.held_out_dynamic[scene.split.held_out.index(frame)][rows, columns]
    return inside


def frames_showing(scene: Scene, mover: Mover, most: int) -> list[int]:
    """At most so many held-out frames that show a mover, spread over the clip; keyframes where none does."""
    held_out = [frame for frame in scene.split.held_out if bool(mask_at(scene, mover, frame).any())]
    return spread(held_out or [scene.geometry.keyframes[place] for place in mover.seen], most)


def box_of(mask: Bool[Tensor, "h w"], margin: float = MARGIN, least: int = 1) -> Box:
    """Rows and columns of a mask that is not empty, with `margin` sides of the box more on every side."""
    slices = []
    for axis, length in ((1, mask.shape[0]), (0, mask.shape[1])):
        hit = torch.nonzero(mask.any(dim=axis))[:, 0]
        first, last = int(hit[0]), int(hit[-1]) + 1
        wanted = max(round((last - first) * (1 + 2 * margin)), min(least, length))
        begin = min(max((first + last - wanted) // 2, 0), max(length - wanted, 0))
        slices.append(slice(begin, min(begin + wanted, length)))
    return slices[0], slices[1]


def crops(run: OpenRun, scene: Scene, mover: Mover, frame: int) -> list[UInt8[Tensor, "ch cw 3"]]:
    """Truth, drawing, and both sides, cropped to a mover that the frame shows."""
    mask = mask_at(scene, mover, frame)
    camera, moment = run.cameras[[frame]], run.clip.times[[frame]]
    (own,) = run.drawings(camera, moment)
    sides = turned_about(camera, middle_of(own.depth[0, ..., 0], mask, camera))
    pictures = [to_bytes(drawing.rgb[0]) for drawing in (own, *run.drawings(sides, moment.expand(len(sides))))]
    rows, columns = box_of(mask, least=LEAST_CROP)
    return [picture[rows, columns] for picture in (run.clip.frames[frame], *pictures)]


def _draw_mover(block: SubFigure, run: OpenRun, scene: Scene, mover: Mover, shown: list[int]) -> None:
    grid = block.add_gridspec(len(shown), len(TITLES) + 1, width_ratios=[*[1.0] * len(TITLES), 1.3])
    for row, frame in enumerate(shown):
        pictures = crops(run, scene, mover, frame)
        for column, title in enumerate(TITLES):
            axes = block.add_subplot(grid[row, column])
            axes.set(xticks=[], yticks=[])
            if row == 0:
                axes.set_title(title, fontsize=9)
            if column == 0:
                axes.set_ylabel(f"frame {frame}, {float(run.clip.seconds[frame]):.2f} s", fontsize=8)
            axes.imshow(pictures[column].numpy())
    plot_depth(block.add_subplot(grid[:, -1]), scene, mover, shown)


def plot_depth(axes: Axes, scene: Scene, mover: Mover, shown: list[int]) -> None:
    """Depth of a mover over time, and that of the still pixels around it; dotted lines are the frames shown."""
    geometry, seconds = scene.geometry, scene.clip.seconds
    kernel = np.ones((2 * RING + 1, 2 * RING + 1), np.uint8)
    when, own, around = [], [], []
    for place in mover.seen:
        mask, depth = mover.masks[place], geometry.depth[place]
        ring = torch.from_numpy(cv2.dilate(mask.numpy().astype(np.uint8), kernel) > 0) & ~geometry.dynamic[place]
        when.append(float(seconds[geometry.keyframes[place]]))
        own.append(np.quantile(depth[mask].numpy(), [0.25, 0.5, 0.75]))
        around.append(float(depth[ring].median()) if bool(ring.any()) else float("nan"))
    low, middle, high = np.transpose(own)
    axes.fill_between(when, low, high, alpha=0.25, linewidth=0)
    axes.plot(when, middle, "o-", markersize=3, label="mover")
    axes.plot(when, around, "k--", linewidth=0.8, label="still around it")
    for frame in shown:
        axes.axvline(float(seconds[frame]), color="0.6", linestyle=":", linewidth=0.8)
    axes.set(xlabel="seconds", title="depth in keyframes (nearer is lower)")
    axes.title.set_fontsize(9)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7)


def main() -> int:
    options = tyro.cli(ShowMovers, description=__doc__)
    try:
        check_output(options.picture)
        page = draw_page(open_run(find_config(options.run)), options.most, options.frames)
        options.picture.parent.mkdir(parents=True, exist_ok=True)
        page.savefig(options.picture, dpi=110)
        say(f"wrote {options.picture}")
    except (NeoVerseError, OSError) as error:
        warn(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
