"""Rendering a case of the battery, with its exact cameras."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from _benchmark.camera_cases import FRAMES, RATE, Case
from _benchmark.camera_scene import lane
from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.cropping import BorderSearch, cut
from neoverse_ns.clip.synthetic.render import render_colour
from neoverse_ns.clip.synthetic.solids import Solid
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.geometry.cameras import PinholeCameras

BANDS = 12
"""Bands of rows that a rolling shutter reads one after the other."""


@dataclass(frozen=True)
class World:
    """What is rendered: solids and the lattice of their textures."""

    solids: list[Solid]
    lattice: Float[Tensor, " cells"]

    def seen(self, time: float, camera: PinholeCameras) -> np.ndarray:
        """RGB [h, w, 3] of one camera."""
        return render_colour(self.solids, self.lattice, time, camera).numpy()


def render_case(case: Case, frames: int = FRAMES) -> tuple[Clip, PinholeCameras]:
    """The clip of a case, and the cameras of its frames; of a bent lens with the focal length at its middle.

    Args:
        case: What to render.
        frames: Its length; paths are the same for any.
    """
    world = World(lane(case.mover), random_lattice(torch.Generator().manual_seed(5)))
    times = [number / max(frames - 1, 1) for number in range(frames)]
    cameras = [_camera(case, time) for time in times]
    # Frames that show an earlier one need not be rendered.
    shown = [number for number in (case.shown or range(frames)) if number < frames]
    images = {number: case.picture(_record(case, world, times, number), number) for number in sorted(set(shown))}
    pixels = torch.from_numpy(np.stack([images[number] for number in shown]))
    count = torch.arange(len(shown))
    clip = Clip(pixels, count, count.double() / RATE, Path(case.name), source_size=case.size)
    c2w, K = (torch.cat([getattr(cameras[number], name) for number in shown]) for name in ("c2w", "K"))
    return clip, PinholeCameras(c2w, K, *case.size)


def as_loaded(clip: Clip, cameras: PinholeCameras) -> tuple[Clip, PinholeCameras]:
    """What is left of frames and cameras where the loader looks for bars; its words are the clip's notes.

    The part between the bars keeps its pixels: unlike the loader's frames it is not brought to multiples of 16.
    """
    size = cameras.width, cameras.height
    search, notes = BorderSearch(len(clip), size), list(clip.notes)
    for place, image in enumerate(clip.frames.numpy()):
        search.see(place, image)
    box = search.found(notes)
    if box is None:
        return clip, cameras
    x, y, width, height = box
    pixels = torch.from_numpy(np.stack([cut(image, size, box) for image in clip.frames.numpy()]))
    K = cameras.K.clone()
    K[:, 0, 2] -= x
    K[:, 1, 2] -= y
    cropped = replace(clip, frames=pixels, notes=tuple(notes), crop=box)
    return cropped, PinholeCameras(cameras.c2w, K, width, height)


def _camera(case: Case, time: float) -> PinholeCameras:
    """The camera at any time in [0, 1]; also a little before and after."""
    width, height = case.size
    focal = case.focal(time) * width
    K = torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]], dtype=torch.float64)
    return PinholeCameras(case.path(time).c2w()[None], K[None], width, height)


def _record(case: Case, world: World, times: list[float], number: int) -> np.ndarray:
    """One frame through the case's lens and shutter."""
    time, camera = times[number], _camera(case, times[number])
    if case.barrel:
        return _bent(world, time, camera, case.barrel)
    if case.readout:
        # Of the clip's whole time, which is 1.
        return _row_by_row(case, world, time, case.readout * RATE / max(len(times) - 1, 1))
    return world.seen(time, camera)


def _bent(world: World, time: float, camera: PinholeCameras, barrel: float) -> np.ndarray:
    """Through a lens that shows at radius r what a pinhole of its focal length shows at r (1 + barrel r^2)."""
    width, height, focal = camera.width, camera.height, float(camera.K[0, 0, 0])
    y, x = np.indices((height, width)) + 0.5 - np.reshape([height / 2, width / 2], (2, 1, 1))
    stretch = 1 + barrel * (x**2 + y**2) / focal**2
    # Two pixels beyond what the corners see, for the interpolation.
    wide, tall = (2 * int(stretch.max() * side / 2 + 3) for side in (width, height))
    K = camera.K.clone()
    K[:, 0, 2], K[:, 1, 2] = wide / 2, tall / 2
    pinhole = world.seen(time, PinholeCameras(camera.c2w, K, wide, tall))
    columns, rows = x * stretch + wide / 2 - 0.5, y * stretch + tall / 2 - 0.5
    return cv2.remap(pinhole, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_CUBIC)


def _row_by_row(case: Case, world: World, time: float, readout: float) -> np.ndarray:
    """Bands of rows at their own times; the middle of the picture is taken at `time`."""
    height, bands = case.size[1], []
    edges = np.linspace(0, height, BANDS + 1).round().astype(int).tolist()
    for top, bottom in pairwise(edges):
        moment = time + readout * ((top + bottom) / 2 / height - 0.5)
        camera = _camera(case, moment)
        camera.K[:, 1, 2] -= top
        bands.append(world.seen(moment, replace(camera, height=bottom - top)))
    return np.concatenate(bands)
