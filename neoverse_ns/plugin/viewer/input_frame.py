"""The clip's own frame beside or under the drawing."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import pixel_centres

INSET = 0.35
"""Share of the window's sides that the small picture may fill."""
MARGIN = 0.02
_SEAM = 0.9


def placed_frame(
    frame: Float[Tensor, "h w 3"], own: PinholeCameras, window: PinholeCameras
) -> tuple[Float[Tensor, "wh ww 3"], Bool[Tensor, "wh ww"]]:
    """A frame as it would be seen from the window's camera, were everything far away; and where it reaches.

    From the frame's own place it lies exactly over the drawing, however the window is turned or zoomed.

    Args:
        frame: Colours in [0, 1].
        own: Its camera.
        window: The window's camera, in the same world.
    """
    turn = own.c2w[0, :3, :3].double().mT @ window.c2w[0, :3, :3].double()
    H = own.K[0].double() @ turn @ torch.linalg.inv(window.K[0].double())
    grid = pixel_centres(window.height, window.width).double()
    rays = torch.cat([grid, torch.ones_like(grid[..., :1])], dim=-1) @ H.T
    ahead = rays[..., 2] > 1e-6
    pixels = rays[..., :2] / rays[..., 2:].clamp_min(1e-6)
    size = torch.tensor([own.width, own.height], dtype=torch.float64)
    inside = ahead & ((pixels >= 0) & (pixels <= size)).all(dim=-1)
    places = (2 * pixels / size - 1).clamp(-2, 2).float()
    found = F.grid_sample(
        frame.permute(2, 0, 1)[None].float(), places[None], padding_mode="border", align_corners=False
    )
    return found[0].permute(1, 2, 0), inside


def wiped(
    drawn: Float[Tensor, "h w 3"],
    frame: Float[Tensor, "h w 3"],
    inside: Bool[Tensor, "h w"],
    share: float,
) -> Float[Tensor, "h w 3"]:
    """The drawing on the left, the frame on the right of a seam at `share` of the width."""
    seam = round(share * drawn.shape[1])
    result = drawn.clone()
    right = inside.clone()
    right[:, :seam] = False
    result[right] = frame[right]
    if 0 < seam < drawn.shape[1]:
        result[:, seam] = _SEAM
    return result


def with_inset(drawn: Float[Tensor, "h w 3"], frame: Float[Tensor, "fh fw 3"]) -> Float[Tensor, "h w 3"]:
    """The drawing with the whole frame in its lower right corner."""
    height, width = drawn.shape[:2]
    scale = INSET * min(height / frame.shape[0], width / frame.shape[1])
    h, w = max(round(scale * frame.shape[0]), 1), max(round(scale * frame.shape[1]), 1)
    small = F.interpolate(frame.permute(2, 0, 1)[None].float(), (h, w), mode="bilinear", antialias=True)
    margin = round(MARGIN * min(height, width))
    result = drawn.clone()
    bottom, right = height - margin, width - margin
    result[max(bottom - h - 1, 0) : bottom + 1, max(right - w - 1, 0) : right + 1] = _SEAM
    result[bottom - h : bottom, right - w : right] = small[0].permute(1, 2, 0).clamp(0, 1)
    return result
