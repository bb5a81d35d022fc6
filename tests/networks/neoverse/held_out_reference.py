"""The published protocol for frames that only lend their cameras, on the bare network: what windows must agree with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.networks.neoverse.model import HeadName, NeoVerseNetwork
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.networks.neoverse.prior_tokens import Priors, PriorTokens
from neoverse_ns.reconstruct.feedforward.unit_ratio import scale_ratio


@dataclass(frozen=True)
class HeldOutPredictions:
    """Two runs of the network in one world.

    Attributes:
        every: Of all frames, in the clip's order, without motion and Gaussians; the translations of `c2w` are already
            brought to the scale of `context`.
        context: Of the context frames alone, in the order given, from which the Gaussians are made.
        scale: Factor between the two runs' worlds, of each clip of the batch.
    """

    every: NetworkPredictions
    context: NetworkPredictions
    scale: Float[Tensor, " b"]


def predict_held_out(
    network: NeoVerseNetwork,
    images: Float[Tensor, "b s 3 h w"],
    context: Sequence[int],
    priors: Priors | PriorTokens | None = None,
    is_static: bool = False,
    use_motion: bool = True,
    head_chunk: int = 8,
    heads: Collection[HeadName] = ("depth", "points"),
) -> HeldOutPredictions:
    """Cameras of all frames, Gaussians of the context frames alone.

    The network runs twice: on all frames, context first (its first frame defines the world), and on the context. The
    translations of the first run are multiplied by the ratio of the mean camera distances from the origin over the
    context frames, context / all.

    Args:
        network: The network.
        images: All frames, in [0, 1].
        context: Positions of the frames that Gaussians are made from, at least one, all different.
        priors: Of all frames; those of poses are normalised over all of them in both runs.
        is_static: See :meth:`NeoVerseNetwork.forward`.
        use_motion: The same.
        head_chunk: The same.
        heads: Dense outputs wanted of the run on all frames.

    Raises:
        SettingsError: `context` is empty, repeats a frame or names one that is not there; or as the network raises.
    """
    count = images.shape[1]
    chosen = list(context)
    if not chosen or len(set(chosen)) < len(chosen) or not all(0 <= frame < count for frame in chosen):
        raise SettingsError(f"context frames must be different positions from 0 to {count - 1}, got {chosen}")
    if isinstance(priors, Priors):
        priors = priors.tokens(images.shape[-2], images.shape[-1])
    order = chosen + sorted(set(range(count)) - set(chosen))

    def run(frames: list[int], motion: bool, wanted: Collection[HeadName]) -> NetworkPredictions:
        tokens = None if priors is None else priors.frames(frames)
        return network(images[:, frames], tokens, is_static, motion, head_chunk, wanted)

    every = run(order, False, heads)
    alone = run(chosen, use_motion, ("motion", "gaussians"))
    scale = scale_ratio(alone.c2w, every.c2w[:, : len(chosen)])
    c2w = every.c2w.clone()
    c2w[..., :3, 3] *= scale[:, None, None]
    back = torch.tensor(order).argsort().tolist()
    restored = {name: value[:, back] for name, value in replace(every, c2w=c2w).tensors().items()}
    return HeldOutPredictions(NetworkPredictions(**restored), alone, scale)
