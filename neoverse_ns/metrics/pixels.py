"""What protocols do to pictures before they are measured."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_BLACK = 1e-3


def rounded(image: Float[Tensor, "h w 3"]) -> Float[Tensor, "h w 3"]:
    """Cut to [0, 1] and rounded to 8 bits, as it would be read back from a file."""
    return (image.clamp(0, 1) * 255).round() / 255


def without_black(
    shown: Float[Tensor, "h w 3"], truth: Float[Tensor, "h w 3"]
) -> tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w 3"], Bool[Tensor, "h w"]]:
    """Both pictures black where the first shows nothing, and where it shows something (DynIBaR, Li et al., CVPR 2023).

    Its table over all pixels counts the latter alone; its tables of moving and of still pixels count black ones too,
    which are right by then.

    Returns:
        The first picture, the second, and the pixels that are not black.
    """
    seen = shown.sum(-1) > _BLACK
    return torch.where(seen[..., None], shown, 0.0), torch.where(seen[..., None], truth, 0.0), seen
