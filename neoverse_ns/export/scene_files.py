"""A reconstruction as files that other programs read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from neoverse_ns.export.camera_files import cameras_json, write_tum
from neoverse_ns.export.dataset import write_dataset
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.reconstruct.scene import Scene


def write_reconstruction(
    scene: Scene, folder: Path, time: float = 0.5, options: DrawOptions | None = None
) -> list[Path]:
    """Write frames, cameras, depth and Gaussians.

    - `cameras.json`: see :func:`neoverse_ns.export.camera_files.cameras_json`.
    - `depth.npz`: `depth` and `confidence` [k,h,w] float32, `dynamic` [k,h,w] bool, `frame_index` [k] in the source;
      `ignored` [k,h,w] bool of pixels that are no part of the world.
    - `gaussians.ply`: the Gaussians of one instant, for splat viewers; see
      :func:`neoverse_ns.export.gaussian_ply.write_instant`.
    - `gaussians_4d.ply`: all of them with their motion; see :func:`neoverse_ns.export.gaussian_ply.write_motion`.
    - `cameras.tum`: seconds, position, quaternion xyzw per frame.
    - `images/`, `transforms.json`, `sparse_pc.ply`, `colmap/`: see :func:`neoverse_ns.export.dataset.write_dataset`.

    Args:
        scene: The reconstruction; without Gaussians their files are left out.
        folder: Created where needed.
        time: Normalised time of `gaussians.ply`.
        options: How the scene is drawn.

    Returns:
        The files, and the folders that :func:`neoverse_ns.export.dataset.write_dataset` writes.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clip, geometry = scene.clip, scene.geometry
    document = cameras_json(geometry.cameras, clip.frame_indices, clip.seconds, geometry.keyframes, geometry.report)
    (folder / "cameras.json").write_text(json.dumps(document, indent=1, allow_nan=False), "utf8")
    ignored = torch.zeros_like(geometry.dynamic) if clip.ignored is None else clip.ignored[geometry.keyframes]
    np.savez_compressed(
        folder / "depth.npz",
        ignored=ignored.numpy(),
        depth=geometry.depth.numpy().astype(np.float32),
        confidence=geometry.confidence.numpy().astype(np.float32),
        dynamic=geometry.dynamic.numpy(),
        frame_index=clip.frame_indices[geometry.keyframes].numpy(),
    )
    files = [folder / "cameras.json", folder / "depth.npz"]
    if scene.gaussians is not None:
        exported = ExportScene(scene.gaussians, geometry.cameras, clip.times, clip.seconds, options or DrawOptions())
        for name in ("ply", "ply-4d"):
            files += export_format(name).write(exported, ExportOptions(time=time), folder)
    write_tum(folder / "cameras.tum", geometry.cameras.c2w, clip.seconds)
    return [*files, folder / "cameras.tum", *write_dataset(scene, geometry.cameras, folder)]
