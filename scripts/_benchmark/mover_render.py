"""Rendering a clip of the movers' battery as a video, and what is true of its frames from any camera."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from _benchmark.mover_cases import FOCAL, HEIGHT, RATE, SECONDS, WIDTH, MoverCase, camera_path, world_of
from _benchmark.turned import middle_of, turned_about
from neoverse_ns.clip.synthetic.render import render_colour, render_truth
from neoverse_ns.clip.synthetic.solids import Solid
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.clip.write import write_video
from neoverse_ns.console import progress
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project, unproject

MARGIN = 3
"""Pixels around a thing that its picture from aside shows."""
SAME_SURFACE = 0.03
"""Relative difference of depth up to which two cameras see the same point."""


@dataclass(frozen=True)
class MoverClip:
    """A world in motion and its camera; times run from 0 to 1.

    Attributes:
        name: Of its row.
        solids: Still ones and parts of things.
        lattice: Of their textures.
        cameras: Of all frames of the source, float64.
    """

    name: str
    solids: list[Solid]
    lattice: Float[Tensor, " cells"]
    cameras: PinholeCameras

    def time(self, frame: int) -> float:
        """Of a frame of the source."""
        return frame / max(len(self.cameras) - 1, 1)

    def write(self, path: Path) -> None:
        """All frames of the source as a video of next to no loss."""
        frames = []
        with progress("rendering movers", len(self.cameras)) as steps:
            for frame in range(len(self.cameras)):
                frames.append(render_colour(self.solids, self.lattice, self.time(frame), self.cameras[[frame]]))
                steps.advance()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, torch.stack(frames), RATE, crf=10)


@dataclass(frozen=True)
class AsideView:
    """A thing as a camera turned about it truly sees it, cut to its surroundings.

    Attributes:
        motion: From the side camera's axes to those of the frame's own: inv(own c2w) @ side c2w.
        corner: Column and row of the cut-out in the whole picture.
        rgb: What is seen.
        without: What would be seen if the thing were not there.
        depth: Of the thing, true units.
        behind: Depth of what is seen without the thing.
        mask: Pixels of the thing that the frame's own camera sees, too.
    """

    motion: Float[Tensor, "4 4"]
    corner: tuple[int, int]
    rgb: UInt8[Tensor, "ch cw 3"]
    without: UInt8[Tensor, "ch cw 3"]
    depth: Float[Tensor, "ch cw"]
    behind: Float[Tensor, "ch cw"]
    mask: Bool[Tensor, "ch cw"]


def mover_clip(
    case: MoverCase, seed: int, seconds: float = SECONDS, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> MoverClip:
    """The clip of a case; nothing is rendered yet."""
    count, (width, height) = round(seconds * RATE) + 1, size
    path = camera_path(seed)
    poses = torch.stack([path(i / (count - 1)).c2w() for i in range(count)])
    K = torch.tensor([[FOCAL * width, 0, width / 2], [0, FOCAL * width, height / 2], [0, 0, 1]], dtype=torch.float64)
    cameras = PinholeCameras(poses, K.repeat(count, 1, 1), width, height)
    lattice = random_lattice(torch.Generator().manual_seed(5))
    return MoverClip(f"{case.name} {seed}", world_of(case, seed), lattice, cameras)


def views_aside(clip: MoverClip, frame: int, thing: int, least: int) -> list[AsideView]:
    """A thing from the left and from the right; without those that see fewer than `least` of its pixels.

    Args:
        clip: The world.
        frame: Of the source.
        thing: Its number.
        least: Also the pixels of it that the frame's own camera must see.
    """
    own, time = clip.cameras[[frame]], clip.time(frame)
    depth, things = render_truth(clip.solids, time, own)
    if int((things == thing).sum()) < least:
        return []
    sides = turned_about(own, middle_of(depth, things == thing, own))
    found = [_aside(clip, time, thing, own, sides[[side]], depth, things) for side in range(len(sides))]
    return [view for view in found if view is not None and int(view.mask.sum()) >= least]


def _aside(
    clip: MoverClip,
    time: float,
    thing: int,
    own: PinholeCameras,
    side: PinholeCameras,
    own_depth: Float[Tensor, "h w"],
    own_things: UInt8[Tensor, "h w"],
) -> AsideView | None:
    depth, things = render_truth(clip.solids, time, side)
    hit = things == thing
    if not bool(hit.any()):
        return None
    mask = hit & _seen_by(own, own_depth, own_things == thing, side, depth)
    rows, columns = (torch.nonzero(hit.any(dim=axis))[:, 0] for axis in (1, 0))
    top, left = max(int(rows[0]) - MARGIN, 0), max(int(columns[0]) - MARGIN, 0)
    bottom, right = (min(int(rows[-1]) + 1 + MARGIN, side.height), min(int(columns[-1]) + 1 + MARGIN, side.width))
    part = cut_out(side, (left, top), (right - left, bottom - top))
    rest = [solid for solid in clip.solids if solid.thing != thing]
    here = slice(top, bottom), slice(left, right)
    return AsideView(
        motion=torch.linalg.inv(own.c2w[0]) @ side.c2w[0],
        corner=(left, top),
        rgb=render_colour(clip.solids, clip.lattice, time, part),
        without=render_colour(rest, clip.lattice, time, part),
        depth=depth[here],
        behind=render_truth(rest, time, part)[0],
        mask=mask[here],
    )


def cut_out(camera: PinholeCameras, corner: tuple[int, int], size: tuple[int, int]) -> PinholeCameras:
    """Cameras that see a rectangle of the picture alone, given by its upper left corner, width and height."""
    K = camera.K.clone()
    K[:, 0, 2] -= corner[0]
    K[:, 1, 2] -= corner[1]
    return PinholeCameras(camera.c2w, K, *size)


def _seen_by(
    own: PinholeCameras,
    own_depth: Float[Tensor, "h w"],
    own_mask: Bool[Tensor, "h w"],
    side: PinholeCameras,
    depth: Float[Tensor, "h w"],
) -> Bool[Tensor, "h w"]:
    """Pixels of the side camera whose surface the own camera sees inside its mask."""
    points = unproject(depth.double(), side.K[0], side.c2w[0]).reshape(-1, 3)
    pixels, z = project(points, own.viewmats[0], own.K[0])
    column, row = pixels.floor().long().unbind(-1)
    inside = (z > 0) & (column >= 0) & (column < own.width) & (row >= 0) & (row < own.height)
    column, row = column.clamp(0, own.width - 1), row.clamp(0, own.height - 1)
    same = (own_depth[row, column] / z - 1).abs() < SAME_SURFACE
    return (inside & own_mask[row, column] & same).reshape(depth.shape)
