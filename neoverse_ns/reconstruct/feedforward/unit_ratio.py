"""The unit of frames that only lend their cameras, against that of the frames the Gaussians are made from."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

_SMALLEST_NORM = 1e-6


def scale_ratio(context: Float[Tensor, "b s 4 4"], every: Float[Tensor, "b s 4 4"]) -> Float[Tensor, " b"]:
    """What translations of the run on all frames are multiplied by: the ratio of the mean distances from the origin.

    Args:
        context: Cameras of the context frames as found alone.
        every: Cameras of the same frames as found among all.
    """
    return _mean_distance(context) / (_mean_distance(every) + _SMALLEST_NORM)


def _mean_distance(c2w: Float[Tensor, "b s 4 4"]) -> Float[Tensor, " b"]:
    return c2w[..., :3, 3].norm(dim=-1).mean(dim=1)
