"""Frames, cameras and points as folders that programs for photogrammetry and splats open as they are."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from plyfile import PlyData, PlyElement

from neoverse_ns.console import say, warn
from neoverse_ns.export.camera_files import transforms_json
from neoverse_ns.export.colmap.binary import write_binary
from neoverse_ns.export.colmap.find import find_tracks
from neoverse_ns.export.colmap.model import colmap_model
from neoverse_ns.export.colmap.text import write_text
from neoverse_ns.export.colmap.tracks import Tracks
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.scene import Scene

IMAGES = "images"
POINTS = "sparse_pc.ply"
"""The name that nerfstudio gives it. Brush starts from the last such file by name, which this one is beside ours."""


def write_dataset(scene: Scene, cameras: PinholeCameras, folder: Path) -> list[Path]:
    """Write what other programs train on.

    - `images/`: the sampled frames, as the cameras see them.
    - `transforms.json`, `sparse_pc.ply`: these images and the points for nerfstudio's own dataparser.
    - `colmap/images/`, `colmap/sparse/0/`: the same images (the same files where the disk can link them) with a COLMAP
      model, binary and as text. Nerfstudio's dataparser for COLMAP finds it there from `folder`, too.

    Points come from training frames alone; where frames are held out, `transforms.json` says which.

    Args:
        scene: Frames, depth of the keyframes, and what moves.
        cameras: One per frame, in the world of `scene.geometry`; may have been refined.
        folder: Created where needed.

    Returns:
        The files, and the folders `images` and `colmap`.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clip, split = scene.clip, scene.split
    names = [scene.frame_file(i).name for i in range(len(clip))]
    tracks = find_tracks(clip, scene.geometry, cameras, split.train)
    _tell(tracks)
    _write_images(scene, folder / IMAGES, names)
    _write_points(tracks, folder / POINTS)
    files = [f"{IMAGES}/{name}" for name in names]
    document = transforms_json(cameras, files, clip.times, POINTS, split.held_out)
    (folder / "transforms.json").write_text(json.dumps(document, indent=1, allow_nan=False), "utf8")
    model, sparse = colmap_model(cameras, names, tracks), folder / "colmap" / "sparse" / "0"
    write_binary(model, sparse)
    write_text(model, sparse)
    _link(folder / IMAGES, folder / "colmap" / IMAGES, names)
    return [folder / IMAGES, folder / "transforms.json", folder / POINTS, folder / "colmap"]


def _tell(tracks: Tracks) -> None:
    if not len(tracks):
        warn("no pixel of the keyframes is sure enough to give a point: the COLMAP model has cameras only")
        return
    if int(tracks.lengths.max()) == 1:
        say(f"{len(tracks):,} points, which no second frame confirms")
        return
    say(
        f"{len(tracks):,} points, seen by {float(tracks.lengths.double().mean()):.1f} frames each, "
        f"{float(tracks.errors.mean()):.2f} px off on average"
    )


def _write_images(scene: Scene, folder: Path, names: Sequence[str]) -> None:
    folder.mkdir(exist_ok=True)
    _clear(folder, names)
    for frame, name in zip(scene.clip.frames, names, strict=True):
        Image.fromarray(frame.numpy()).save(folder / name)


def _clear(folder: Path, names: Sequence[str]) -> None:
    """Drop frames that an earlier export of another clip left: programs read all images of a folder."""
    for file in folder.glob("frame_*.png"):
        if file.name not in names and file.stem.removeprefix("frame_").isdecimal():
            file.unlink()


def _write_points(tracks: Tracks, path: Path) -> None:
    columns = [(axis, "<f4") for axis in "xyz"] + [(colour, "u1") for colour in ("red", "green", "blue")]
    vertices = np.empty(len(tracks), columns)
    for i, axis in enumerate("xyz"):
        vertices[axis] = tracks.points[:, i].numpy()
    for i, colour in enumerate(("red", "green", "blue")):
        vertices[colour] = tracks.colours[:, i].numpy()
    PlyData([PlyElement.describe(vertices, "vertex")], byte_order="<").write(str(path))


def _link(source: Path, target: Path, names: Sequence[str]) -> None:
    """The same files under another folder: COLMAP's readers want images beside the model, nerfstudio's above it."""
    target.mkdir(parents=True, exist_ok=True)
    _clear(target, names)
    for name in names:
        (target / name).unlink(missing_ok=True)
        try:
            os.link(source / name, target / name)
        except OSError:
            # Not every disk has links.
            shutil.copyfile(source / name, target / name)
