"""Colours from real spherical harmonics, degree 0 to 3, in the sign convention of Gaussian splatting."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize


def sh_basis(directions: Float[Tensor, "n 3"], degree: int) -> Float[Tensor, "n b"]:
    """Values of the real spherical harmonics at unit directions.

    The polynomials are those of Sloan, "Efficient Spherical Harmonic Evaluation" (JCGT 2013), with the Condon-Shortley
    phase kept, as in Kerbl et al. 2023: band by band, order -l to l.

    Args:
        directions: Unit vectors.
        degree: Highest band, 0 to 3; ``b`` = (degree + 1)^2.
    """
    x, y, z = directions.unbind(-1)
    values = [torch.full_like(x, 0.28209479177387814)]
    if degree >= 1:
        values += [-0.4886025119029199 * y, 0.4886025119029199 * z, -0.4886025119029199 * x]
    xx, yy, zz = x * x, y * y, z * z
    if degree >= 2:
        values += [
            1.0925484305920792 * x * y,
            -1.0925484305920792 * y * z,
            0.31539156525252005 * (2 * zz - xx - yy),
            -1.0925484305920792 * x * z,
            0.5462742152960396 * (xx - yy),
        ]
    if degree >= 3:
        values += [
            -0.5900435899266435 * y * (3 * xx - yy),
            2.890611442640554 * x * y * z,
            -0.4570457994644658 * y * (4 * zz - xx - yy),
            0.3731763325901154 * z * (2 * zz - 3 * xx - 3 * yy),
            -0.4570457994644658 * x * (4 * zz - xx - yy),
            1.445305721320277 * z * (xx - yy),
            -0.5900435899266435 * x * (xx - 3 * yy),
        ]
    return torch.stack(values, dim=-1)


def sh_colors(
    sh: Float[Tensor, "n b 3"], means: Float[Tensor, "n 3"], viewmat: Float[Tensor, "4 4"], degree: int
) -> Float[Tensor, "n 3"]:
    """Colours seen from one camera: 0.5 + the harmonics at the direction from the camera to each mean, cut at 0.

    Gradients also reach `means` and `viewmat` through the direction, as in gsplat.

    Args:
        sh: Coefficients; those above `degree` are not used.
        means: Centres in world coordinates.
        viewmat: World to camera.
        degree: Highest band in use.
    """
    if degree == 0:  # does not depend on the direction, so that no gradient has to be carried back through it
        return (0.5 + 0.28209479177387814 * sh[:, 0]).clamp_min(0)
    position = -(viewmat[:3, :3].T @ viewmat[:3, 3])
    basis = sh_basis(normalize(means - position, dim=-1), degree)
    return (0.5 + torch.einsum("nb,nbc->nc", basis, sh[:, : basis.shape[1]])).clamp_min(0)
