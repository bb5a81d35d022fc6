"""Pictures of a world, with what every pixel shows: fast enough to be made while training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64, UInt8
from torch import Tensor

from neoverse_ns.clip.synthetic.worlds.shapes import SHAPES, meet, normals_on, rays_in
from neoverse_ns.clip.synthetic.worlds.surface import albedo, surface_table
from neoverse_ns.clip.synthetic.worlds.world import World

NEAR = 1e-3
"""Nothing nearer to the camera is seen."""

NOTHING = -1
"""Part of a pixel at which no ray hits anything."""


@dataclass(frozen=True)
class View:
    """What one camera sees at one time.

    Attributes:
        depth: z-depth at pixel centres; infinite where nothing is.
        part: Place in the world's parts at pixel centres, NOTHING where nothing is.
    """

    depth: Float32[Tensor, "h w"]
    part: Int64[Tensor, "h w"]


class WorldCamera:
    """A camera in a world at one moment.

    Args:
        world: What stands there.
        poses: Of all its parts at that moment, as :meth:`World.poses` gives them.
        c2w: Camera to world, OpenCV axes.
        K: Intrinsics in pixels, pixel centres at +0.5.
        width: Of the picture in pixels.
        height: Of the picture in pixels.
    """

    def __init__(
        self,
        world: World,
        poses: Float64[np.ndarray, "parts 4 4"],
        c2w: Float64[np.ndarray, "4 4"],
        K: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> None:
        self.world, self.poses, self.c2w, self.K = world, poses, c2w, K
        self.width, self.height = width, height

    @cached_property
    def _half(self) -> Float64[np.ndarray, "parts 3"]:
        return np.array([part.half for part in self.world.parts])

    def view(self, rays: int = 1) -> View:
        """Nearest surfaces.

        Args:
            rays: Per pixel along each axis; the view has as many times the pixels.
        """
        width, height = self.width * rays, self.height * rays
        x, y = self._plane(width, height, rays)
        turn = np.swapaxes(self.poses[:, :3, :3], 1, 2)
        frames = turn @ self.c2w[:3, :3] / self._half[:, :, None]
        origins = (turn @ (self.c2w[:3, 3] - self.poses[:, :3, 3])[:, :, None])[:, :, 0] / self._half
        depth = torch.full((height, width), torch.inf)
        nearest = torch.full((height, width), NOTHING)
        for index, (left, top, right, bottom) in enumerate(self._bounds()):
            columns = slice(max(math.floor(left * rays), 0), max(min(math.ceil(right * rays), width), 0))
            rows = slice(max(math.floor(top * rays), 0), max(min(math.ceil(bottom * rays), height), 0))
            if columns.start >= columns.stop or rows.start >= rows.stop:
                continue
            part = self.world.parts[index]
            a, b, c = origins[index].tolist()
            found = meet(part.shape, (a, b, c), rays_in(frames[index], x[columns], y[rows]), part.inside)
            before = depth[rows, columns]
            closer = (found < before) & (found > NEAR)
            before.copy_(torch.where(closer, found, before))
            nearest[rows, columns].masked_fill_(closer, index)
        return View(depth, nearest)

    def colour(self, view: View, rays: int = 1) -> UInt8[Tensor, "h w 3"]:
        """The picture, Lambert shaded.

        Args:
            view: Of :meth:`view`, with the same number of rays, over which pixels are averaged.
            rays: Per pixel along each axis.
        """
        height, width = view.depth.shape
        part, depth = view.part.clamp_min(0).flatten(), view.depth.flatten()
        x, y = (torch.from_numpy(value.astype(np.float32)) for value in self._plane(width, height, rays))
        local, unit = np.swapaxes(self.poses[:, :3, :3], 1, 2), self._half
        axes = local @ self.c2w[:3, :3]
        start = (local @ (self.c2w[:3, 3] - self.poses[:, :3, 3])[:, :, None])[:, :, 0]
        lamp = (local @ (np.array(self.world.light.place) - self.poses[:, :3, 3])[:, :, None])[:, :, 0]
        down = local[:, :, 1]
        kind = np.array([[SHAPES.index(p.shape), 1 - 2 * p.inside, p.sky] for p in self.world.parts])
        rows = np.concatenate([axes.reshape(-1, 9), start, lamp, down, unit, kind], axis=1).astype(np.float32)
        own = torch.from_numpy(np.ascontiguousarray(rows.T)).index_select(1, part)
        axes = own[0:9].view(3, 3, height, width)
        directions = (axes[:, 0] * x + axes[:, 1] * y[:, None] + axes[:, 2]).view(3, -1)
        points = own[9:12] + directions * depth
        half = own[18:21]
        normals = normals_on(own[21].to(torch.int64), points / half, half) * own[22]
        length = _norm(directions)
        facing = (_dot(normals, directions) / length).abs()
        # Geometric mean of the footprint's two axes: one of them is stretched where the surface is seen at a slant.
        footprint = depth / float(self.K[0, 0]) / facing.clamp_min(0.05).sqrt()
        colours = albedo(surface_table([p.surface for p in self.world.parts]), part, points, normals, footprint)
        # The sky shines by itself.
        light = torch.where(own[23] > 0, 1.0, self._light(points, normals, own[12:15], own[15:18]))
        colours = torch.where(view.part.flatten() == NOTHING, 0.0, colours * light)
        image = colours.view(3, height // rays, rays, width // rays, rays).mean(dim=(2, 4)) if rays > 1 else colours
        image = image.view(3, self.height, self.width).permute(1, 2, 0)
        return (image * 255).round().clamp(0, 255).to(torch.uint8)

    def _plane(self, width: int, height: int, rays: int) -> tuple[Float64[np.ndarray, " w"], Float64[np.ndarray, " h"]]:
        """Where columns and rows of rays meet the plane at distance 1."""
        x = ((np.arange(width) + 0.5) / rays - self.K[0, 2]) / self.K[0, 0]
        return x, ((np.arange(height) + 0.5) / rays - self.K[1, 2]) / self.K[1, 1]

    def _light(self, points: Tensor, normals: Tensor, lamp: Tensor, down: Tensor) -> Float32[Tensor, "3 n"]:
        """Colour of the light on surface points; all in the parts' frames."""
        light = self.world.light
        to_lamp = lamp - points
        distance = _norm(to_lamp)
        facing = (_dot(normals, to_lamp) / distance).clamp_min(0)
        facing = facing / (1 + (distance / light.reach) * (distance / light.reach))
        above = 1 - light.from_above * _dot(normals, down)
        ambient, colour = torch.tensor(light.ambient)[:, None], torch.tensor(light.colour)[:, None]
        return ambient * above + colour * facing

    def _bounds(self) -> list[tuple[float, float, float, float]]:
        """Left, top, right, bottom in pixels of a rectangle around each part, the whole picture where it has none."""
        whole = (0.0, 0.0, float(self.width), float(self.height))
        corners = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]) * self._half[:, None]
        world = corners @ np.swapaxes(self.poses[:, :3, :3], 1, 2) + self.poses[:, None, :3, 3]
        seen = (world - self.c2w[:3, 3]) @ self.c2w[:3, :3]
        depth = seen[..., 2]
        pixels = seen[..., :2] / np.maximum(depth, NEAR)[..., None] * self.K[[0, 1], [0, 1]] + self.K[:2, 2]
        low, high = pixels.min(1) - 1, pixels.max(1) + 1
        bounds = []
        for index, part in enumerate(self.world.parts):
            if part.shape == "plane" or part.inside:
                bounds.append(whole)
            elif depth[index].max() <= NEAR:
                bounds.append((0.0, 0.0, 0.0, 0.0))
            elif depth[index].min() <= NEAR:
                bounds.append(whole)
            else:
                bounds.append((*low[index], *high[index]))
        return bounds


def _dot(a: Float32[Tensor, "3 n"], b: Float32[Tensor, "3 n"]) -> Float32[Tensor, " n"]:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _norm(a: Float32[Tensor, "3 n"]) -> Float32[Tensor, " n"]:
    return _dot(a, a).sqrt()
