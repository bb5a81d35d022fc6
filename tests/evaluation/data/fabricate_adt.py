"""ADT sequences as the rectifying tools write them, of a small world with known cameras."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from tests.evaluation.data import fabricate_world as world

RECTIFIED = "synthetic_video/camera-rgb-rectified-600-h1000"
TURN = torch.tensor([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=torch.float64)
"""From the axes of a camera that lies on its side to those of the upright one."""


@dataclass
class FabricatedWalk:
    """What was written of one sequence.

    Attributes:
        folder: Of the sequence.
        upright: Camera to world of the upright pictures.
        K: Of the upright pictures.
        light: Share of light that the stored pictures have, float [h,w].
    """

    folder: Path
    upright: list[Float64[Tensor, "4 4"]]
    K: Float64[Tensor, "3 3"]
    light: np.ndarray


def write_adt(
    folder: Path,
    sequences: Sequence[str] = ("Apartment_release_multiuser_cook_seq141_M1292",),
    frames: int = 8,
    size: tuple[int, int] = (48, 64),
    vignette: bool = True,
    drawn: bool = True,
) -> list[FabricatedWalk]:
    """Write rectified folders; their pictures lie on their sides and are darker towards the corners.

    Args:
        folder: Of the data set.
        sequences: Their names; each shows another world.
        frames: How many.
        size: Width and height of the upright pictures; the set's are square.
        vignette: Whether the lens darkens, and tells by how much.
        drawn: Whether pictures show the world; else they are grey.

    Returns:
        The sequences, in their order.
    """
    return [_write(folder / name, number, frames, size, vignette, drawn) for number, name in enumerate(sequences)]


def _write(
    folder: Path, number: int, frames: int, size: tuple[int, int], vignette: bool, drawn: bool
) -> FabricatedWalk:
    place = folder / RECTIFIED
    (place / "images").mkdir(parents=True)
    width, height = size[1], size[0]
    # On its side: what is right on the sensor is down in the world, so that its K has the sides' roles exchanged.
    K = world.intrinsics(width, height)
    upright = world.moving_poses(frames, number)
    light = _light(width, height) if vignette else np.ones((height, width))
    listed = []
    for time, pose in enumerate(upright):
        c2w = pose @ TURN
        stamp = 1_000_000_000 + 33_333_333 * time
        name = f"images/camera-rgb_{stamp}.png"
        rgb = np.full((height, width, 3), 128, np.uint8)
        if drawn:
            rgb = world.picture(time / max(frames - 1, 1), c2w, K, (width, height), number)
        dark = np.round(rgb * light[..., None]).astype(np.uint8)
        assert cv2.imwrite(str(place / name), dark[..., ::-1])
        listed.append(
            {
                "fx": K[0, 0].item(),
                "fy": K[1, 1].item(),
                # The tool counts pixels by their centres.
                "cx": K[0, 2].item() - 0.5,
                "cy": K[1, 2].item() - 0.5,
                "w": width,
                "h": height,
                "image_path": name,
                "mask_path": "",
                "transform_matrix": c2w.tolist(),
                "timestamp": float(stamp),
            }
        )
    # Entries need not be in order.
    (place / "transforms.json").write_text(json.dumps({"camera_model": "linear", "frames": listed[::-1]}))
    if vignette:
        cv2.imwrite(str(place / "vignette.png"), np.repeat(np.round(light * 255)[..., None], 3, -1).astype(np.uint8))
    mask = np.full((height, width), 255, np.uint8)
    mask[:6, :10] = 0
    cv2.imwrite(str(place / "mask.png"), mask)
    turned = torch.eye(3, dtype=torch.float64)
    turned[0, 0], turned[1, 1] = K[1, 1], K[0, 0]
    # Integer centres: cx' = h - 1 - cy, cy' = cx.
    turned[0, 2], turned[1, 2] = height - 1 - (K[1, 2] - 0.5) + 0.5, K[0, 2]
    return FabricatedWalk(folder, upright, turned, light)


def _light(width: int, height: int) -> np.ndarray:
    """Full in the middle, less than half in the corners."""
    y, x = np.mgrid[:height, :width]
    away = np.hypot((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5)
    return np.round((1 - 1.2 * away**2) * 255) / 255
