"""Colours without harmonics of higher degree, which a page has no room for."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.spherical_harmonics import sh_colors


def plain_colours(
    sh: Float[Tensor, "n b 3"], means: Float[Tensor, "n 3"], camera: PinholeCameras
) -> Float[Tensor, "n 1 3"]:
    """Harmonics of degree 0 that look from `camera` as the given ones do.

    What the clip's own camera sees stays exact at its keyframe; only from elsewhere does a sheen stand still. Dropping
    the higher harmonics instead would be wrong from everywhere.

    Args:
        sh: Coefficients of any degree.
        means: Centres, world units.
        camera: The one camera that decides.
    """
    if sh.shape[1] == 1:
        return sh
    degree = round(sh.shape[1] ** 0.5) - 1
    return ((sh_colors(sh, means, camera.viewmats[0].to(means), degree) - 0.5) / SH_C0)[:, None]
