"""Pictures of exported Gaussians and of the layers they were made of, from the clip's own cameras and from aside."""

from __future__ import annotations

import torch

from neoverse_ns.export.axes import TURNS
from neoverse_ns.export.instant import around
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.metrics.image import psnr
from neoverse_ns.rasterize.drawing import draw_instant
from neoverse_ns.rasterize.layers import draw_layers
from tests.export.layered_scene import WALL


def views(scene: ExportScene, time: float) -> PinholeCameras:
    """The clip's camera of a time, then 8 degrees to every side of it."""
    return around(camera_at(scene.cameras, scene.times, time), WALL)


def layered(scene: ExportScene, time: float, cameras: PinholeCameras) -> torch.Tensor:
    how = cameras.viewmats, cameras.K, cameras.width, cameras.height
    return draw_layers(scene.gaussians, time, *how, scene.options).rgb.clamp(0, 1)


def picture(now: GaussiansAtTime, cameras: PinholeCameras) -> torch.Tensor:
    return draw_instant(now, cameras.viewmats, cameras.K, cameras.width, cameras.height).rgb.clamp(0, 1)


def in_world(cameras: PinholeCameras, up: str) -> PinholeCameras:
    """Cameras of this package's world in a world with that axis up."""
    turn = torch.eye(4)
    turn[:3, :3] = TURNS[up]
    return PinholeCameras(turn @ cameras.c2w, cameras.K, cameras.width, cameras.height)


def decibels(scene: ExportScene, time: float, now: GaussiansAtTime, up: str | None = None) -> list[float]:
    """Agreement with the layers: in the clip's own view, then 8 degrees to every side; `up` is that of the file."""
    cameras = views(scene, time)
    shown = picture(now, cameras if up is None else in_world(cameras, up))
    return [psnr(a, b) for a, b in zip(shown, layered(scene, time, cameras), strict=True)]
