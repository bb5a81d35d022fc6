"""Lines drawn into pictures: velocities, and the way that points have come."""

from __future__ import annotations

import colorsys

import numpy as np
import torch
from jaxtyping import Bool, Float
from PIL import Image, ImageDraw
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.transition import alive_at, at_time
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project
from neoverse_ns.plugin.viewer.recolour import moving
from neoverse_ns.plugin.viewer.tracks import Tracks

MOST = 400
"""Velocities shown at a time."""
TRAIL = 6
"""Frames that a trail reaches back."""
_HIDDEN = 1.05
"""Points this much farther than what is drawn there are hidden by it."""


def velocity_segments(
    gaussians: DynamicGaussians, time: float, ahead: float
) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]]:
    """Where some of what moves is, and where it will be, by its present velocity.

    Args:
        gaussians: The keyframes' own.
        time: Normalised time.
        ahead: How far into the future the lines reach, normalised time.
    """
    gaussians = gaussians.detach()
    rows = torch.nonzero(alive_at(gaussians, time) & moving(gaussians))[:, 0]
    rows = rows[:: max(len(rows) // MOST, 1)][:MOST]
    chosen = gaussians[rows].to("cpu")
    now = at_time(chosen, time)
    chosen = chosen[now.index]
    before, at, after = chosen.interval.unbind(-1)
    later = time > at
    gap = torch.where(later, after - at, before - at)
    speed = torch.where(later[:, None], *chosen.velocities.unbind(1)) / gap[:, None]
    seen = now.opacities > 0.1
    return now.means[seen], (now.means + ahead * speed)[seen]


def with_velocities(
    picture: Float[Tensor, "h w 3"],
    depth: Float[Tensor, "h w"],
    camera: PinholeCameras,
    segments: tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]],
) -> Float[Tensor, "h w 3"]:
    """A picture with a line from every start to its end, where the start is not hidden."""
    (starts, visible), (ends, in_front) = (_place(points, camera, depth) for points in segments)
    image = _image(picture)
    draw = ImageDraw.Draw(image)
    for start, end, show in zip(starts.tolist(), ends.tolist(), (visible & in_front).tolist(), strict=True):
        if show:
            draw.line((*start, *end), fill=(255, 225, 60), width=1)
            draw.ellipse((start[0] - 1, start[1] - 1, start[0] + 1, start[1] + 1), fill=(255, 120, 40))
    return _floats(image)


def with_tracks(
    picture: Float[Tensor, "h w 3"],
    depth: Float[Tensor, "h w"],
    camera: PinholeCameras,
    tracks: Tracks,
    frame: int,
) -> Float[Tensor, "h w 3"]:
    """A picture with the points followed, where they are in `frame`, and the way they have come lately.

    A point keeps its colour through the clip. One that is hidden now is not shown.
    """
    image = _image(picture)
    draw = ImageDraw.Draw(image)
    first = max(frame - TRAIL, 0)
    points = tracks.points[:, first : frame + 1]
    count = points.shape[1]
    pixels, z = project(points.reshape(-1, 3), camera.viewmats[0].float(), camera.K[0].float())
    pixels, known = pixels.reshape(-1, count, 2), tracks.known[:, first : frame + 1] & (z > 0.01).reshape(-1, count)
    _, visible = _place(points[:, -1], camera, depth)
    for number in torch.nonzero(known[:, -1] & visible)[:, 0].tolist():
        colour = tuple(round(255 * c) for c in colorsys.hsv_to_rgb(number * 0.618034 % 1, 0.8, 1.0))
        way = [
            tuple(place) for place, there in zip(pixels[number].tolist(), known[number].tolist(), strict=True) if there
        ]
        if len(way) > 1:
            draw.line(way, fill=colour, width=1)
        x, y = way[-1]
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)
    return _floats(image)


def _place(
    points: Float[Tensor, "n 3"], camera: PinholeCameras, depth: Float[Tensor, "h w"]
) -> tuple[Float[Tensor, "n 2"], Bool[Tensor, " n"]]:
    """Pixels, and whether the point is in the picture with nothing nearer drawn over it."""
    pixels, z = project(points, camera.viewmats[0].float(), camera.K[0].float())
    column, row = pixels[:, 0].floor().long(), pixels[:, 1].floor().long()
    inside = (z > 0.01) & (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    drawn = depth[row.clamp(0, camera.height - 1), column.clamp(0, camera.width - 1)]
    return pixels, inside & (z <= _HIDDEN * drawn)


def _image(picture: Float[Tensor, "h w 3"]) -> Image.Image:
    return Image.fromarray((picture.clamp(0, 1) * 255).round().to(torch.uint8).numpy())


def _floats(image: Image.Image) -> Float[Tensor, "h w 3"]:
    return torch.from_numpy(np.asarray(image).copy()).float() / 255
