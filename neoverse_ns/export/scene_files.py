"""A reconstruction as files that other programs read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from neoverse_ns.export.camera_files import cameras_json, write_colmap_text, write_tum
from neoverse_ns.export.gaussian_ply import write_ply
from neoverse_ns.reconstruct.scene import Scene


def write_reconstruction(scene: Scene, folder: Path) -> list[Path]:
    """Write cameras, depth and Gaussians.

    - `cameras.json`: see :func:`neoverse_ns.export.camera_files.cameras_json`.
    - `depth.npz`: `depth` and `confidence` [k,h,w] float32, `dynamic` [k,h,w] bool, `frame_index` [k] in the source.
    - `gaussians.ply`: see :func:`neoverse_ns.export.gaussian_ply.write_ply`.
    - `cameras.tum`: seconds, position, quaternion xyzw per frame.
    - `colmap/`: cameras.txt, images.txt, points3D.txt.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clip, geometry = scene.clip, scene.geometry
    document = cameras_json(geometry.cameras, clip.frame_indices, clip.seconds, geometry.keyframes, geometry.report)
    (folder / "cameras.json").write_text(json.dumps(document, indent=1, allow_nan=False), "utf8")
    np.savez_compressed(
        folder / "depth.npz",
        depth=geometry.depth.numpy().astype(np.float32),
        confidence=geometry.confidence.numpy().astype(np.float32),
        dynamic=geometry.dynamic.numpy(),
        frame_index=clip.frame_indices[geometry.keyframes].numpy(),
    )
    files = [folder / "cameras.json", folder / "depth.npz"]
    if scene.gaussians is not None:
        write_ply(folder / "gaussians.ply", scene.gaussians.flat())
        files.append(folder / "gaussians.ply")
    write_tum(folder / "cameras.tum", geometry.cameras.c2w, clip.seconds)
    names = [scene.frame_file(i).name for i in range(len(clip))]
    write_colmap_text(folder / "colmap", geometry.cameras, names)
    return [*files, folder / "cameras.tum", folder / "colmap"]
