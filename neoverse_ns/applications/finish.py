"""A scene, or one made from it, drawn along a trajectory and finished."""

from __future__ import annotations

from neoverse_ns.errors import RefinementError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.generate.base import Refiner
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import FrameStream, refine_along
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.generate.stage.training_frames import training_source
from neoverse_ns.trajectory.trajectory import Trajectory


def source_of(scene: ExportScene, gaussians: LayeredGaussians | None = None) -> SourceScene:
    """What a refiner may learn from and is given: the training frames, and nothing of those held out.

    Args:
        scene: With what it was made from.
        gaussians: Take the place of the scene's own, as after an edit.

    Raises:
        RefinementError: Only Gaussians are known of the scene, no frames.
    """
    origin = scene.source
    if origin is None:
        raise RefinementError("this scene has no frames that a refiner could learn from: load it from its run")
    chosen = scene.gaussians if gaussians is None else gaussians
    keyframes = origin.geometry.keyframes
    return training_source(origin.clip, origin.split, keyframes, scene.cameras, chosen, scene.network_unit)


def checked_refiner(config: RefinerConfig) -> Refiner:
    """The refiner that `config` names, which has found everything that it will need.

    Raises:
        SettingsError: There is no such refiner.
        RefinementError, WeightsError: It cannot run here.
    """
    refiner = get_refiner(config)
    refiner.check()
    return refiner


def finish(
    scene: ExportScene,
    trajectory: Trajectory,
    config: RefinerConfig,
    refiner: Refiner | None = None,
    gaussians: LayeredGaussians | None = None,
    alpha_threshold: float | None = None,
    first_frame: bool | None = None,
) -> FrameStream:
    """Draw along a trajectory and let a refiner finish the frames while they are taken; see
    :func:`neoverse_ns.generate.refine_along.refine_along`. Its `whole` gives all of them at once.

    Args:
        scene: With what it was made from.
        trajectory: Cameras and times in the scene's world.
        config: Which refiner, and how.
        refiner: The one that :func:`checked_refiner` gave for `config`; None makes it here.
        gaussians: Drawn in the stead of the scene's own.
        alpha_threshold: Opacity that a pixel must exceed to be kept; None takes what suits the refiner.
        first_frame: Whether frame 0 shall be the input's; None leaves it to the trajectory.

    Raises:
        SettingsError: There is no such refiner, or an option cannot be used.
        RefinementError, WeightsError: The refiner cannot run here.
        RunError: What it learns cannot be kept.
    """
    refiner = refiner or checked_refiner(config)
    everything = (scene.gaussians if gaussians is None else gaussians).detach()
    source = source_of(scene, everything)
    return refine_along(refiner, source, everything, trajectory, config, alpha_threshold, first_frame)
