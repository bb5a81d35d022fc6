"""Tracks drawn over the frames: dots with tails that fade."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray
from torch import Tensor

from neoverse_ns.applications.track.tracks import Tracks

LEAST_WIDTH = 720
"""Width in pixels up to which pictures are enlarged by a whole factor: trails of single pixels cannot be told apart."""
HUES = 0.85
"""Part of the circle of colours that is used, so that first and last differ."""
FINE = 4
"""Bits of a pixel's fraction that lines are placed by."""


def draw_tracks(frames: UInt8[Tensor, "n h w 3"], tracks: Tracks, tail: int = 8) -> UInt8[Tensor, "n sh sw 3"]:
    """Every frame with the points that it shows, each with its way through the frames before.

    Colours go by the place where points were given, from the top down, so that neighbours look alike. A tail has gaps
    where its point was hidden.

    Args:
        frames: Of the clip.
        tracks: Of points in these.
        tail: Frames that a way is shown for.

    Returns:
        Frames, enlarged where they are small.
    """
    scale = max(-(-LEAST_WIDTH // frames.shape[2]), 1)
    colours = _colours(tracks)
    places = np.round((tracks.uv.numpy() * scale - 0.5).clip(-1e4, 1e4) * 2**FINE).astype(int)
    visible = tracks.visible.numpy()
    drawn = []
    for number, frame in enumerate(frames.numpy()):
        picture = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        for back in range(min(tail, number), 0, -1):
            old, new = number - back, number - back + 1
            shown = np.nonzero(visible[old] & visible[new])[0]
            _blend(picture, places[old], places[new], shown, colours, 1 - back / (tail + 1))
        for point in np.nonzero(visible[number])[0].tolist():
            spot = places[number, point].tolist()
            cv2.circle(picture, spot, (2 << FINE) + 8, (16, 16, 16), -1, cv2.LINE_AA, FINE)
            cv2.circle(picture, spot, 2 << FINE, colours[point], -1, cv2.LINE_AA, FINE)
        drawn.append(torch.from_numpy(picture))
    return torch.stack(drawn)


def _blend(
    picture: UInt8[ndarray, "h w 3"],
    old: ndarray,
    new: ndarray,
    points: ndarray,
    colours: list[tuple[int, int, int]],
    strength: float,
) -> None:
    """Lay one step of all tails over the picture, in place."""
    layer = picture.copy()
    for point in points.tolist():
        cv2.line(layer, old[point].tolist(), new[point].tolist(), colours[point], 1, cv2.LINE_AA, FINE)
    cv2.addWeighted(layer, strength, picture, 1 - strength, 0, picture)


def _colours(tracks: Tracks) -> list[tuple[int, int, int]]:
    heights = tracks.queries.xy[:, 1] + 1e-3 * tracks.queries.xy[:, 0]
    ranks = heights.argsort().argsort().double() / max(len(heights) - 1, 1)
    return [_bright(HUES * rank) for rank in ranks.tolist()]


def _bright(hue: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)
