"""A shaky clip in, a steady one out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.applications.finish import checked_refiner, finish
from neoverse_ns.applications.stabilize.borders import Part
from neoverse_ns.applications.stabilize.config import StabilizeConfig
from neoverse_ns.applications.stabilize.jitter import Jitter, jitter_of
from neoverse_ns.applications.stabilize.own_pixels import Seen, own_cameras, with_own_pixels
from neoverse_ns.applications.stabilize.path import clip_path, steady_path
from neoverse_ns.console import progress
from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.base import Refiner
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.along import ViewAlong, views_along
from neoverse_ns.render.pictures import SURFACE, to_bytes, unseen_share
from neoverse_ns.trajectory.options import DEFAULT_FPS
from neoverse_ns.trajectory.trajectory import Trajectory


@dataclass(frozen=True)
class SteadyVideo:
    """The steady clip, and what it took.

    Attributes:
        frames: RGB in [0, 255], one for each sampled frame of the clip, at the clip's size.
        trajectory: The cameras that show them, the part cut away left out, and their moments.
        part: What is shown of the whole picture.
        seconds: Standard deviation of the smoothing; None on a tripod.
        before: Shake of the clip's cameras, in the picture shown.
        after: Shake of the steady ones.
        unseen: Share of every frame that the clip never saw; a refiner may have painted it.
    """

    frames: UInt8[Tensor, "n h w 3"]
    trajectory: Trajectory
    part: Part
    seconds: float | None
    before: Jitter
    after: Jitter
    unseen: list[float]

    @property
    def fps(self) -> float:
        return self.trajectory.fps or DEFAULT_FPS


def stabilize(
    scene: ExportScene,
    config: StabilizeConfig | None = None,
    refine: RefinerConfig | None = None,
    background: Float[Tensor, "3"] | None = None,
) -> SteadyVideo:
    """Show a clip's moments from a smooth path, or from one place.

    Args:
        scene: With the frames it was made from, unless `config.pixels` is `drawn`.
        config: How steady, and what becomes of the borders.
        refine: Who finishes what the frames' own cameras did not see; by default nobody.
        background: Colour behind the scene, RGB in [0, 1]; None is black.

    Raises:
        SettingsError: A setting is out of range, the clip too short, or its frames are not known.
        RefinementError, WeightsError: The refiner cannot run here.
        RunError: What it learns cannot be kept.
    """
    config, refine = config or StabilizeConfig(), refine or RefinerConfig()
    config.validate()
    if config.pixels == "own" and scene.source is None:
        raise SettingsError("the clip's frames are not known: load the scene from its run, or show the drawing alone")
    refiner = checked_refiner(refine)
    path = steady_path(scene, config)
    steady = path.shown
    finished = None if refine.refiner == "none" else _finished(scene, steady, refine, refiner)
    unseen: list[float] = []
    black = torch.zeros(3) if background is None else background
    pictures = list(_pictures(scene, steady, config, black, finished, unseen))
    depth = scene.surroundings.median_depth(len(steady) // 2)
    filmed = path.part.of(clip_path(scene).cameras)
    before, after = (jitter_of(cameras, scene.seconds, depth) for cameras in (filmed, steady.cameras))
    return SteadyVideo(torch.stack(pictures), steady, path.part, path.seconds, before, after, unseen)


def _finished(
    scene: ExportScene, steady: Trajectory, config: RefinerConfig, refiner: Refiner
) -> UInt8[Tensor, "n h w 3"]:
    """What a refiner makes of the drawing."""
    return finish(scene, steady, config, refiner, first_frame=False).whole().frames


def _pictures(
    scene: ExportScene,
    steady: Trajectory,
    config: StabilizeConfig,
    background: Float[Tensor, "3"],
    finished: UInt8[Tensor, "n h w 3"] | None,
    unseen: list[float],
) -> Iterator[UInt8[Tensor, "h w 3"]]:
    """One after the other; adds to `unseen` what was never seen of each."""
    own = views_along(scene.gaussians, scene.cameras, steady.times.clamp(0, 1), scene.options)
    views = views_along(scene.gaussians, steady.cameras, steady.times.clamp(0, 1), scene.options)
    itself = own_cameras(steady.cameras, scene.cameras) & (config.pixels == "own")
    with progress(f"drawing {len(steady)} steady frames", len(steady)) as steps:
        for i, view in enumerate(views):
            unseen.append(0.0 if itself[i] else unseen_share(view))
            seen = _seen(view, steady.cameras[i : i + 1], background)
            otherwise = seen.rgb if finished is None else finished[i].to(seen.rgb) / 255
            if config.pixels == "own":
                assert scene.source is not None
                frame = scene.source.clip.frames[i].to(seen.rgb) / 255
                filmed = _seen(next(own), scene.cameras[i : i + 1], background)
                otherwise = frame if itself[i] else with_own_pixels(seen, filmed, frame, otherwise)
            yield to_bytes(otherwise)
            steps.advance()


def _seen(view: ViewAlong, camera: PinholeCameras, background: Float[Tensor, "3"]) -> Seen:
    drawing = view.drawing
    rgb = drawing.rgb[0] + (1 - drawing.alpha[0]) * background.to(drawing.rgb)
    return Seen(rgb, drawing.depth[0, ..., 0], view.seen[0, ..., 0] >= SURFACE, camera)
