"""Rays in all directions, gathered on the faces of a cube around the eye: each face is an ordinary pinhole picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neoverse_ns.geometry.projection import pixel_centres

_AXES = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),  # ahead
    ((0, 0, -1), (0, 1, 0), (1, 0, 0)),  # right
    ((0, 0, 1), (0, 1, 0), (-1, 0, 0)),  # left
    ((1, 0, 0), (0, 0, 1), (0, -1, 0)),  # up
    ((1, 0, 0), (0, 0, -1), (0, 1, 0)),  # down
    ((-1, 0, 0), (0, 1, 0), (0, 0, -1)),  # behind
)
"""Each face's right, down and forward axes among the camera's (right, down, forward)."""

_OVERLAP = 1.2
"""Faces reach this far, where 1 is the cube's edge. Splats are drawn as flat as each face needs it, so that large ones
differ a little from face to face; blending over some degrees hides the seam."""

_MARGIN = 2
"""Pixels around the outermost rays, between which bilinear sampling interpolates."""

_LONE_FOCAL = 256.0
"""Focal length for a picture of a single pixel, whose neighbours cannot tell how much it sees."""


@dataclass(frozen=True)
class CubeFace:
    """The part of one face that some rays go through, as a pinhole camera of its own.

    Attributes:
        rotation: From the camera's axes to the face's; both OpenCV (x right, y down, z forward).
        K: Intrinsics in pixels; the principal point may lie outside the picture.
        width: Width in pixels.
        height: Height in pixels.
        rays: Which rays go through it.
        uv: Where they do, in pixels; pixel centres at +0.5.
        weights: How much of each ray's picture it gives; those of all faces sum to one.
    """

    rotation: Float[Tensor, "3 3"]
    K: Float[Tensor, "3 3"]
    width: int
    height: int
    rays: Int64[Tensor, " m"]
    uv: Float[Tensor, "m 2"]
    weights: Float[Tensor, " m"]

    def distance_over_depth(self) -> Float[Tensor, "h w"]:
        """How much longer than its z-depth the way to a point is, at every pixel."""
        focal, centre = self.K[0, 0], self.K[:2, 2]
        pixels = pixel_centres(self.height, self.width, self.K.dtype, self.K.device)
        return (1 + ((pixels - centre) / focal).square().sum(-1)).sqrt()


def cube_faces(directions: Float[Tensor, "n 3"], focal: float) -> list[CubeFace]:
    """The faces that rays go through; near the cube's edges a ray goes through two or three.

    Args:
        directions: In the camera's axes (OpenCV), of any length; zero for rays that belong to no face.
        focal: Focal length of the faces, pixels.
    """
    weights = _weights(directions)
    faces = []
    for rotation, weight in zip(directions.new_tensor(_AXES), weights.unbind(-1), strict=True):
        rays = torch.nonzero(weight)[:, 0]
        if not len(rays):
            continue
        local = directions[rays] @ rotation.T
        uv = focal * local[:, :2] / local[:, 2:]
        first = uv.amin(dim=0).floor() - _MARGIN
        size = (uv.amax(dim=0).ceil() + _MARGIN - first).long()
        K = torch.diag(uv.new_tensor([focal, focal, 1.0]))
        K[:2, 2] = -first
        faces.append(CubeFace(rotation, K, int(size[0]), int(size[1]), rays, uv - first, weight[rays]))
    return faces


def _weights(directions: Float[Tensor, "n 3"]) -> Float[Tensor, "n 6"]:
    """Share of each face in every ray: smooth, zero from where the face ends, all zero for rays that are zero."""
    axes = directions.new_tensor(_AXES)[:, 2]
    forward = directions @ axes.T
    # The two axes beside a face's own are the camera's other two, whatever their signs.
    aside = torch.maximum(directions.roll(1, -1).abs(), directions.roll(-1, -1).abs()) @ axes.abs().T
    inside = (_OVERLAP - aside / forward.clamp_min(1e-12)) / (_OVERLAP - 1 / _OVERLAP)
    share = torch.where(forward > 0, inside.clamp(0, 1), torch.zeros_like(inside))
    share = share.square() * (3 - 2 * share)
    return share / share.sum(dim=-1, keepdim=True).clamp_min(1e-12)


def matching_focal(directions: Float[Tensor, "h w 3"]) -> float:
    """Focal length in pixels at which faces are nowhere coarser than a picture whose pixels look along `directions`.

    What counts is how far neighbouring pixels look apart where they do so most: those of a panorama's poles look nearly
    all the same way, but only along its rows.
    """
    unit = torch.nn.functional.normalize(directions, dim=-1)
    down, right = _steps(unit, 0), _steps(unit, 1)
    # The largest singular value of the two steps, in closed form.
    a, b, c = right.square().sum(-1), (right * down).sum(-1), down.square().sum(-1)
    apart = ((a + c) / 2 + (((a - c) / 2).square() + b.square()).sqrt()).sqrt()
    # A face's pixels look less apart the farther off its axis: by the cosine at least.
    needed = unit.abs().amax(dim=-1) / apart.clamp_min(1e-9)
    known = (apart > 0) & (unit != 0).any(dim=-1)
    return float(needed[known].max()) if bool(known.any()) else _LONE_FOCAL


def _steps(unit: Float[Tensor, "h w 3"], dim: int) -> Float[Tensor, "h w 3"]:
    """From each pixel to the next along `dim`; the last one's is that before it, zero where there is only one."""
    if unit.shape[dim] == 1:
        return torch.zeros_like(unit)
    steps = unit.diff(dim=dim)
    return torch.cat([steps, steps.narrow(dim, steps.shape[dim] - 1, 1)], dim=dim)
