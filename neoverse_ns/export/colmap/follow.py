"""Points of the standing world from the keyframes' depth, and where each frame sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int64, UInt8
from numpy import ndarray

from neoverse_ns.clip.clip import Clip
from neoverse_ns.export.colmap.candidates import cell_size, one_per_cell
from neoverse_ns.export.colmap.patches import Level, Patches, cut_patches, levels, locate
from neoverse_ns.export.colmap.surfaces import Seeds, Surfaces
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry

LOST = 2
"""Frames in a row that do not show a point, after which it is not looked for any more."""
NEAR = 4.0
"""Pixels (at 384 px width) from its projection within which a point must be found."""
FLIPPED = 0.1
"""Share of its area below which a patch is seen from its edge, or from behind."""


@dataclass(frozen=True)
class Sightings:
    """Points that one keyframe (`home`) gives, as lifted, and where frames were measured to show them."""

    home: int
    world: Float[ndarray, "p 3"]
    colours: UInt8[ndarray, "p 3"]
    point: Int64[ndarray, " m"]
    frame: Int64[ndarray, " m"]
    uv: Float[ndarray, "m 2"]


def follow_points(
    clip: Clip, geometry: SceneGeometry, cameras: PinholeCameras, frames: Sequence[int]
) -> list[Sightings]:
    """Lift sure pixels of the keyframes and look for them in the frames before and after.

    A point is looked for where geometry says that it is, in frames beside which a keyframe has a surface there; what
    counts as seen is measured from pixels. Points of a keyframe that earlier ones have already given are not taken
    again, which makes tracks long.

    Args:
        clip: The sampled frames.
        geometry: Depth of the keyframes, and what moves.
        cameras: One per sampled frame; may have been refined since the depth was measured.
        frames: Positions of the frames to look in, ascending; keyframes that are not among them give no points.
    """
    surfaces, pictures = Surfaces(clip, geometry, cameras), _Pictures(clip)
    side = cell_size(clip.height, clip.width)
    taken = np.zeros((len(surfaces.keyframes), -(-clip.height // side), -(-clip.width // side)), bool)
    found = []
    for index, home in enumerate(surfaces.keyframes):
        if home not in frames:
            continue
        rows, columns = one_per_cell(pictures.gray(home), surfaces.sure[index], taken[index])
        if not len(rows):
            continue
        sure = surfaces.confirmed(surfaces.lift(index, rows, columns).world, index)
        if not sure.any():
            continue
        rows, columns = rows[sure], columns[sure]
        seeds = surfaces.lift(index, rows, columns)
        point, frame, uv = _follow(surfaces, pictures, seeds, home, frames)
        found.append(Sightings(home, seeds.world, clip.frames[home].numpy()[rows, columns], point, frame, uv))
        # Lone sightings are no points.
        known = np.bincount(point, minlength=len(rows))[point] > 1
        for later, k in enumerate(surfaces.keyframes):
            column, row = (uv[known & (frame == k)] // side).astype(int).T
            taken[later, row, column] = True
    return found


class _Pictures:
    """Grey frames, and their levels as far as they were asked for."""

    def __init__(self, clip: Clip) -> None:
        self._frames = clip.frames
        self._levels: dict[int, list[Level]] = {}

    def gray(self, frame: int) -> UInt8[ndarray, "h w"]:
        return cv2.cvtColor(self._frames[frame].numpy(), cv2.COLOR_RGB2GRAY)

    def levels(self, frame: int) -> list[Level]:
        if frame not in self._levels:
            self._levels[frame] = levels(self.gray(frame))
        return self._levels[frame]


def _follow(
    surfaces: Surfaces, pictures: _Pictures, seeds: Seeds, home: int, frames: Sequence[int]
) -> tuple[Int64[ndarray, " m"], Int64[ndarray, " m"], Float[ndarray, "m 2"]]:
    """Sightings of one keyframe's points: which, in which frame, where."""
    patches = cut_patches(pictures.levels(home), seeds.pixels)
    count = len(seeds.pixels)
    points, seen_in, places = [np.arange(count)], [np.full(count, home)], [seeds.pixels]
    for direction in (1, -1):
        misses = np.zeros(count, int)
        for frame in [f for f in frames[::direction] if (f - home) * direction > 0]:
            alive = np.nonzero(misses < LOST)[0]
            if not len(alive):
                break
            seen, uv = _look(surfaces, pictures.levels(frame), seeds, patches, alive, frame, home)
            misses += 1
            misses[seen] = 0
            points.append(seen)
            seen_in.append(np.full(len(seen), frame))
            places.append(uv)
    return np.concatenate(points), np.concatenate(seen_in), np.concatenate(places)


def _look(
    surfaces: Surfaces,
    picture: list[Level],
    seeds: Seeds,
    patches: Patches,
    alive: Int64[ndarray, " n"],
    frame: int,
    home: int,
) -> tuple[Int64[ndarray, " k"], Float[ndarray, "k 2"]]:
    """Which of the points `alive` the frame shows, and where."""
    guess, z = surfaces.project(seeds.world[alive], frame)
    aside = [surfaces.project(places[alive], frame)[0] - guess for places in (seeds.right, seeds.below)]
    bend = np.stack(aside, -1)
    likely = (z > 0) & surfaces.inside(guess, frame) & surfaces.visible(seeds.world[alive], frame, home)
    likely &= np.linalg.det(bend) > FLIPPED
    alive, guess, bend = alive[likely], guess[likely], bend[likely]
    uv, found = locate(patches.only(alive), picture, guess, bend)
    found &= surfaces.inside(uv, frame)
    found &= np.linalg.norm(uv - guess, axis=-1) < NEAR * max(1.0, surfaces.size[0] / 384)
    return alive[found], uv[found]
