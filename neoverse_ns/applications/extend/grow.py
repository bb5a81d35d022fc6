"""Drawing a scene where the clip never looked, finishing what is open, and making that part of the scene."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from neoverse_ns.applications.extend.config import GrowConfig
from neoverse_ns.applications.extend.taught_once import TaughtOnce
from neoverse_ns.applications.finish import checked_refiner, source_of
from neoverse_ns.console import say
from neoverse_ns.errors import RefinementError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate
from neoverse_ns.gaussians.layers import FAR_FIELD, INPAINTED, LayeredGaussians
from neoverse_ns.generate.base import Conditions, Refiner
from neoverse_ns.generate.conditions.render import ConditionSettings, draw_conditions
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import refine_along
from neoverse_ns.generate.stage.seeds import HoleFiller
from neoverse_ns.trajectory.trajectory import Trajectory


@dataclass(frozen=True)
class GrownView:
    """A finished view of the scene as it was when its turn came.

    Attributes:
        trajectory: Cameras and times.
        frames: Finished.
        invented: Pixels that nothing the clip showed reaches: its opacity there lies below `GrowConfig.hole_opacity`.
            They are shown by what this view or an earlier one made up.
        fps: Frames per second.
        added: Gaussians that the scene gained from it.
        finished: Whether a refiner made up what nobody saw; else it is shown as it is drawn.
    """

    trajectory: Trajectory
    frames: UInt8[Tensor, "n h w 3"]
    invented: Bool[Tensor, "n h w"]
    fps: float
    added: int
    finished: bool = True


@dataclass(frozen=True)
class Grown:
    """A scene after it has grown.

    Attributes:
        scene: With the new Gaussians in the layer `inpainted`, behind all that was seen; its source holds them, too, so
            that it can be saved as a scene.
        views: By the trajectories' names, in order.
    """

    scene: ExportScene
    views: dict[str, GrownView]


def grow(
    scene: ExportScene,
    trajectories: Mapping[str, Trajectory],
    config: RefinerConfig,
    settings: GrowConfig | None = None,
    refiner: Refiner | None = None,
    first_frame: bool | None = None,
) -> Grown:
    """Finish views one after the other, each from the scene with all that the ones before it invented.

    What a view shows where the scene was open becomes constant Gaussians at the depth of what lies behind, in the layer
    `inpainted`, which is drawn behind everything seen: what the clip showed is drawn as before, to the last bit where
    it is opaque. Things that move beyond the frame are made up standing still.

    Args:
        scene: With what it was made from. What an earlier growth invented stays, and is gone on from.
        trajectories: By name, in the order in which the scene grows.
        config: Which refiner, and how. With `none` views are drawn and nothing is fed back.
        settings: See :class:`GrowConfig`.
        refiner: The one that :func:`neoverse_ns.applications.finish.checked_refiner` gave for `config`; None makes it.
        first_frame: Whether frame 0 of a view shall be the input's; None leaves it to each trajectory.

    Raises:
        SettingsError: There is no such refiner, or an option cannot be used.
        RefinementError, WeightsError: There is no view, the scene has no frames, or the refiner cannot run here.
        RunError: What the refiner learns cannot be kept.
    """
    settings = settings or GrowConfig()
    settings.validate()
    if not trajectories:
        raise RefinementError("no view to grow by: give at least one trajectory")
    taught = TaughtOnce(refiner or checked_refiner(config))
    source = source_of(scene)
    gaussians = scene.gaussians.detach()
    most = max(settings.most // len(trajectories), 1)
    views = {}
    for name, trajectory in trajectories.items():
        made = refine_along(
            *(taught, source, gaussians, trajectory, config),
            first_frame=first_frame,
            shown=gaussians.without(FAR_FIELD),
        ).whole()
        invented = _alpha_seen(gaussians, trajectory, made.conditions) < settings.hole_opacity
        new = None if config.refiner == "none" else _filling(made.frames, made.conditions, settings.hole_opacity, most)
        if new is not None:
            gaussians = gaussians.replaced(
                INPAINTED, concatenate([gaussians.layer(INPAINTED), new.to(gaussians.device)])
            )
        added = 0 if new is None else len(new)
        finished = config.refiner != "none"
        views[name] = GrownView(trajectory, made.frames, invented.cpu(), made.fps, added, finished)
        told = f"invented, {added:,} new Gaussians" if finished else "not seen by the clip, and left as it is drawn"
        say(f"{name}: {100 * float(invented.float().mean()):.1f} % {told}")
    return Grown(with_gaussians(scene, gaussians), views)


def with_gaussians(scene: ExportScene, gaussians: LayeredGaussians) -> ExportScene:
    """The scene with other Gaussians; its source has them, too, and the cameras as they were refined."""
    source = scene.source
    if source is not None:
        geometry = dataclasses.replace(source.geometry, cameras=scene.cameras)
        source = dataclasses.replace(source, geometry=geometry, gaussians=gaussians)
    return dataclasses.replace(scene, gaussians=gaussians, source=source)


def _alpha_seen(gaussians: LayeredGaussians, trajectory: Trajectory, conditions: Conditions) -> Float[Tensor, "n h w"]:
    """Opacity of what the clip showed, without what was invented and without the far field."""
    if INPAINTED not in gaussians:
        return conditions.alpha
    seen = gaussians.without(FAR_FIELD, INPAINTED)
    return draw_conditions(seen, trajectory.cameras, conditions.times, ConditionSettings()).alpha


def _filling(
    frames: UInt8[Tensor, "n h w 3"], conditions: Conditions, hole_opacity: float, most: int
) -> DynamicGaussians | None:
    """New Gaussians where the view was open; None where it was not."""
    filler = HoleFiller(hole_opacity, most)
    filler.add(frames, conditions)
    return filler.gaussians()
