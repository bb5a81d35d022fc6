"""Scenes on disk: written whole or not at all, checked when read."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neoverse_ns import __version__
from neoverse_ns.clip.store import load_saved_clip, save_clip
from neoverse_ns.errors import UNREADABLE, RunError
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.scene import CLIP_FOLDER, Scene
from neoverse_ns.reconstruct.split import FrameSplit

FORMAT = 4
"""Raised whenever files of an older layout can no longer be read."""

_META, _GEOMETRY, _GAUSSIANS = "scene.json", "geometry.npz", "gaussians.pt"


def save_scene(scene: Scene, folder: Path, with_gaussians: bool = True, private: bool = False) -> None:
    """Write `scene` to `folder`; an interrupted write leaves nothing there, and a folder written meanwhile is kept.

    Args:
        scene: What to save.
        folder: Created; its parent must be writable.
        with_gaussians: False leaves out the Gaussians, by far the largest part.
        private: Whether the folder is for its owner alone; else it is as open as the umask lets new folders be.

    Raises:
        OSError: The disk is full or the place is not writable.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A temporary folder is closed to others, and stays so where it is moved to: what is made within need not be.
    around = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    draft = around / "draft"
    try:
        draft.mkdir(mode=0o700 if private else 0o777)
        save_clip(scene.clip, draft / CLIP_FOLDER)
        geometry = scene.geometry
        # Things that were not told apart are kept as a map of no keyframes.
        things = geometry.dynamic.new_zeros(0, dtype=torch.int32) if geometry.things is None else geometry.things
        np.savez(
            draft / _GEOMETRY,
            c2w=geometry.cameras.c2w.numpy(),
            K=geometry.cameras.K.numpy(),
            depth=geometry.depth.numpy(),
            confidence=geometry.confidence.numpy(),
            dynamic=geometry.dynamic.numpy(),
            held_out_dynamic=scene.held_out_dynamic.numpy(),
            things=things.numpy(),
        )
        if with_gaussians and scene.gaussians is not None:
            torch.save(scene.gaussians.tensors(), draft / _GAUSSIANS)
        meta = {
            "format": FORMAT,
            "version": __version__,
            "train": scene.split.train,
            "held_out": scene.split.held_out,
            "keyframes": scene.split.keyframes,
            "surfaces": geometry.keyframes,
            "has_gaussians": with_gaussians and scene.gaussians is not None,
            "report": geometry.report,
        }
        (draft / _META).write_text(json.dumps(meta, indent=1), "utf8")
        _publish(draft, folder)
    finally:
        shutil.rmtree(around, ignore_errors=True)


def _publish(draft: Path, folder: Path) -> None:
    """Move the finished draft into place; where another process was faster its equal result stays."""
    try:
        os.replace(draft, folder)
    except OSError:
        if not folder.is_dir():
            raise


def is_saved_scene(folder: Path) -> bool:
    """Whether a finished scene lies in `folder`."""
    return (folder / _META).is_file()


def frames_of(folder: Path) -> int | None:
    """How many sampled frames the scene in `folder` has, without loading it; None where that cannot be told."""
    try:
        meta = json.loads((folder / _META).read_text("utf8"))
        return len(meta["train"]) + len(meta["held_out"])
    except UNREADABLE:
        return None


def load_scene(folder: Path) -> Scene:
    """Read a scene back.

    Raises:
        RunError: Something is missing or damaged; the message names it.
    """
    try:
        meta: dict[str, Any] = json.loads((folder / _META).read_text("utf8"))
        if meta["format"] != FORMAT:
            raise RunError(
                f"{folder} was written by neoverse_ns {meta['version']} in another layout: "
                "train again, or use that version"
            )
        clip = load_saved_clip(folder / CLIP_FOLDER)
        with np.load(folder / _GEOMETRY) as arrays:
            array = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
        gaussians = None
        if meta["has_gaussians"]:
            gaussians = LayeredGaussians.from_tensors(
                torch.load(folder / _GAUSSIANS, map_location="cpu", weights_only=True)
            )
    except RunError:
        raise
    except UNREADABLE as error:
        raise RunError(
            f"the scene in {folder} is missing a part or damaged ({error}): delete that folder and run again"
        ) from error
    cameras = PinholeCameras(array["c2w"], array["K"], clip.width, clip.height)
    things = array.get("things")
    geometry = SceneGeometry(
        cameras,
        meta.get("surfaces", meta["keyframes"]),
        array["depth"],
        array["confidence"],
        array["dynamic"],
        meta["report"],
        things if things is not None and len(things) else None,
    )
    split = FrameSplit(meta["train"], meta["held_out"], meta["keyframes"])
    return Scene(clip, split, geometry, gaussians, array["held_out_dynamic"], folder)
