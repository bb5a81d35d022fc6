"""A small folder of videos with the paths that they were made along, as users have them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.clip.write import write_video
from neoverse_ns.evaluation.judges.video.demo_path import RequestedPath, demo_along
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.save_cameras import write_cameras_beside
from neoverse_ns.trajectory.trajectory import Trajectory, spread_times

FRAMES, WIDTH, HEIGHT = 16, 320, 192
DEPTH = 7.48
"""About the median depth of the demo's first picture."""


def walk(width: int = WIDTH, height: int = HEIGHT) -> PinholeCameras:
    """A walk that is a little steadier than the demo's own, in units of the depth that it begins with."""
    cameras = camera_path(FRAMES, width, height, torch.Generator().manual_seed(5), shaking=0.3)
    c2w = cameras.c2w.clone()
    c2w[:, :3, 3] /= DEPTH
    return replace(cameras, c2w=c2w)


def film(video: Path, walked: PinholeCameras, asked: PinholeCameras | None = None) -> PinholeCameras:
    """Film the demo along a walk, and write the path that was asked for beside it, where it is another one.

    Returns:
        The exact cameras of the video.
    """
    clip, true = demo_along(RequestedPath(walked.c2w, None, walked.K, unit_is_depth=True), walked.width, walked.height)
    write_video(video, clip.frames, 8.0)
    write_cameras_beside(video, Trajectory(asked or walked, spread_times(len(walked)), fps=8.0))
    return true


def turned(c2w: Float64[Tensor, "n 4 4"], degrees: Float64[Tensor, " n"]) -> Float64[Tensor, "n 4 4"]:
    """Cameras turned to their right, each about its own vertical axis."""
    angles = torch.deg2rad(degrees)
    turn = torch.eye(4, dtype=torch.float64).repeat(len(c2w), 1, 1)
    turn[:, 0, 0], turn[:, 0, 2] = angles.cos(), angles.sin()
    turn[:, 2, 0], turn[:, 2, 2] = -angles.sin(), angles.cos()
    return c2w @ turn


def write_depth(file: Path, depth: list[np.ndarray]) -> None:
    """As `ns-neoverse render --depth npz` does."""
    np.savez(file, **{f"frame_{number:05d}": values for number, values in enumerate(depth)})  # pyright: ignore
