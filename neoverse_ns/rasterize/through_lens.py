"""Pictures of other lenses than the pinhole: cube faces are drawn, and looked up along the lens's rays."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.cube import CubeFace, cube_faces, matching_focal
from neoverse_ns.geometry.lenses import LensRays
from neoverse_ns.rasterize.drawing import Drawing

PinholeDraw = Callable[[Float[Tensor, "c 4 4"], Float[Tensor, "c 3 3"], int, int], Drawing]
"""Draws a scene from pinhole cameras: world-to-camera matrices, intrinsics, width and height in pixels."""


def draw_through_lens(
    rays: LensRays, viewmat: Float[Tensor, "4 4"], pinholes: PinholeDraw, nearest: float = 1.0
) -> Drawing:
    """Draw a scene along a lens's rays.

    Faces are as fine at their centres as the picture is, so that a pixel shows what a pinhole camera turned to it would
    show in its middle.

    Args:
        rays: Of every pixel.
        viewmat: World-to-camera.
        pinholes: Draws the scene from pinhole cameras.
        nearest: Where the eye moves from column to column, neighbouring columns share one, as long as that shifts
            things at this distance (world units) by at most half a pixel.

    Returns:
        One picture [1, h, w]. Its depth is the distance from the eye along the ray, world units.
    """
    focal = matching_focal(rays.directions)
    slices = _columns_of_one_eye(rays.origins, tolerance=0.5 * nearest / focal)
    parts = []
    for columns in slices:
        directions = rays.directions[:, columns]
        eye = rays.origins[columns].mean(dim=0)
        # A narrow slice fits one face best that looks at its middle.
        turn = _turned_to(directions.sum(dim=(0, 1))) if len(slices) > 1 else torch.eye(3).to(directions)
        parts.append(_draw_from_one_eye(directions @ turn.T, _at_eye(turn, eye) @ viewmat, focal, pinholes))
    values = torch.cat(parts, dim=1)[None]
    rgb, alpha, light = values.split([3, 1, 1], dim=-1)
    return Drawing(rgb, light / alpha.clamp_min(1e-10), alpha)


def _columns_of_one_eye(origins: Float[Tensor, "w 3"], tolerance: float) -> list[slice]:
    """Runs of neighbouring columns whose eyes stray at most by `tolerance` from their middle."""
    path = float(origins.diff(dim=0).norm(dim=-1).sum())
    count = min(max(math.ceil(path / (2 * tolerance)), 1), len(origins))
    bounds = torch.linspace(0, len(origins), count + 1).round().long().tolist()
    return [slice(a, b) for a, b in pairwise(bounds)]


def _turned_to(direction: Float[Tensor, "3"]) -> Float[Tensor, "3 3"]:
    """Rotation from the camera's axes to those of a camera turned about its vertical to look along `direction`."""
    angle = torch.atan2(direction[0], direction[2])
    c, s, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    return torch.stack([c, zero, -s, zero, zero + 1, zero, s, zero, c]).reshape(3, 3)


def _at_eye(turn: Float[Tensor, "3 3"], eye: Float[Tensor, "3"]) -> Float[Tensor, "4 4"]:
    """From the camera's axes to turned ones with their origin in `eye`."""
    bottom = eye.new_tensor([[0.0, 0.0, 0.0, 1.0]])
    return torch.cat([torch.cat([turn, -(turn @ eye)[:, None]], dim=1), bottom])


def _draw_from_one_eye(
    directions: Float[Tensor, "h w 3"], viewmat: Float[Tensor, "4 4"], focal: float, pinholes: PinholeDraw
) -> Float[Tensor, "h w 5"]:
    """Colour, alpha, and alpha times distance."""
    flat = directions.reshape(-1, 3)
    values = flat.new_zeros(len(flat), 5)
    for face in cube_faces(flat, focal):
        turn = _at_eye(face.rotation, torch.zeros_like(flat[0]))
        drawing = pinholes((turn @ viewmat)[None], face.K[None], face.width, face.height)
        values = values.index_add(0, face.rays, face.weights[:, None] * _look_up(drawing, face))
    return values.reshape(*directions.shape[:2], 5)


def _look_up(drawing: Drawing, face: CubeFace) -> Float[Tensor, "m 5"]:
    """Colour, alpha, and alpha times distance where the rays go through a face.

    Colour is over black, so both it and distance, once weighted, may be interpolated without drawing in what is empty.
    """
    alpha = drawing.alpha[0]
    distance = drawing.depth[0] * face.distance_over_depth()[..., None]
    picture = torch.cat([drawing.rgb[0], alpha, alpha * distance], dim=-1).permute(2, 0, 1)[None]
    grid = 2 * face.uv / face.uv.new_tensor([face.width, face.height]) - 1
    looked_up = torch.nn.functional.grid_sample(picture, grid[None, None], align_corners=False, padding_mode="border")
    return looked_up[0, :, 0].T
