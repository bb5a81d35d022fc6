"""What the control branch is told about the target cameras."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class ControlInput:
    """Renders of a clip as the control branch takes them: two at the latents' resolution, two at the pixels'.

    Attributes:
        rgb: Normalised latents of the rendered RGB.
        depth: Normalised latents of the rendered depth, as a grey video.
        mask: 1 where the render is to be kept, 0 where it is to be painted anew; n = 4 (t - 1) + 1 frames.
        plucker: Unit ray direction d and moment o x d of every pixel's ray.
    """

    rgb: Float[Tensor, "b c t y x"]
    depth: Float[Tensor, "b c t y x"]
    mask: Float[Tensor, "b 1 n h w"]
    plucker: Float[Tensor, "b 6 n h w"]
