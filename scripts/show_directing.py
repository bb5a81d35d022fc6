"""Draw how camera and time are directed, from a finished run: moves, curves of time, and a path over its scene.

python scripts/show_directing.py outputs/demo/neoverse/run docs/pictures
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from _benchmark.documented import save_pictures
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from neoverse_ns import load, trajectory
from neoverse_ns.console import warn
from neoverse_ns.errors import NeoVerseError, SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.render.along import draw_along
from neoverse_ns.render.preview import preview
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.presets import MoveSize
from neoverse_ns.trajectory.trajectory import Trajectory

GAP, LABEL = 6, 22
INK, PAPER, CURVE = (40, 40, 40), (255, 255, 255), (200, 60, 40)
MOVES = {
    "static": "the clip's own camera, half way",
    "orbit_right": "orbit_right",
    "push_in": "push_in",
    "pan_left": "pan_left",
    "boom_up": "boom_up",
    "orbit:degrees=25": "orbit:degrees=25",
    "dolly_zoom:travel=0.2": "dolly_zoom:travel=0.2",
    "crane:rise=0.15": "crane:rise=0.15",
    "move_right + handheld:seed=3": "move_right + handheld:seed=3",
}
"""What is drawn at its last frame, and what stands above it."""


@dataclass
class ShowDirecting:
    """Pictures of one run."""

    run: tyro.conf.Positional[Path]
    """The run's folder, or its config.yml."""
    folder: tyro.conf.Positional[Path]
    """Where moves.jpg, time_curves.jpg and path.jpg go."""
    width: int = 320
    """Of one drawing, pixels."""
    path: str = "orbit:degrees=30"
    """What path.jpg shows."""


def moves_picture(scene: ExportScene, width: int, columns: int = 3) -> UInt8[np.ndarray, "h w 3"]:
    """Where moves end, from the clip's own camera half way, while time stands still."""
    still = TrajectoryOptions(time="freeze@50%", follow="time", num_frames=25)
    cells = []
    for name, label in MOVES.items():
        (last,) = frames(scene, trajectory(scene, name, still)[-1:], width)
        cells.append(labelled(last, label))
    return tiled([cells[i : i + columns] for i in range(0, len(cells), columns)])


def time_picture(scene: ExportScene, width: int, columns: int = 5) -> UInt8[np.ndarray, "h w 3"]:
    """One orbit under several curves of time: the curve, and frames evenly from the first to the last."""
    seconds = float(scene.seconds[-1] - scene.seconds[0])
    half, back = f"{seconds / 2:.3g}s", f"{seconds + 1:.3g}s"
    size = MoveSize(angle=8.0)
    rows = []
    for curve in ("as-filmed", f"freeze@{half}", "reverse", "ping-pong", f"0:0, {half}:{half}, hold 1s, {back}:0"):
        path = trajectory(scene, "orbit_right", TrajectoryOptions(time=curve, fps=24.0, size=size, follow="time"))
        chosen = torch.linspace(0, len(path) - 1, columns).round().long()
        drawn = frames(scene, path[chosen], width)
        times = [f"{i / 24:.2f} s: clip at {float(path.times[i]) * seconds:.2f} s" for i in chosen.tolist()]
        plot = plotted(path, seconds, drawn[0].shape[0], width)
        cells = [labelled(frame, text) for frame, text in zip(drawn, times, strict=True)]
        rows.append([labelled(plot, curve), *cells])
    return tiled(rows)


def frames(scene: ExportScene, path: Trajectory, width: int) -> list[UInt8[np.ndarray, "h w 3"]]:
    """A trajectory's frames at a width, over black."""
    own = path.cameras
    small = path.resized(width, round(width * own.height / own.width))
    drawn = draw_along(scene.gaussians, small, scene.options)
    return [(frame.rgb[0].clamp(0, 1) * 255).round().byte().cpu().numpy() for frame in drawn]


def plotted(path: Trajectory, seconds: float, height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The clip's time (up) over the video's (right)."""
    if not len(path):
        raise SettingsError("a path without frames has no curve")
    page = Image.new("RGB", (width, height), PAPER)
    pen, margin = ImageDraw.Draw(page), 14
    box = (margin, margin, width - margin, height - margin)
    pen.line([(box[0], box[1]), (box[0], box[3]), (box[2], box[3])], fill=INK, width=1)
    pen.text((box[0] + 4, box[1] - 8), f"clip, {seconds:.1f} s", fill=INK, font=font(11))
    pen.text((box[2] - 78, box[3] - 15), f"video, {(len(path) - 1) / 24:.1f} s", fill=INK, font=font(11))
    across = torch.linspace(0, 1, len(path)).tolist()
    points = [
        (box[0] + x * (box[2] - box[0]), box[3] - float(time) * (box[3] - box[1]))
        for x, time in zip(across, path.times.tolist(), strict=True)
    ]
    pen.line(points, fill=CURVE, width=3)
    return np.asarray(page)


def labelled(picture: UInt8[np.ndarray, "h w 3"], text: str) -> UInt8[np.ndarray, "lh w 3"]:
    """A picture with a line of text above it."""
    page = Image.new("RGB", (picture.shape[1], picture.shape[0] + LABEL), PAPER)
    page.paste(Image.fromarray(picture), (0, LABEL))
    ImageDraw.Draw(page).text((2, 3), text, fill=INK, font=font(14))
    return np.asarray(page)


def tiled(rows: list[list[UInt8[np.ndarray, "?h ?w 3"]]]) -> UInt8[np.ndarray, "th tw 3"]:
    """Rows of pictures of one height each, white between them."""
    width = max(sum(cell.shape[1] + GAP for cell in row) - GAP for row in rows)
    height = sum(row[0].shape[0] + GAP for row in rows) - GAP
    page = np.full((height, width, 3), 255, dtype=np.uint8)
    top = 0
    for row in rows:
        left = 0
        for cell in row:
            page[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
            left += cell.shape[1] + GAP
        top += row[0].shape[0] + GAP
    return page


def font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def main() -> int:
    options = tyro.cli(ShowDirecting, description=__doc__)
    try:
        scene = load(options.run)
        along = trajectory(scene, options.path)
        pictures = {
            "moves.jpg": moves_picture(scene, options.width),
            "time_curves.jpg": time_picture(scene, round(0.7 * options.width)),
            "path.jpg": preview(scene.gaussians, scene.cameras, along, options=scene.options, title=options.path),
        }
        save_pictures(options.folder, pictures)
    except (NeoVerseError, OSError) as error:
        warn(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
