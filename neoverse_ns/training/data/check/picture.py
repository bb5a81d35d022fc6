"""A sample's two frames, what the truth makes of the second, depth and motion, side by side."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float64, UInt8
from PIL import Image
from torch import Tensor

from neoverse_ns.training.data.check.pair import Pair
from neoverse_ns.training.data.motion.surface_sampling import sample_surface


def save_picture(path: Path, pair: Pair) -> None:
    """Write a JPEG: first frame, second frame, second frame where the truth says that the first one's pixels are,
    difference of that from the first, nearness, motion (colour is its direction in the camera's picture)."""
    tiles = [pair.rgb, _fitted(pair.other_rgb, pair), *_brought_back(pair), _nearness(pair), _motion(pair)]
    rows = [torch.cat(tiles[:3], dim=1), torch.cat(tiles[3:], dim=1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(torch.cat(rows).numpy()).save(path, quality=90)


def _fitted(rgb: UInt8[Tensor, "h w 3"], pair: Pair) -> UInt8[Tensor, "h w 3"]:
    height, width = pair.view.size
    if rgb.shape[:2] == (height, width):
        return rgb
    return torch.from_numpy(cv2.resize(rgb.numpy(), (width, height), interpolation=cv2.INTER_AREA))


def _brought_back(pair: Pair) -> tuple[UInt8[Tensor, "h w 3"], UInt8[Tensor, "h w 3"]]:
    target, z = pair.target()
    known = pair.view.known & (z > 0)
    colours = pair.other_rgb.double()
    everywhere = torch.ones(*colours.shape[:2])
    found, inside = sample_surface(colours, everywhere > 0, everywhere, torch.where(known[..., None], target, -1))
    shown = torch.where((known & inside)[..., None], found, 0)
    off = torch.where((known & inside)[..., None], (shown - pair.rgb.double()).abs() * 2, 0)
    return _bytes(shown), _bytes(off)


def _nearness(pair: Pair) -> UInt8[Tensor, "h w 3"]:
    known = pair.view.known
    if not bool(known.any()):
        return torch.zeros_like(pair.rgb)
    near = pair.view.depth[known].double().kthvalue(1 + int(known.sum()) // 50)[0]
    return _bytes(
        torch.where(known, 255 * near / pair.view.depth.double().clamp_min(1e-9), 0)[..., None].expand(-1, -1, 3)
    )


def _motion(pair: Pair) -> UInt8[Tensor, "h w 3"]:
    across = (pair.moved @ pair.view.c2w[:3, :3])[..., :2]
    longest = float(pair.moved.norm(dim=-1).max())
    height, width = pair.view.size
    hsv = np.zeros((height, width, 3), np.uint8)
    angle = torch.atan2(across[..., 1], across[..., 0]) / (2 * torch.pi) % 1
    hsv[..., 0] = (179 * angle).numpy().astype(np.uint8)
    hsv[..., 1] = 255
    if longest > 0:
        hsv[..., 2] = (255 * pair.moved.norm(dim=-1) / longest).numpy().astype(np.uint8)
    return torch.from_numpy(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def _bytes(values: Float64[Tensor, "h w 3"]) -> UInt8[Tensor, "h w 3"]:
    return values.round().clamp(0, 255).to(torch.uint8)
