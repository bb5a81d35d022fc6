"""The unit of frames that only lend their cameras, against that of the frames the Gaussians are made from."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from neoverse_ns.networks.neoverse.predictions import NetworkPredictions

_SMALLEST_NORM = 1e-6


def scale_ratio(context: Float[Tensor, "b s 4 4"], every: Float[Tensor, "b s 4 4"]) -> Float[Tensor, " b"]:
    """What translations of the run on all frames are multiplied by: the ratio of the mean distances from the origin.

    Args:
        context: Cameras of the context frames as found alone.
        every: Cameras of the same frames as found among all.
    """
    return _mean_distance(context) / (_mean_distance(every) + _SMALLEST_NORM)


def unit_ratio(context: NetworkPredictions, every: NetworkPredictions, places: Sequence[int]) -> float:
    """Unit of the context frames' pass over that of another, both of one clip.

    Args:
        context: Of the context frames alone, those in `places` first; of a single one, whose camera tells nothing,
            with its depth.
        every: Of more frames; with their depth where `context` has it for that reason.
        places: Where context frames stand among those.
    """
    if len(places) == 1:
        assert context.depth is not None
        assert every.depth is not None
        return float((context.depth[0, 0] / every.depth[0, places[0]]).median())
    return float(scale_ratio(context.c2w[:, : len(places)], every.c2w[:, list(places)]))


def _mean_distance(c2w: Float[Tensor, "b s 4 4"]) -> Float[Tensor, " b"]:
    return c2w[..., :3, 3].norm(dim=-1).mean(dim=1)
