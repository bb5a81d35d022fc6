"""Lenses other than the pinhole: where every pixel of their pictures looks from, and where to.

All take normalised image coordinates, (pixel - principal point) / focal length, as a pinhole does; directions are in
the camera's axes (OpenCV: x right, y down, z forward).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

EYE_DISTANCE = 0.064
"""Between human eyes, metres; nerfstudio's stereo cameras take it for world units."""


@dataclass(frozen=True)
class LensRays:
    """The rays of a picture, in the camera's axes.

    Attributes:
        directions: Of any length; zero where the lens shows nothing.
        origins: The eye of each column of pixels, world units from the camera's centre.
    """

    directions: Float[Tensor, "h w 3"]
    origins: Float[Tensor, "w 3"]


def fisheye(coordinates: Float[Tensor, "h w 2"]) -> LensRays:
    """The equidistant fisheye: distance from the centre is the angle to the optical axis, in radians up to pi."""
    angle = coordinates.norm(dim=-1, keepdim=True)
    # sinc is sin(pi x) / (pi x), and 1 in the centre.
    directions = torch.cat([coordinates * torch.sinc(angle / math.pi), angle.cos()], dim=-1)
    return _from_centre(torch.where(angle > math.pi, torch.zeros_like(directions), directions))


def spherical(coordinates: Float[Tensor, "h w 2"]) -> LensRays:
    """A panorama of longitude by latitude in half turns: x of -1 to 1 goes all round, y of -1/2 to 1/2 from top to
    bottom, (0, 0) is straight ahead."""
    longitude, latitude = (math.pi * coordinates).unbind(-1)
    across = latitude.cos()
    return _from_centre(torch.stack([longitude.sin() * across, latitude.sin(), longitude.cos() * across], dim=-1))


def half_spherical(coordinates: Float[Tensor, "h w 2"]) -> LensRays:
    """The panorama's front half, as of VR180: x of -1 to 1 goes from left to right."""
    return spherical(coordinates * coordinates.new_tensor([0.5, 1.0]))


def beside(rays: LensRays, offset: float) -> LensRays:
    """The same seen by an eye that stands `offset` (world units) to the right of the camera's centre."""
    return LensRays(rays.directions, rays.origins + rays.origins.new_tensor([offset, 0.0, 0.0]))


def around(coordinates: Float[Tensor, "h w 2"], offset: float) -> LensRays:
    """A spherical panorama by an eye `offset` (world units) to the right of a head that turns from column to column.

    Omni-directional stereo: each column's eye stands square to where the column looks (Peleg et al., "Omnistereo:
    Panoramic Stereo Imaging", 2001).
    """
    longitude = math.pi * coordinates[0, :, 0]
    right = torch.stack([longitude.cos(), torch.zeros_like(longitude), -longitude.sin()], dim=-1)
    return LensRays(spherical(coordinates).directions, offset * right)


def _from_centre(directions: Float[Tensor, "h w 3"]) -> LensRays:
    return LensRays(directions, torch.zeros_like(directions[0]))
