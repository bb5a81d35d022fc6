"""One picture of a trajectory: its path from above and from the side over the scene, and frames along it."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from PIL import Image
from torch import Tensor
from torch.nn import functional

from neoverse_ns.folders import make_folder
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.render.framing import frame_of, near_scene
from neoverse_ns.render.lettering import INK, Words, written
from neoverse_ns.render.pictures import colours
from neoverse_ns.render.plan import Plan, ScenePoints, scene_points
from neoverse_ns.trajectory.checks.report import PathReport
from neoverse_ns.trajectory.trajectory import Trajectory

WIDTH = 1600
MARGIN = 16
PLAN_WIDTH, PLAN_HEIGHT = (WIDTH - 3 * MARGIN) // 2, 560
HEADER = 34
COLUMNS = 6
"""Frames shown along the path."""
CLIP_COLOUR = (105, 105, 105)
TROUBLE = (220, 30, 30)
SUBJECT = (190, 0, 150)
LINE = 24
"""Height of a line that tells a problem, pixels."""
MOST_LINES = 6
"""Of those."""


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

    Colours run along the path from its first frame (violet) to its last (red); the clip's own path is grey. What the
    camera circles or keeps in view is marked as its subject. The maps are as large as paths, subject and what is near
    the cameras ask for; what lies farther is cut off at their edges. Numbered rings mark the first and last frame of
    every stretch in which the report found something, and lines below the maps tell what.

    Args:
        gaussians: The scene.
        cameras: The clip's.
        trajectory: What is shown.
        report: What was found; None marks and tells nothing.
        background: Behind the frames, RGB in [0, 1]; None is black.
        options: How the scene is drawn.
        title: Stands above.
    """
    shades = _shades(len(trajectory))
    shown = torch.linspace(0, len(trajectory) - 1, min(COLUMNS, len(trajectory))).round().long()
    points = scene_points(gaussians, float(trajectory.times[len(trajectory) // 2].clamp(0, 1)))
    up, forward, right = _directions(cameras)
    needed = [trajectory.c2w[:, :3, 3].double().cpu(), cameras.c2w[:, :3, 3].double().cpu()]
    if trajectory.subject is not None:
        needed.append(trajectory.subject.at(trajectory.times))
    bounds = frame_of(near_scene(gaussians, cameras, options), torch.cat(needed), torch.stack([right, up, forward]))
    given = points, cameras, trajectory, shown, report, bounds
    maps = _map(*given, right, forward), _map(*given, forward, up)
    strip = _frames(gaussians, trajectory, shown, shades, background, options)
    told = _told(report)
    under = MARGIN + 2 * HEADER
    lines = under + PLAN_HEIGHT + MARGIN // 2
    frames = lines + LINE * len(told) + MARGIN // 2
    page = np.full((frames + strip.shape[0] + MARGIN, WIDTH, 3), 255, dtype=np.uint8)
    lefts = MARGIN, 2 * MARGIN + PLAN_WIDTH
    for left, drawn in zip(lefts, maps, strict=True):
        page[under : under + PLAN_HEIGHT, left : left + PLAN_WIDTH] = drawn
    page[frames : frames + strip.shape[0], MARGIN : MARGIN + strip.shape[1]] = strip
    legend = "grey: the clip's own path" + (", numbered rings: told below" if report and report.problems else "")
    words = [
        Words(MARGIN, MARGIN - 4, title or "trajectory", 22),
        Words(lefts[0], under - 28, "from above", 17),
        Words(lefts[1], under - 28, "from the side (looking to the left of the first camera)", 17),
        Words(WIDTH - MARGIN, MARGIN, legend, 15, right=True),
    ]
    words += [Words(MARGIN, lines + LINE * i, text, 16, colour) for i, (text, colour) in enumerate(told)]
    return written(page, words)


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
    make_folder(path.parent)
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


def _map(
    points: ScenePoints,
    cameras: PinholeCameras,
    trajectory: Trajectory,
    shown: Tensor,
    report: PathReport | None,
    bounds: Float64[Tensor, "2 3"],
    across: Tensor,
    up: Tensor,
) -> UInt8[np.ndarray, "h w 3"]:
    """One of the two plans, with its labels."""
    centres, own = trajectory.c2w[:, :3, 3].double().cpu(), cameras.c2w[:, :3, 3].double().cpu()
    plan = Plan(across, up, bounds, PLAN_WIDTH, PLAN_HEIGHT)
    plan.points(points)
    plan.path(own, [CLIP_COLOUR] * len(own), 2)
    # A camera on a tripod has no path to be seen by.
    plan.dot(own[0], 4, CLIP_COLOUR)
    problems = () if report is None else report.problems
    for problem in problems:
        stretch = centres[problem.first : problem.last + 1]
        plan.path(stretch, [TROUBLE] * len(stretch), 10)
    shades = _shades(len(trajectory))
    plan.path(centres, shades, 4)
    size = 0.06 * float((bounds[1] - bounds[0]).abs().max())
    for i in shown.tolist():
        plan.camera(trajectory.cameras, i, size, shades[i])
    words = []
    for number, problem in enumerate(problems, 1):
        for frame in {problem.first, problem.last}:
            plan.ring(centres[frame], 12, TROUBLE)
        x, y = plan.position(centres[problem.first])
        words.append(Words(round(x) + 14, round(y) - 8, str(number), 17, TROUBLE))
    if trajectory.subject is not None:
        cared = trajectory.subject.at(trajectory.times)
        plan.path(cared, [SUBJECT] * len(cared), 2)
        plan.target(cared[0], 8, SUBJECT)
        x, y = plan.position(cared[0])
        words.append(Words(round(x) + 16, round(y) + 4, "subject", 17, SUBJECT))
    return written(plan.picture(), words)


def _told(report: PathReport | None) -> list[tuple[str, tuple[int, int, int]]]:
    """What was found, in lines with their colours; the numbers are those of the rings."""
    if report is None:
        return []
    lines: list[tuple[str, tuple[int, int, int]]] = [(report.summary(), INK)]
    lines += [(f"{number}  {problem}", TROUBLE) for number, problem in enumerate(report.problems, 1)]
    if len(lines) > MOST_LINES:
        left = len(lines) - MOST_LINES + 1
        lines[MOST_LINES - 1 :] = [(f"and {left} more: ns-neoverse trajectory validate tells them all", TROUBLE)]
    return lines if report.problems else [*lines, ("no problem was found", INK)]


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
        words.append(Words(left, height + 6, f"frame {i}, time {float(trajectory.times[i]):.2f}", 15))
    return written(strip, words)
