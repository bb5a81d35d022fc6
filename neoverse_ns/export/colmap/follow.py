"""Points of the standing world from the keyframes' depth, and where each frame sees them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from numpy import ndarray

from neoverse_ns.clip.clip import Clip
from neoverse_ns.export.colmap.adjust import adjust_points, reprojection_errors
from neoverse_ns.export.colmap.candidates import cell_size, one_per_cell, sure_pixels
from neoverse_ns.export.colmap.patches import RADIUS, Level, Patches, cut_patches, levels, locate
from neoverse_ns.export.colmap.tracks import Tracks, no_tracks
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry

HIDDEN = 0.05
"""Relative difference from a keyframe's depth beyond which a point is taken to be hidden there, or wrong."""
LOST = 2
"""Frames in a row that do not show a point, after which it is not looked for any more."""
NEAR = 4.0
"""Pixels (at 384 px width) from its projection within which a point must be found."""
WORST = 1.5
"""Largest distance in pixels between an observation and its point's projection that is kept."""
MOST = 50_000
"""Points of a model at most; those that most frames see are kept."""


@dataclass(frozen=True)
class _Seeds:
    """Pixels of one keyframe on their surface: in the picture, in the world, and one pixel to the right and below."""

    pixels: Float[ndarray, "n 2"]
    world: Float[ndarray, "n 3"]
    right: Float[ndarray, "n 3"]
    below: Float[ndarray, "n 3"]
    patches: Patches


def find_tracks(clip: Clip, geometry: SceneGeometry, cameras: PinholeCameras, frames: Sequence[int]) -> Tracks:
    """Lift sure pixels of the keyframes, look for them in the frames beside, and fit each point to what was found.

    A point is looked for where geometry says that it is, in frames whose neighbouring keyframes have a surface there;
    what counts as seen is measured from pixels, so that errors say how well cameras, depth and pictures agree. Points
    of a keyframe that earlier ones have already given are not taken again.

    Args:
        clip: The sampled frames.
        geometry: Depth of the keyframes, and what moves.
        cameras: One per sampled frame; may have been refined since the depth was measured.
        frames: Positions of the frames to look in; keyframes that are not among them give no points.

    Returns:
        Points that at least two frames see (in a clip of a single frame: that one).
    """
    world = _World(clip, geometry, cameras, sorted(frames))
    parts = [part for index, k in enumerate(geometry.keyframes) if k in frames for part in world.tracks_from(index)]
    if not parts:
        return no_tracks()
    counts = [len(part.world) for part in parts]
    starts = np.cumsum([0, *counts[:-1]])
    point = torch.from_numpy(np.concatenate([p.point + s for p, s in zip(parts, starts, strict=True)]))
    frame = torch.from_numpy(np.concatenate([p.frame for p in parts]))
    uv = torch.from_numpy(np.concatenate([p.uv for p in parts]))
    home = torch.from_numpy(np.repeat([p.home for p in parts], counts))
    points = torch.from_numpy(np.concatenate([p.world for p in parts]))
    colours = torch.from_numpy(np.concatenate([p.colours for p in parts]))
    order = torch.argsort(frame * len(points) + point)
    found = Tracks(points, colours, torch.zeros(len(points), dtype=torch.float64), point[order], frame[order], uv[order])
    return _settled(found, home, cameras, least=min(2, len(frames)))


@dataclass(frozen=True)
class _Part:
    """Points of one keyframe (`home`) with their observations."""

    home: int
    world: Float[ndarray, "p 3"]
    colours: ndarray
    point: Int64[ndarray, " m"]
    frame: Int64[ndarray, " m"]
    uv: Float[ndarray, "m 2"]


