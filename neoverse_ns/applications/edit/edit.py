"""Editing a clip through its scene, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.applications.edit.apply import EditedScene, apply_edits
from neoverse_ns.applications.edit.behind import Found, Sightings, seen_elsewhere
from neoverse_ns.applications.edit.composite import EditedFrames, Vacated, composite, vacated_masks
from neoverse_ns.applications.edit.config import CompositeConfig, Operation
from neoverse_ns.applications.edit.edited_scene import as_scene
from neoverse_ns.applications.edit.finishing import finish_frames
from neoverse_ns.applications.edit.selection.selection import Selection
from neoverse_ns.applications.finish import checked_refiner, finish
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.base import Refiner
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import GeneratedVideo
from neoverse_ns.trajectory.trajectory import Trajectory


@dataclass(frozen=True)
class EditConfig:
    """How edits become frames.

    Attributes:
        composite: How they are laid over the clip's frames.
        refine: Who finishes what the scene does not show.
    """

    composite: CompositeConfig = field(default_factory=CompositeConfig)
    refine: RefinerConfig = field(default_factory=RefinerConfig)


@dataclass(frozen=True)
class EditResult:
    """An edited clip.

    Attributes:
        frames: The sampled frames with the edits, those outside the edits untouched.
        scene: The edited scene, whose clip is `frames`.
        edited: Its Gaussians, with what is gone and what arrived.
        composed: What was laid over the clip's frames, and where.
        along: The scene along another trajectory, where one was asked for.
    """

    frames: UInt8[Tensor, "f h w 3"]
    scene: ExportScene
    edited: EditedScene
    composed: EditedFrames
    along: GeneratedVideo | None = None


def edit(
    scene: ExportScene,
    edits: Sequence[tuple[Selection, Operation]],
    config: EditConfig | None = None,
    refiner: Refiner | None = None,
    trajectory: Trajectory | None = None,
) -> EditResult:
    """Apply edits to a scene, and show them in the clip itself and, where asked for, along another path.

    Args:
        scene: With what it was made from.
        edits: What was selected (:mod:`neoverse_ns.applications.edit.selection`), and what is done to it.
        config: See :class:`EditConfig`.
        refiner: The one that config.refine names, checked; None makes it here.
        trajectory: Cameras and times in the scene's world; None shows the clip alone.

    Raises:
        SettingsError: There is no edit, or one cannot be done.
        RunError: Only Gaussians are known of the scene.
        RefinementError, WeightsError: The refiner cannot run here.
    """
    config = config or EditConfig()
    config.composite.validate()
    if not edits:
        raise SettingsError("there is nothing to edit: give at least one edit")
    if scene.source is None:
        raise RunError("this scene has no frames: load it from its run to edit its clip")
    refiner = refiner or checked_refiner(config.refine)
    edited = apply_edits(scene.gaussians, edits)
    images = scene.source.clip.images
    vacated = vacated_masks(scene, edited, config.composite)
    fill = _Fill(scene, images, vacated) if config.composite.from_frames else None
    composed = composite(scene, images, edited, vacated, config.composite, fill)
    frames = as_bytes(composed.rgb)
    changed = as_scene(scene, edited, composed, frames)
    if config.refine.refiner != "none":
        frames = as_bytes(composed.merge(finish_frames(changed, composed, config.refine, refiner)))
        changed = as_scene(scene, edited, composed, frames)
    along = None if trajectory is None else finish(changed, trajectory, config.refine, refiner).whole()
    return EditResult(frames, changed, edited, composed, along)


def as_bytes(images: Float[Tensor, "f h w 3"]) -> UInt8[Tensor, "f h w 3"]:
    """RGB in [0, 1] as bytes."""
    return (images.clamp(0, 1) * 255).round().to(torch.uint8).cpu()


class _Fill:
    """Looks what lies behind up in the training frames."""

    def __init__(self, scene: ExportScene, images: Float[Tensor, "f h w 3"], vacated: Vacated) -> None:
        assert scene.source is not None
        frames = list(scene.source.split.train)
        usable = vacated.masks[frames] <= 0
        self._scene, self._sightings = scene, Sightings(images[frames], vacated.depth[frames], usable, frames)

    def __call__(self, frame: int, drawn: Tensor, depth: Tensor, wanted: Tensor) -> Found:
        return seen_elsewhere(self._scene, self._sightings, frame, drawn, depth, wanted)
