"""What one training pair is put through, drawn at random before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from neoverse_ns.generate.degradation.settings import DegradationSettings

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Drops:
    """What a model is trained without, so that it can do without and be guided.

    Attributes:
        prompt: The words.
        mask: The mask: nothing is marked as trusted.
        conditions: All that was drawn, the mask included.
    """

    prompt: bool = False
    mask: bool = False
    conditions: bool = False


@dataclass(frozen=True)
class Choices:
    """One draw from :class:`DegradationSettings`, for a whole clip.

    Attributes:
        side: Of the clip's overall motion, on which all context cameras go.
        distance: How far, in units of the scene's scale.
        rotation: Axis times angle in radians, in the moved cameras' axes.
        kernel: Side of the box filter in pixels, odd; None only culls.
        colour_distance: Largest perceptual distance to the true colour that is trusted.
        drops: What is withheld.
    """

    side: Side = "right"
    distance: float = 0.05
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    kernel: int | None = None
    colour_distance: float = 75.0
    drops: Drops = Drops()


def draw_choices(settings: DegradationSettings, generator: torch.Generator) -> Choices:
    """Draw what happens to one clip; the same number of random values is taken whatever comes out.

    Args:
        settings: The ranges.
        generator: On the CPU.

    Raises:
        SettingsError: A range is none.
    """
    settings.validate()
    axis = torch.nn.functional.normalize(torch.randn(3, generator=generator, dtype=torch.float64), dim=0)
    kernel = int(torch.randint(settings.kernel[0], settings.kernel[1] + 1, (), generator=generator))
    even = torch.rand(8, generator=generator, dtype=torch.float64).tolist()
    x, y, z = (axis * torch.deg2rad(torch.tensor(settings.rotation * even[1], dtype=torch.float64))).tolist()
    return Choices(
        side="left" if even[7] < 0.5 else "right",
        distance=_between(settings.distance, even[0]),
        rotation=(x, y, z),
        kernel=None if even[2] < settings.cull_only else kernel + 1 - kernel % 2,
        colour_distance=_between(settings.colour_distance, even[3]),
        drops=Drops(
            prompt=even[4] < settings.drop_prompt,
            mask=even[5] < settings.drop_mask,
            conditions=even[6] < settings.drop_conditions,
        ),
    )


def _between(bounds: tuple[float, float], share: float) -> float:
    return bounds[0] + share * (bounds[1] - bounds[0])