class _World:
    """The keyframes' surfaces, and which of their cells have a point."""

    def __init__(self, clip: Clip, geometry: SceneGeometry, cameras: PinholeCameras, frames: list[int]) -> None:
        self.frames, self.keyframes = frames, geometry.keyframes
        self.rgb = clip.frames.numpy()
        self.size = np.array([clip.width, clip.height])
        self.depth = geometry.depth.numpy()
        self.K, self.c2w = (t.to(torch.float64).numpy() for t in (cameras.K, cameras.c2w))
        self.w2c = np.linalg.inv(self.c2w)
        self.ignored = None if clip.ignored is None else clip.ignored.numpy()
        left_out = geometry.dynamic.numpy() | (False if self.ignored is None else self.ignored[self.keyframes])
        confidence = geometry.confidence.numpy()
        self.still = ~left_out
        self.sure = [sure_pixels(*each, RADIUS + 1) for each in zip(self.depth, confidence, left_out, strict=True)]
        side = cell_size(clip.height, clip.width)
        self.taken = np.zeros((len(self.keyframes), -(-clip.height // side), -(-clip.width // side)), bool)
        self._levels: dict[int, list[Level]] = {}

    def levels(self, frame: int) -> list[Level]:
        if frame not in self._levels:
            self._levels[frame] = levels(self._gray(frame))
        return self._levels[frame]

    def _gray(self, frame: int) -> ndarray:
        return cv2.cvtColor(self.rgb[frame], cv2.COLOR_RGB2GRAY)

    def tracks_from(self, index: int) -> Iterable[_Part]:
        """What the keyframe adds to the points of those before it: one part or none."""
        home = self.keyframes[index]
        rows, columns = one_per_cell(self._gray(home), self.sure[index], self.taken[index])
        if not len(rows):
            return
        seeds = self._lift(index, rows, columns)
        points, frames, places = [np.arange(len(rows))], [np.full(len(rows), home)], [seeds.pixels]
        for direction in (1, -1):
            misses = np.zeros(len(rows), int)
            for frame in [f for f in self.frames[::direction] if (f - home) * direction > 0]:
                alive = np.nonzero(misses < LOST)[0]
                seen, uv = self._look(index, frame, seeds, alive)
                misses += 1
                misses[seen] = 0
                points, frames, places = [*points, seen], [*frames, np.full(len(seen), frame)], [*places, uv]
                if not len(alive):
                    break
        part = _Part(
            home=home,
            world=seeds.world,
            colours=self.rgb[home, rows, columns],
            point=np.concatenate(points),
            frame=np.concatenate(frames),
            uv=np.concatenate(places),
        )
        self._take(part)
        yield part

    def _lift(self, index: int, rows: ndarray, columns: ndarray) -> _Seeds:
        """World points of pixels, with the surface's slope from inverse depth, which is linear on a plane."""
        home = self.keyframes[index]
        inverse = cv2.blur(1 / self.depth[index].astype(np.float64), (5, 5))
        pixels = np.stack([columns, rows], -1) + 0.5
        at = 1 / self.depth[index][rows, columns].astype(np.float64)
        slope_x = (inverse[rows, columns + 2] - inverse[rows, columns - 2]) / 4
        slope_y = (inverse[rows + 2, columns] - inverse[rows - 2, columns]) / 4

        def lift(step: tuple[int, int], inverse_depth: ndarray) -> ndarray:
            K = self.K[home]
            z = 1 / np.maximum(inverse_depth, 0.1 * at)
            in_plane = (pixels + step - K[:2, 2]) / K[[0, 1], [0, 1]] * z[:, None]
            return np.concatenate([in_plane, z[:, None]], -1) @ self.c2w[home, :3, :3].T + self.c2w[home, :3, 3]

        patches = cut_patches(self.levels(home), pixels)
        return _Seeds(pixels, lift((0, 0), at), lift((1, 0), at + slope_x), lift((0, 1), at + slope_y), patches)

    def _look(self, index: int, frame: int, seeds: _Seeds, alive: ndarray) -> tuple[ndarray, ndarray]:
        """Which of the points `alive` the frame sees, and where."""
        home = self.keyframes[index]
        guess, z = self._project(seeds.world[alive], frame)
        bend = np.stack([self._project(to[alive], frame)[0] - guess for to in (seeds.right, seeds.below)], -1)
        ahead = (z > 0) & self._inside(guess) & self._shown(frame, home, seeds.world[alive])
        # A patch that comes out turned over or squeezed to nothing is seen from behind or from its edge.
        ahead &= np.linalg.det(bend) > 0.1
        alive, guess, bend = alive[ahead], guess[ahead], bend[ahead]
        if not len(alive):
            return alive, guess
        uv, found = locate(seeds.patches.only(alive), self.levels(frame), guess, bend)
        found &= np.linalg.norm(uv - guess, axis=-1) < NEAR * max(1.0, self.size[0] / 384)
        found &= self._inside(uv)
        if self.ignored is not None:
            column, row = uv.astype(int).clip(0, self.size - 1).T
            found &= ~self.ignored[frame][row, column]
        return alive[found], uv[found]

    def _shown(self, frame: int, home: int, world: ndarray) -> Bool[ndarray, " n"]:
        """Points on the surface of a keyframe beside `frame` (or of the frame itself): what is hidden there is not."""
        if frame in self.keyframes:
            return self._on_surface(self.keyframes.index(frame), world)
        beside = [max((k for k in self.keyframes if k < frame), default=None)]
        beside.append(min((k for k in self.keyframes if k > frame), default=None))
        shown = np.zeros(len(world), bool)
        for k in beside:
            if k is not None:
                shown |= True if k == home else self._on_surface(self.keyframes.index(k), world)
        return shown

    def _on_surface(self, index: int, world: ndarray) -> Bool[ndarray, " n"]:
        uv, z = self._project(world, self.keyframes[index])
        column, row = np.nan_to_num(uv).clip(0, self.size - 1).astype(int).T
        there = self.depth[index][row, column]
        return (np.abs(z / there - 1) < HIDDEN) & self.still[index][row, column] & self._inside(uv)

    def _project(self, world: ndarray, frame: int) -> tuple[Float[ndarray, "n 2"], Float[ndarray, " n"]]:
        camera = world @ self.w2c[frame, :3, :3].T + self.w2c[frame, :3, 3]
        z = camera[:, 2]
        divisor = np.where(np.abs(z) < 1e-9, 1e-9, z)[:, None]
        return camera[:, :2] / divisor * self.K[frame][[0, 1], [0, 1]] + self.K[frame][:2, 2], z

    def _inside(self, uv: Float[ndarray, "n 2"]) -> Bool[ndarray, " n"]:
        return ((uv >= RADIUS) & (uv <= self.size - RADIUS)).all(-1)

    def _take(self, part: _Part) -> None:
        """Mark the keyframes' cells that have a point of this part; lone sightings are none."""
        side = cell_size(*self.rgb.shape[1:3])
        known = np.bincount(part.point, minlength=len(part.world))[part.point] > 1
        for index, k in enumerate(self.keyframes):
            column, row = (part.uv[known & (part.frame == k)] // side).astype(int).T
            self.taken[index, row, column] = True


def _settled(tracks: Tracks, home: torch.Tensor, cameras: PinholeCameras, least: int) -> Tracks:
    """Fit the points, drop observations that do not agree and points that too few frames see, and fit again."""
    origins = cameras.c2w.to(torch.float64)[home, :3, 3]
    points, keep = tracks.points, torch.ones(len(tracks.point), dtype=torch.bool)
    for _ in range(2):
        seen = tracks.point[keep], tracks.frame[keep], tracks.uv[keep]
        points = adjust_points(tracks.points, origins, cameras, *seen)
        errors = reprojection_errors(points, cameras, tracks.point, tracks.frame, tracks.uv)
        keep = errors < WORST
    count = torch.bincount(tracks.point[keep], minlength=len(tracks))
    total = torch.zeros(len(tracks), dtype=torch.float64).index_add_(0, tracks.point[keep], errors[keep])
    fitted = Tracks(
        points, tracks.colours, total / count.clamp_min(1), tracks.point[keep], tracks.frame[keep], tracks.uv[keep]
    )
    good = count >= least
    if int(good.sum()) > MOST:
        good[torch.argsort(count * good, descending=True, stable=True)[MOST:]] = False
    return fitted.only(good)
