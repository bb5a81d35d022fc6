"""Show on one page each how a shaky clip becomes steady, and a moment from a moving camera.

python scripts/show_stabilize.py outputs/shaky/neoverse/run docs/pictures
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import tyro
from _benchmark.documented import save_pictures
from jaxtyping import UInt8
from show_directing import labelled, tiled
from torch import Tensor

from neoverse_ns import load
from neoverse_ns.applications.bullet_time.config import BulletTimeConfig
from neoverse_ns.applications.bullet_time.frozen import bullet_time
from neoverse_ns.applications.stabilize.config import StabilizeConfig
from neoverse_ns.applications.stabilize.steady import stabilize
from neoverse_ns.console import warn
from neoverse_ns.errors import NeoVerseError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.trajectory.options import TrajectoryOptions

STRETCH = 8
"""Columns of a slice for each frame."""


@dataclass
class ShowStabilize:
    """Pictures of one run."""

    run: tyro.conf.Positional[Path]
    """The run's folder, its config.yml, or a saved reconstruction, best of a shaky clip."""
    folder: tyro.conf.Positional[Path]
    """Where stabilize.jpg and bullet_time.jpg go."""
    at: str = "50%"
    """The moment that is frozen."""
    trajectory: str = BulletTimeConfig.trajectory
    """How the camera moves around it."""
    width: int = 300
    """Of one picture, pixels."""


def steady_picture(scene: ExportScene, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """One frame and the middle column through time: as filmed, smoothed, and from a tripod."""
    assert scene.source is not None
    clip, middle = scene.source.clip.frames, len(scene.cameras) // 2
    smooth, tripod = stabilize(scene), stabilize(scene, StabilizeConfig(lock=True))
    rows = {"as filmed": clip, "smoothed": smooth.frames, "--lock": tripod.frames}
    shakes = (smooth.before.pixels, smooth.after.pixels, tripod.after.pixels)
    cells = []
    for (name, frames), shake in zip(rows.items(), shakes, strict=True):
        frame = _scaled(frames[middle].numpy(), width)
        through = cv2.resize(slice_of(frames), (width, frame.shape[0]), interpolation=cv2.INTER_AREA)
        cells.append([labelled(frame, name), labelled(through, f"middle column, shake {shake:.2f} px")])
    return tiled(cells)


def slice_of(frames: UInt8[Tensor, "n h w 3"]) -> UInt8[np.ndarray, "h columns 3"]:
    """The middle column of every frame, from left to right."""
    column = frames[:, :, frames.shape[2] // 2]
    return np.repeat(column.permute(1, 0, 2).numpy(), STRETCH, axis=1)


def frozen_picture(scene: ExportScene, at: str, trajectory: str, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """Five frames of a moment, from the first to the last."""
    video = bullet_time(scene, BulletTimeConfig(at, trajectory), TrajectoryOptions(num_frames=5))
    shares = torch.linspace(0, 100, len(video.frames)).round().int().tolist()
    cells = [
        labelled(_scaled(frame.numpy(), width), f"{share} % of the way")
        for frame, share in zip(video.frames, shares, strict=True)
    ]
    return tiled([cells])


def _scaled(picture: UInt8[np.ndarray, "h w 3"], width: int) -> UInt8[np.ndarray, "sh sw 3"]:
    height = round(picture.shape[0] * width / picture.shape[1])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def main() -> int:
    options = tyro.cli(ShowStabilize, description=__doc__)
    try:
        scene = load(options.run)
        pictures = {
            "stabilize.jpg": steady_picture(scene, options.width),
            "bullet_time.jpg": frozen_picture(scene, options.at, options.trajectory, round(0.7 * options.width)),
        }
        save_pictures(options.folder, pictures)
    except (NeoVerseError, OSError) as error:
        warn(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
