"""Repainting a region after words, by the video model, as the release's notebook for edits does."""

from __future__ import annotations

import dataclasses

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.applications.edit.composite import grown
from neoverse_ns.applications.edit.config import CompositeConfig
from neoverse_ns.applications.edit.edit import as_bytes
from neoverse_ns.applications.edit.finishing import static_conditions
from neoverse_ns.applications.edit.layers_shown import shown_of, surfaces_and_all
from neoverse_ns.applications.edit.selection.selection import Selection
from neoverse_ns.applications.finish import checked_refiner, source_of
from neoverse_ns.console import progress
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.base import Conditions, Refiner
from neoverse_ns.generate.config import RefinerConfig

_NOTICED = 0.1


@dataclasses.dataclass(frozen=True)
class Repainted:
    """A clip part of which was painted anew.

    Attributes:
        frames: The sampled frames; outside the region they are the clip's own.
        conditions: What the refiner was given.
        weight: How much of each pixel was painted anew.
    """

    frames: UInt8[Tensor, "f h w 3"]
    conditions: Conditions
    weight: Float[Tensor, "f h w"]


def repaint(
    scene: ExportScene,
    selection: Selection,
    refine: RefinerConfig,
    config: CompositeConfig | None = None,
    refiner: Refiner | None = None,
) -> Repainted:
    """Paint a region of the clip anew, after `refine.prompt`.

    The camera stays the clip's own. The refiner is given the clip's frames with the region blacked out, a mask that
    keeps all else, and the depth of the scene as it is, which is the shape that the new content takes.

    Args:
        scene: With what it was made from.
        selection: The region.
        refine: Which refiner, and the words.
        config: How wide the region's soft outline is.
        refiner: The one that `refine` names, checked; None makes it here.

    Raises:
        SettingsError: The refiner paints nothing.
        RunError: Only Gaussians are known of the scene.
        RefinementError, WeightsError: The refiner cannot run here.
    """
    if scene.source is None:
        raise RunError("this scene has no frames: load it from its run to edit its clip")
    if refine.refiner == "none":
        raise SettingsError("a prompt needs a refiner that paints: --refiner wan")
    config = config or CompositeConfig()
    config.validate()
    refiner = refiner or checked_refiner(refine)
    refiner.adapt(source_of(scene), refine.seed)
    weight, depth = _region(scene, selection, config)
    conditions = repaint_conditions(scene, weight, depth)
    finished = refiner.refine(conditions, refine.prompt, refine.seed).cpu()
    images = scene.source.clip.images
    return Repainted(as_bytes(torch.lerp(images, finished.to(images), weight[..., None])), conditions, weight)


def repaint_conditions(scene: ExportScene, weight: Float[Tensor, "f h w"], depth: Float[Tensor, "f h w"]) -> Conditions:
    """The clip's frames where they are kept, black elsewhere; mask and opacity say the same; depth of the whole scene.

    Args:
        scene: With what it was made from.
        weight: Above 0 where is to be painted.
        depth: Drawn, world units.
    """
    assert scene.source is not None
    keep = (weight <= 0).float()
    return static_conditions(scene, scene.source.clip.images * keep[..., None], keep, depth, 0.5)


def _region(
    scene: ExportScene, selection: Selection, config: CompositeConfig
) -> tuple[Float[Tensor, "f h w"], Float[Tensor, "f h w"]]:
    scale = max(scene.cameras.width, scene.cameras.height) / 384
    weights, depths = [], []
    with progress("drawing the scene's depth", len(scene.times)) as steps:
        for i, time in enumerate(scene.times.tolist()):
            camera = scene.cameras[[i]]
            seen = shown_of(scene.gaussians, selection.thing, camera, time, scene.options).share
            seen = torch.maximum(seen, selection.masks[i])
            weights.append(grown(seen, _NOTICED, config.margin * scale, config.feather * scale))
            front, _ = surfaces_and_all(scene.gaussians, camera, time, scene.options)
            depths.append(front.depth[0, ..., 0])
            steps.advance()
    return torch.stack(weights), torch.stack(depths)
