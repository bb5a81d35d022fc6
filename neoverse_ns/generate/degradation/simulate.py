"""From one video and its scene to pairs of what was drawn and what it should have been."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.render import ConditionSettings, draw_conditions
from neoverse_ns.generate.degradation.choices import Choices, draw_choices
from neoverse_ns.generate.degradation.colour import colour_distance
from neoverse_ns.generate.degradation.geometry import DegradedScene, clean, degrade
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.generate.source_scene import SourceScene


@dataclass(frozen=True)
class TrainingPair:
    """Conditions of a degraded scene, and the frames that a refiner should make of them.

    Attributes:
        conditions: Drawn at the real cameras and times; what `choices.drops` names is already blank.
        target: The real frames in [0, 1].
        frames: Their positions in the clip.
        choices: What the scene was put through.
    """

    conditions: Conditions
    target: Float[Tensor, "n h w 3"]
    frames: list[int]
    choices: Choices

    def prompt(self, words: str) -> str:
        """`words`, or nothing where the prompt is dropped."""
        return "" if self.choices.drops.prompt else words


def simulate(
    source: SourceScene,
    generator: torch.Generator,
    settings: DegradationSettings | None = None,
    frames: list[int] | None = None,
    drawing: ConditionSettings | None = None,
) -> TrainingPair:
    """Draw one training pair (NeoVerse, section 3.2, online degradation simulation), on the Gaussians' device.

    Args:
        source: The clip and its scene.
        generator: On the CPU; decides everything that is random.
        settings: Ranges and probabilities.
        frames: Positions of the frames wanted; None takes all. Drawing fewer costs less, degrading the scene does not.
        drawing: How holes are shown, as in the views to be refined later; its `mask_threshold` is not used.

    Raises:
        SettingsError: A setting is out of range.
    """
    settings = settings or DegradationSettings()
    choices = draw_choices(settings, generator)
    degraded = degrade(source, choices, settings) if settings.enabled else clean(source)
    return pair_of(source, degraded, choices, settings, frames, drawing)


@torch.no_grad()
def pair_of(
    source: SourceScene,
    degraded: DegradedScene,
    choices: Choices,
    settings: DegradationSettings,
    frames: list[int] | None = None,
    drawing: ConditionSettings | None = None,
) -> TrainingPair:
    """The pair of a scene that is already degraded; several can be drawn from one."""
    chosen = list(range(len(source))) if frames is None else frames
    like = degraded.gaussians.frames.means
    target = source.frames[chosen].to(like.device, like.dtype) / 255
    drawn = draw_conditions(
        degraded.gaussians, source.cameras[chosen], source.times[chosen], drawing or ConditionSettings()
    )
    whole = set(source.keyframes if source.whole is None else source.whole)
    context = torch.tensor([frame in whole for frame in chosen], device=like.device)
    mask = trusted(drawn, target, context, settings.alpha, choices.colour_distance)
    return TrainingPair(without(replace(drawn, mask=mask), choices), target, chosen, choices)


def trusted(
    drawn: Conditions,
    target: Float[Tensor, "n h w 3"],
    context: Bool[Tensor, " n"],
    alpha: float,
    largest_distance: float,
) -> Bool[Tensor, "n h w"]:
    """Pixels to be kept: drawn opaque, on a frame that carries Gaussians, and of about the true colour.

    Args:
        drawn: What the degraded scene looks like.
        target: What it should look like.
        context: Frames that are keyframes.
        alpha: Opacity that has to be exceeded.
        largest_distance: Perceptual distance, 0 to 765, below which it must be.
    """
    return (drawn.alpha > alpha) & context[:, None, None] & (colour_distance(drawn.rgb, target) < largest_distance)


def without(conditions: Conditions, choices: Choices) -> Conditions:
    """Conditions with what is dropped blank: zeros, and nothing to be kept. Cameras and times stay what they are."""
    if choices.drops.conditions:
        blank = {name: torch.zeros_like(getattr(conditions, name)) for name in ("rgb", "depth", "alpha", "plucker")}
        conditions = replace(conditions, **blank)
    if choices.drops.conditions or choices.drops.mask:
        conditions = replace(conditions, mask=torch.zeros_like(conditions.mask))
    return conditions
