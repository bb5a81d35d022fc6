"""One instant from a moving camera."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.applications.bullet_time.config import BulletTimeConfig
from neoverse_ns.applications.bullet_time.path import frozen_path
from neoverse_ns.applications.finish import checked_refiner, finish
from neoverse_ns.console import progress
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.render.pictures import colours, unseen_share
from neoverse_ns.trajectory.options import DEFAULT_FPS, TrajectoryOptions
from neoverse_ns.trajectory.picture_size import PictureSize
from neoverse_ns.trajectory.trajectory import Trajectory


@dataclass(frozen=True)
class FrozenVideo:
    """A video of which a stretch, or all, shows one instant.

    Attributes:
        frames: RGB in [0, 255].
        trajectory: Their cameras and moments.
        frozen: Frames that show the instant.
        unseen: Share of every frame that the clip never saw; none where a refiner finished them.
    """

    frames: UInt8[Tensor, "n h w 3"]
    trajectory: Trajectory
    frozen: range
    unseen: list[float]

    @property
    def fps(self) -> float:
        return self.trajectory.fps or DEFAULT_FPS


def bullet_time(
    scene: ExportScene,
    config: BulletTimeConfig | None = None,
    options: TrajectoryOptions | None = None,
    refine: RefinerConfig | None = None,
    size: PictureSize | None = None,
    background: Float[Tensor, "3"] | None = None,
    path_to_world: Sim3 | None = None,
) -> FrozenVideo:
    """Freeze a moment and move the camera through it.

    Without a refiner every frozen frame is, bit by bit, the drawing of that instant at its camera.

    Args:
        scene: With the frames it was made from where a refiner shall finish what was never seen.
        config: Moment and move.
        options: Length and rate.
        refine: Who finishes the frames; by default nobody.
        size: Of the pictures.
        background: Colour behind the scene, RGB in [0, 1]; None is black.
        path_to_world: From a nerfstudio camera path's world to the scene's; None where they are one.

    Raises:
        SettingsError: There is no such moment, move or refiner.
        RefinementError, WeightsError: The refiner cannot run here.
        RunError: What it learns cannot be kept.
    """
    refine = refine or RefinerConfig()
    refiner = checked_refiner(refine)
    path = frozen_path(scene, config or BulletTimeConfig(), options, path_to_world)
    trajectory = (size or PictureSize()).apply(path.trajectory)
    if refine.refiner != "none":
        frames = finish(scene, trajectory, refine, refiner, first_frame=False).whole().frames
        return FrozenVideo(frames, trajectory, path.frozen, [])
    black = torch.zeros(3) if background is None else background
    pictures: list[Tensor] = []
    unseen: list[float] = []
    with progress(f"drawing {len(trajectory)} frames", len(trajectory)) as steps:
        for view in views_along(scene.gaussians, trajectory.cameras, trajectory.times.clamp(0, 1), scene.options):
            pictures.append(colours(view, black))
            unseen.append(unseen_share(view))
            steps.advance()
    return FrozenVideo(torch.stack(pictures), trajectory, path.frozen, unseen)
