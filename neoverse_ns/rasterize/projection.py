"""Perspective projection of 3D Gaussians to the image in plain torch, for any float type and device."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize

from neoverse_ns.rasterize.settings import RasterSettings

MIN_ALPHA = 1.0 / 255.0
FRUSTUM_MARGIN = 0.3
MAX_EXTENT = 3.33


@dataclass(frozen=True)
class ProjectedGaussians:
    """Gaussians in one image. Rows that are not `visible` hold finite, meaningless values.

    Attributes:
        means2d: Centres in pixels.
        conics: Entries xx, xy, yy of the inverse covariance, 1/pixel^2.
        depths: z in camera coordinates.
        strengths: Opacities after the antialiasing compensation.
        radii: Half extents in whole pixels.
        visible: Whether any pixel can be touched.
    """

    means2d: Float[Tensor, "n 2"]
    conics: Float[Tensor, "n 3"]
    depths: Float[Tensor, " n"]
    strengths: Float[Tensor, " n"]
    radii: Float[Tensor, "n 2"]
    visible: Bool[Tensor, " n"]


def rotation_matrices(quats: Float[Tensor, "n 4"]) -> Float[Tensor, "n 3 3"]:
    """Rotation matrices of quaternions wxyz, which need not have unit length."""
    w, x, y, z = normalize(quats, dim=-1).unbind(-1)
    rows = [
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], -1),
        torch.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], -1),
        torch.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], -1),
    ]
    return torch.stack(rows, dim=-2)


def project(
    means: Float[Tensor, "n 3"],
    quats: Float[Tensor, "n 4"],
    scales: Float[Tensor, "n 3"],
    opacities: Float[Tensor, " n"],
    viewmat: Float[Tensor, "4 4"],
    K: Float[Tensor, "3 3"],
    settings: RasterSettings,
) -> ProjectedGaussians:
    """EWA projection (Zwicker et al. 2001) with the conventions of gsplat's kernels.

    The covariance is carried through the Jacobian of the projection at the mean, whose viewing angle is clamped to the
    frustum plus 15 % of the field of view on each side; `eps2d` is added to its diagonal.
    """
    centres = means @ viewmat[:3, :3].T + viewmat[:3, 3]
    in_range = (centres[:, 2] >= settings.near_plane) & (centres[:, 2] <= settings.far_plane)
    # A stand-in keeps values and gradients of Gaussians that are not drawn finite.
    centres = torch.where(in_range[:, None], centres, centres.new_tensor([0.0, 0.0, 1.0]))
    x, y, z = centres.unbind(-1)
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    margin_x, margin_y = FRUSTUM_MARGIN * 0.5 * settings.width / fx, FRUSTUM_MARGIN * 0.5 * settings.height / fy
    tx = z * torch.clamp(x / z, -(cx / fx + margin_x), (settings.width - cx) / fx + margin_x)
    ty = z * torch.clamp(y / z, -(cy / fy + margin_y), (settings.height - cy) / fy + margin_y)

    axes = viewmat[:3, :3] @ (rotation_matrices(quats) * scales[:, None, :])
    u = (fx / z)[:, None] * axes[:, 0] - (fx * tx / z**2)[:, None] * axes[:, 2]
    v = (fy / z)[:, None] * axes[:, 1] - (fy * ty / z**2)[:, None] * axes[:, 2]
    sharp_xx, xy, sharp_yy = (u * u).sum(-1), (u * v).sum(-1), (v * v).sum(-1)
    xx, yy = sharp_xx + settings.eps2d, sharp_yy + settings.eps2d
    determinant = xx * yy - xy * xy
    usable = in_range & (determinant > 0) & torch.isfinite(determinant)
    determinant = torch.where(usable, determinant, 1.0)
    conics = torch.stack([yy, -xy, xx], dim=-1) / determinant[:, None]

    strengths = opacities
    if settings.antialiased:
        ratio = (sharp_xx * sharp_yy - xy * xy) / determinant
        positive = ratio > 0  # the square root has no finite slope at zero
        strengths = opacities * torch.where(positive, torch.where(positive, ratio, 1.0).sqrt(), 0.0)
    means2d = torch.stack([fx * x / z + cx, fy * y / z + cy], dim=-1)

    with torch.no_grad():
        usable = usable & (strengths >= MIN_ALPHA)
        extent = (2 * torch.log(strengths.clamp_min(MIN_ALPHA) / MIN_ALPHA)).sqrt().clamp_max(MAX_EXTENT)
        radii = torch.ceil(extent[:, None] * torch.stack([xx, yy], dim=-1).sqrt())
        size = means2d.new_tensor([settings.width, settings.height])
        inside = ((means2d + radii > 0) & (means2d - radii < size)).all(dim=-1)
        visible = usable & inside & (radii > settings.radius_clip).any(dim=-1)
        radii = torch.where(visible[:, None], radii, 0.0)
    return ProjectedGaussians(means2d, conics, z, strengths, radii, visible)
