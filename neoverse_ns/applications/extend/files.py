"""What a growth leaves in a folder: every view, what of it is invented, and the scene."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from neoverse_ns.applications.extend.grow import Grown
from neoverse_ns.console import warn
from neoverse_ns.errors import RunError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.folders import check_folder
from neoverse_ns.generate.video import write_video_whole
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.reconstruct.store import is_saved_scene, save_scene
from neoverse_ns.render.writers import write_png

SCENE = "scene"
"""Folder of the grown scene."""


def check_output_folder(folder: Path, source: Path) -> None:
    """Make sure that a growth can be written there and replaces nothing, before minutes of work are spent on it.

    Args:
        folder: New, empty, or with the scene that is gone on from.
        source: What grows.

    Raises:
        RunError: It cannot, or something else lies there.
    """
    if folder.exists() and not folder.is_dir():
        raise RunError(f"--output {folder} is a file: give the name of a folder")
    place = folder / SCENE
    if place.exists() and not is_saved_scene(place) and (not place.is_dir() or any(place.iterdir())):
        raise RunError(f"{place} is no scene that could be replaced: choose another --output")
    grows_on = is_saved_scene(place) and source.resolve() == place.resolve()
    if not grows_on and folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
        on = f", or go on from {place}" if is_saved_scene(place) else ""
        raise RunError(f"--output {folder} is not empty, and what lies there is kept: choose another folder{on}")
    try:
        check_folder(folder)
    except OSError as error:
        raise RunError(f"cannot write to {folder} ({error.strerror or error}): choose another --output") from error


def next_number(folder: Path) -> int:
    """One more than the highest number that a file's name there begins with, as `3_pan_left.mp4`; 1 without any."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return 1 + max((int(found[1]) for name in names if (found := re.match(r"(\d+)_", name))), default=0)


def write_views(grown: Grown, folder: Path) -> dict[str, Path]:
    """Every view as NAME.mp4, and NAME_invented.mp4, white where it shows what nobody saw; pictures (.png) of a single
    moment. Where no refiner made that up the latter is NAME_unseen.mp4.

    Returns:
        The files of the views by name.

    Raises:
        RunError: One cannot be written.
    """
    files = {}
    for name, view in grown.views.items():
        files[name] = write_frames(folder / name, view.frames, view.fps)
        kind = "invented" if view.finished else "unseen"
        write_frames(folder / f"{name}_{kind}", mask_pictures(view.invented), view.fps)
    return files


def write_frames(place: Path, frames: UInt8[Tensor, "n h w 3"], fps: float) -> Path:
    """A video, or a picture where there is but one frame; returns its name, which is `place` with an ending.

    Raises:
        RunError: It cannot be written.
    """
    if len(frames) == 1:
        path = place.with_name(f"{place.name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, frames[0].numpy()[..., ::-1])
        return path
    path = place.with_name(f"{place.name}.mp4")
    # The usual coding of video halves the colours' resolution, which takes even sides.
    height, width = (side - side % 2 for side in frames.shape[1:3])
    write_video_whole(path, frames[:, :height, :width].contiguous(), fps)
    return path


def mask_pictures(mask: Bool[Tensor, "n h w"]) -> UInt8[Tensor, "n h w 3"]:
    """White where a mask is set, black elsewhere."""
    return (255 * mask.to(torch.uint8))[..., None].expand(-1, -1, -1, 3).contiguous()


def save_grown(scene: ExportScene, folder: Path) -> Path:
    """Save a scene where `ns-neoverse render`, `export` and `extend` open it; an earlier one gives way.

    Args:
        scene: With its source, which holds the Gaussians.
        folder: The scene's folder is made in there.

    Raises:
        RunError: The scene has no source, or the folder cannot be written.
    """
    if scene.source is None:
        raise RunError("only scenes that know their clip can be saved")
    if scene.options != DrawOptions():
        changed = [f.name for f in dataclasses.fields(DrawOptions) if getattr(scene.options, f.name) != f.default]
        warn(f"saved scenes are drawn in the default way: the run's own {', '.join(changed)} is not kept")
    place = folder / SCENE
    try:
        if place.is_dir():
            shutil.rmtree(place)
        save_scene(scene.source, place)
    except OSError as error:
        raise RunError(f"cannot write to {place} ({error.strerror or error}): free space or choose another") from error
    return place
