"""The clip without what moves: pictures from what its frames really saw, and Gaussians."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray
from torch import Tensor

from neoverse_ns.applications.background.compose import Composed, compose
from neoverse_ns.applications.background.config import BackgroundConfig
from neoverse_ns.applications.background.still import still_scene
from neoverse_ns.applications.finish import finish
from neoverse_ns.applications.witnesses import Witnesses
from neoverse_ns.console import progress
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.generate.base import Refiner
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.stage.behind import depth_behind
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.rasterize.along import ViewAlong, views_along
from neoverse_ns.trajectory.trajectory import Trajectory

SURFACE = 0.5
"""Opacity from which on the still Gaussians know how far away something is."""
SAME_PLACE, SAME_TURN = 1e-4, 1e-4
"""Median depths and entries of a rotation up to which a camera is the clip's own."""


@dataclass(frozen=True)
class Background:
    """What stands still.

    Attributes:
        frames: RGB in [0, 255], along the trajectory.
        seen: Pixels whose place some frame of the clip saw, uncovered.
        known: The same, or that the still Gaussians show; the rest is a guess or the far field.
        own: Pixels that are the clip's own, of the same frame.
        gaussians: Of what stands still, in layers; constant.
        fps: Of the trajectory.
    """

    frames: UInt8[Tensor, "n h w 3"]
    seen: Bool[Tensor, "n h w"]
    known: Bool[Tensor, "n h w"]
    own: Bool[Tensor, "n h w"]
    gaussians: LayeredGaussians
    fps: float | None = None

    @property
    def unseen(self) -> float:
        """Share of all pixels that the clip never saw."""
        return 1 - float(self.seen.double().mean())


def extract_background(
    scene: ExportScene,
    trajectory: Trajectory | None = None,
    config: BackgroundConfig | None = None,
    refine: RefinerConfig | None = None,
    refiner: Refiner | None = None,
) -> Background:
    """Take what moves out of a clip.

    The still Gaussians say where the surfaces are; the pixels are those of the clip's frames, looked up there (see
    :func:`neoverse_ns.applications.background.compose.compose`). What no frame saw uncovered is drawn from the still
    Gaussians, and what not even they know is left to a refiner.

    Args:
        scene: With what it was made from.
        trajectory: Cameras of the pictures; None takes the clip's own. Times only say which frames are nearest.
        config: See :class:`BackgroundConfig`.
        refine: Who finishes what was never seen; None leaves it to the far field.
        refiner: The one that `refine` names, if it is there already.

    Raises:
        SettingsError: A setting is out of range.
        RunError: Only Gaussians are known of the scene.
        RefinementError, WeightsError: The refiner cannot run here.
    """
    config = config or BackgroundConfig()
    config.validate()
    trajectory = trajectory or scene.as_filmed
    witnesses = Witnesses.of(scene)
    still = still_scene(scene, witnesses)
    composed: list[Composed] = []
    known: list[Tensor] = []
    with progress("putting together what stands still", len(trajectory)) as steps:
        views = views_along(still, trajectory.cameras, trajectory.times, scene.options)
        for i, view in enumerate(views):
            composed.append(_picture(witnesses, view, trajectory[[i]], config))
            known.append(view.seen[0, ..., 0].cpu() >= SURFACE)
            steps.advance()
    rgb, seen = (torch.from_numpy(np.stack([getattr(c, name) for c in composed])) for name in ("rgb", "seen"))
    own = torch.from_numpy(np.stack([c.own for c in composed]))
    surface = torch.stack(known) | seen
    if refine is not None and refine.refiner != "none" and not bool(surface.all()):
        made = finish(scene, trajectory, refine, refiner, still, first_frame=False).whole().frames.float() / 255
        rgb = torch.where(surface[..., None], rgb, made)
    frames = (rgb * 255).round().clamp(0, 255).to(torch.uint8)
    return Background(frames, seen, surface, own, still, trajectory.fps)


def _picture(witnesses: Witnesses, view: ViewAlong, here: Trajectory, config: BackgroundConfig) -> Composed:
    """One frame."""
    camera = PinholeCameras(here.c2w.double().cpu(), here.K.double().cpu(), here.cameras.width, here.cameras.height)
    depth, alpha = view.drawing.depth[0, ..., 0].cpu().double(), view.seen[0, ..., 0].cpu()
    depth = depth_behind(depth, alpha >= SURFACE)
    points = unproject(depth, camera.K[0], camera.c2w[0])
    order, own = _order(witnesses, config.witnesses, camera, float(here.times[0]), depth)
    return compose(witnesses, points, order, view.drawing.rgb[0].cpu().float().numpy(), config, own)


def _order(
    witnesses: Witnesses, most: int, camera: PinholeCameras, time: float, depth: Float[Tensor, "h w"]
) -> tuple[list[int], int | None]:
    """Witnesses by how much they see as the camera does, and the one that is the camera, where there is one."""
    far = float(depth.median().clamp_min(1e-6))
    aside = (witnesses.cameras.c2w[:, :3, 3] - camera.c2w[0, :3, 3]).norm(dim=-1).numpy() / far
    gaps = np.abs(witnesses.times - time)
    own = _same_camera(witnesses.cameras, camera, aside, gaps)
    asked: set[int] = {*witnesses.spread(most)} | (set() if own is None else {own})
    far_from = {number: float(aside[number] + 0.05 * gaps[number]) for number in sorted(asked)}
    return sorted(far_from, key=lambda number: far_from[number]), own


def _same_camera(cameras: PinholeCameras, camera: PinholeCameras, aside: ndarray, gaps: ndarray) -> int | None:
    if (cameras.width, cameras.height) != (camera.width, camera.height):
        return None
    number = int(np.argmin(gaps))
    turned = float((cameras.c2w[number, :3, :3] - camera.c2w[0, :3, :3]).abs().max())
    zoomed = float((cameras.K[number] - camera.K[0]).abs().max()) / camera.width
    same = aside[number] < SAME_PLACE and gaps[number] < SAME_PLACE and max(turned, zoomed) < SAME_TURN
    return number if same else None
