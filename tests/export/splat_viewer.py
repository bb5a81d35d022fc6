"""What a splat viewer does with a PLY: reads the columns, sorts by depth, blends. It knows nothing of layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from plyfile import PlyData

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.image import psnr
from neoverse_ns.rasterize import rasterize


def columns(path: Path, *names: str) -> torch.Tensor:
    """Columns of a PLY side by side, [n, len(names)]."""
    vertex = PlyData.read(str(path))["vertex"]
    return torch.from_numpy(np.stack([np.asarray(vertex[name], np.float32) for name in names], axis=-1))


def show(path: Path, camera: PinholeCameras) -> torch.Tensor:
    """The picture [h, w, 3] over black."""
    renders, _, _ = rasterize(
        means=columns(path, "x", "y", "z"),
        quats=columns(path, "rot_0", "rot_1", "rot_2", "rot_3"),
        scales=columns(path, "scale_0", "scale_1", "scale_2").exp(),
        opacities=torch.sigmoid(columns(path, "opacity"))[:, 0],
        colors=(0.5 + 0.28209479177387814 * columns(path, "f_dc_0", "f_dc_1", "f_dc_2")).clamp_min(0),
        viewmats=camera.viewmats,
        Ks=camera.K,
        width=camera.width,
        height=camera.height,
        render_mode="RGB",
    )
    return renders[0]


def agreement(a: torch.Tensor, b: torch.Tensor) -> float:
    """PSNR of two pictures in dB."""
    return psnr(a.clamp(0, 1), b.clamp(0, 1))
