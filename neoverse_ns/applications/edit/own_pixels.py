"""What was put somewhere, in the colours that the clip's own frame has for it where it was."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from neoverse_ns.applications.edit.apply import Put
from neoverse_ns.applications.edit.layers_shown import Shown
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project, unproject

SAME_DEPTH = 0.02
"""Relative difference of depth up to which a pixel shows the same point of the thing."""
ITS_OWN = 0.9
"""Share of the thing from which on a pixel's colour is the thing's own, and not mixed with what is behind."""
_LEAST = 0.02


def from_own_frame(
    put: Put, shown: Shown, own: Shown, image: Float[Tensor, "h w 3"], camera: PinholeCameras, time: float
) -> Shown:
    """The same part of the picture, sharper: every pixel's point is looked up where it was in the unedited frame.

    Sides that are not seen there keep the Gaussians' colours.

    Args:
        put: What was put somewhere.
        shown: As it is drawn there.
        own: As the unedited scene shows it where it was.
        image: The unedited frame in [0, 1].
        camera: One.
        time: Normalised.
    """
    rows, columns = ((shown.share > _LEAST) & (shown.part_depth > 0)).nonzero().unbind(1)
    if len(rows) == 0:
        return shown
    height, width = image.shape[:2]
    c2w, K = camera.c2w[0].double(), camera.K[0].double()
    points = unproject(shown.part_depth.double(), K, c2w)[rows, columns]
    pixels, z = project(put.before(points, time), torch.linalg.inv(c2w), K)
    inside = (z > 0) & (pixels >= 0.5).all(dim=-1) & (pixels[:, 0] <= width - 0.5) & (pixels[:, 1] <= height - 0.5)
    grid = (pixels / torch.tensor([width, height], dtype=torch.float64) * 2 - 1).float()[None, None]
    planes = torch.cat([image.permute(2, 0, 1), own.part_depth[None], own.share[None]])[None]
    found = functional.grid_sample(planes, grid, align_corners=False, padding_mode="border")[0, :, 0].T
    same = (found[:, 3] - z.float()).abs() <= SAME_DEPTH * z.float()
    known = inside & same & (found[:, 4] > ITS_OWN)
    colours = found[:, :3]
    if put.colours is not None:
        colours = (colours @ put.colours.to(colours).T).clamp(0, 1)
    rgb = shown.rgb.clone()
    rgb[rows[known], columns[known]] = (colours * shown.share[rows, columns][:, None])[known]
    return replace(shown, rgb=rgb)
