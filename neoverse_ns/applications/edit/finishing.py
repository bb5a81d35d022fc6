"""Edited frames finished by a refiner, at the clip's own cameras."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from neoverse_ns.applications.edit.composite import EditedFrames
from neoverse_ns.applications.finish import source_of
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.base import Conditions, Refiner
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import OPEN_THRESHOLD


def finish_frames(
    scene: ExportScene, composed: EditedFrames, config: RefinerConfig, refiner: Refiner
) -> Float[Tensor, "f h w 3"]:  # RGB in [0, 1]
    """Let a refiner finish what no frame and no Gaussian shows.

    It is given the edited frames with their depth; all that is known is to be kept. What is learned from the clip is
    learned from the edited one, so that nothing brings back what was removed.

    Args:
        scene: The edited scene.
        composed: Its frames.
        config: Prompt and seed.
        refiner: Checked.

    Raises:
        RefinementError, WeightsError: It cannot run here.
    """
    refiner.adapt(source_of(scene), config.seed)
    conditions = static_conditions(scene, composed.open, composed.alpha, composed.depth)
    return refiner.refine(conditions, config.prompt, config.seed).cpu()


def static_conditions(
    scene: ExportScene,
    rgb: Float[Tensor, "f h w 3"],
    alpha: Float[Tensor, "f h w"],
    depth: Float[Tensor, "f h w"],
    threshold: float = OPEN_THRESHOLD,
) -> Conditions:
    """Conditions at the clip's own cameras.

    Args:
        scene: Its cameras and times.
        rgb: In [0, 1], black where nothing is known.
        alpha: What is known; above `threshold` it is to be kept.
        depth: Of the scene, world units.
        threshold: See :class:`neoverse_ns.generate.conditions.render.ConditionSettings`.
    """
    like = scene.gaussians.frames.means
    c2w, K = scene.cameras.c2w.to(like), scene.cameras.K.to(like)
    plucker = plucker_maps(c2w, K, scene.cameras.height, scene.cameras.width)
    rgb, depth, alpha = rgb.to(like), depth.to(like), alpha.to(like)
    return Conditions(rgb, depth, alpha, alpha > threshold, plucker, K, c2w, scene.times.to(like))
