"""One picture of a trajectory: its path from above and from the side over the scene, and frames along it."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional

from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.render.pictures import colours
from neoverse_ns.render.plan import Plan, ScenePoints, scene_points
from neoverse_ns.trajectory.checks.report import PathReport
from neoverse_ns.trajectory.trajectory import Trajectory

WIDTH = 1600
PLAN_HEIGHT = 560
MARGIN = 16
HEADER = 34
COLUMNS = 6
"""Frames shown along the path."""
CLIP_COLOUR = (105, 105, 105)
TROUBLE = (220, 30, 30)
INK = (40, 40, 40)


def preview(
    gaussians: LayeredGaussians,
    cameras: PinholeCameras,
    trajectory: Trajectory,
    report: PathReport | None = None,
    background: Float[Tensor, "3"] | None = None,
    options: DrawOptions | None = None,
    title: str = "",
) -> UInt8[np.ndarray, "h w 3"]:
    """Draw a trajectory over its scene.

    Colours run along the path from its first frame (violet) to its last (red); the clip's own path is grey. Rings mark
    where the report found something.

    Args:
        gaussians: The scene.
        cameras: The clip's.
        trajectory: What is shown.
        report: What was found; None marks nothing.
        background: Behind the frames, RGB in [0, 1]; None is black.
        options: How the scene is drawn.
        title: Stands above.
    """
    shades = _shades(len(trajectory))
    shown = torch.linspace(0, len(trajectory) - 1, min(COLUMNS, len(trajectory))).round().long()
    points = scene_points(gaussians, float(trajectory.times[len(trajectory) // 2].clamp(0, 1)))
    up, forward, right = _directions(cameras)
    plan_width = (WIDTH - 3 * MARGIN) // 2
    above = _plan(points, cameras, trajectory, shown, report, right, forward, plan_width)
    aside = _plan(points, cameras, trajectory, shown, report, forward, up, plan_width)
    strip = _frames(gaussians, trajectory, shown, shades, background, options)
    top = MARGIN + HEADER
    page = np.full((top + HEADER + PLAN_HEIGHT + MARGIN + strip.shape[0] + MARGIN, WIDTH, 3), 255, dtype=np.uint8)
    for place, plan in enumerate((above, aside)):
        left = MARGIN + place * (plan_width + MARGIN)
        page[top + HEADER : top + HEADER + PLAN_HEIGHT, left : left + plan_width] = plan
    page[-strip.shape[0] - MARGIN : -MARGIN, MARGIN : MARGIN + strip.shape[1]] = strip
    words = [
        (MARGIN, MARGIN - 4, title or "trajectory", 22),
        (MARGIN, top + 6, "from above", 17),
        (2 * MARGIN + plan_width, top + 6, "from the side (looking to the left of the first camera)", 17),
        (
            MARGIN + plan_width - 330,
            top + 6,
            "grey: the clip's own path" + (", rings: see report" if report else ""),
            15,
        ),
    ]
    return _written(page, words)


def save_picture(path: Path, picture: UInt8[np.ndarray, "h w 3"]) -> None:
    """Write a picture as its name's ending says.

    Raises:
        OSError, ValueError: It cannot be written, or there is no such kind of picture.
    """
    data = io.BytesIO()
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"'{path.suffix}' is no kind of picture")
    Image.fromarray(picture).save(data, kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.getvalue())


def _shades(count: int) -> list[tuple[int, int, int]]:
    """A colour per frame, from violet to red."""
    levels = np.linspace(10, 245, max(count, 1)).round().astype(np.uint8)[:, None]
    rows = cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)[:, 0].tolist()
    return [(red, green, blue) for blue, green, red in rows]


def _directions(cameras: PinholeCameras) -> tuple[Tensor, Tensor, Tensor]:
    """Up in the clip's pictures on average, and level: ahead of its cameras and to their right; unit lengths."""
    c2w = cameras.c2w.double().cpu()
    up = functional.normalize(-c2w[:, :3, 1].mean(dim=0), dim=0)
    ahead = c2w[:, :3, 2].mean(dim=0)
    forward = functional.normalize(ahead - (ahead @ up) * up, dim=0)
    return up, forward, torch.linalg.cross(forward, up)


def _plan(
    points: ScenePoints,
    cameras: PinholeCameras,
    trajectory: Trajectory,
    shown: Tensor,
    report: PathReport | None,
    across: Tensor,
    up: Tensor,
    width: int,
) -> UInt8[np.ndarray, "h w 3"]:
    centres, own = trajectory.c2w[:, :3, 3].double().cpu(), cameras.c2w[:, :3, 3].double().cpu()
    around = torch.tensor([0.06, 0.94], dtype=torch.float64)
    middle = torch.quantile(_few(points.places), around, dim=0)
    bounds = torch.cat([middle, centres, own])
    plan = Plan(across, up, bounds, width, PLAN_HEIGHT)
    plan.points(points)
    size = 0.06 * float((bounds.amax(dim=0) - bounds.amin(dim=0)).max())
    plan.path(own, [CLIP_COLOUR] * len(own), 2)
    shades = _shades(len(trajectory))
    plan.path(centres, shades, 4)
    for i in shown.tolist():
        plan.camera(trajectory.cameras, i, size, shades[i])
    for problem in () if report is None else report.problems:
        plan.ring(centres[(problem.first + problem.last) // 2], 12, TROUBLE)
    return plan.picture()


def _few(places: Float[Tensor, "n 3"]) -> Float[Tensor, "m 3"]:
    """At most 100,000 of them, evenly."""
    places = places.double()
    return places[:: max(len(places) // 100_000, 1)] if len(places) else torch.zeros(1, 3, dtype=torch.float64)


def _frames(
    gaussians: LayeredGaussians,
    trajectory: Trajectory,
    shown: Tensor,
    shades: list[tuple[int, int, int]],
    background: Tensor | None,
    options: DrawOptions | None,
) -> UInt8[np.ndarray, "h w 3"]:
    """Frames side by side, each framed in its colour, with its number and time."""
    width = (WIDTH - (COLUMNS + 1) * MARGIN) // COLUMNS
    height = round(width * trajectory.cameras.height / trajectory.cameras.width)
    small = trajectory[shown].resized(width, height)
    behind = torch.zeros(3) if background is None else background
    views = views_along(gaussians, small.cameras, small.times.clamp(0, 1), options)
    strip = np.full((height + HEADER, WIDTH - 2 * MARGIN, 3), 255, dtype=np.uint8)
    words = []
    for place, (i, view) in enumerate(zip(shown.tolist(), views, strict=True)):
        left = place * (width + MARGIN)
        picture = np.ascontiguousarray(colours(view, behind).numpy())
        cv2.rectangle(picture, (0, 0), (width - 1, height - 1), shades[i], 6)
        strip[:height, left : left + width] = picture
        words.append((left, height + 6, f"frame {i}, time {float(trajectory.times[i]):.2f}", 15))
    return _written(strip, words)


def _written(page: UInt8[np.ndarray, "h w 3"], words: list[tuple[int, int, str, int]]) -> UInt8[np.ndarray, "h w 3"]:
    """A picture with lines of text at columns and rows, in sizes."""
    image = Image.fromarray(page)
    pen = ImageDraw.Draw(image)
    for x, y, text, size in words:
        pen.text((x, y), text, fill=INK, font=_font(size))
    return np.asarray(image)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1 has one size.
        return ImageFont.load_default()
