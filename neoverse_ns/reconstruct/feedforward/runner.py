"""Chosen frames of a clip through the network."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import MemoryShortageError
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.networks.neoverse.prior_tokens import Priors, PriorTokens
from neoverse_ns.reconstruct.feedforward.sizing import NetworkSize
from neoverse_ns.reconstruct.priors.load import ClipPriors


@runtime_checkable
class Network(Protocol):
    """What is asked of a network: :meth:`neoverse_ns.networks.neoverse.model.NeoVerseNetwork.forward`."""

    def __call__(
        self,
        images: Float[Tensor, "b s 3 h w"],
        priors: PriorTokens | None,
        is_static: bool,
        use_motion: bool,
        head_chunk: int,
        heads: Collection[str],
        mixed_precision: bool,
    ) -> NetworkPredictions: ...


@dataclass(frozen=True)
class FrameRunner:
    """A network with everything it needs to be run on frames of one clip.

    Attributes:
        network: On `device`, or wherever it keeps itself.
        clip: The frames.
        size: Between the clip's pixels and the network's.
        priors: What is known of all frames of the clip.
        is_static: Whether nothing moves.
        head_chunk: See the network.
        mixed_precision: See the network.
        device: Where images go to.
    """

    network: Network
    clip: Clip
    size: NetworkSize
    priors: ClipPriors
    is_static: bool
    head_chunk: int
    mixed_precision: bool
    device: torch.device

    def images(self, frames: Sequence[int]) -> Float[Tensor, "1 s 3 h w"]:
        """Those frames as the network sees them, on the device."""
        return self.size.images(self.clip.frames[list(frames)]).to(self.device)[None]

    def prior_tokens(self, frames: Sequence[int]) -> PriorTokens | None:
        """What the network is told about those frames, poses relative to all of them; None where nothing is known."""
        known = self.priors[list(frames)]
        if not known.names:
            return None
        K = None if known.K is None else self.size.intrinsics_to_network(known.K)[None]
        # Brought to size without mixing values: what is unknown is zero.
        depth = None if known.depth is None else self.size.maps_to_network(known.depth)[None]
        c2w = None if known.c2w is None else known.c2w.float()[None]
        tokens = Priors(c2w, K, depth).tokens(self.size.network[1], self.size.network[0])
        parts = (tokens.pose, tokens.rays, tokens.depth)
        return PriorTokens(*(None if part is None else part.to(self.device) for part in parts))

    @torch.no_grad()
    def __call__(
        self, frames: Sequence[int], tokens: PriorTokens | None, use_motion: bool, heads: Collection[str]
    ) -> NetworkPredictions:
        """Predictions of those frames, as one clip; the first one's camera is the world.

        Args:
            frames: Positions among the sampled frames.
            tokens: Of exactly these frames; see :meth:`prior_tokens`.
            use_motion: Whether velocities are wanted.
            heads: Dense outputs wanted.

        Raises:
            MemoryShortageError: The device has too little memory.
        """
        try:
            images = self.images(frames)
            return self.network(
                images, tokens, self.is_static, use_motion, self.head_chunk, heads, self.mixed_precision
            )
        except torch.OutOfMemoryError as error:
            width, height = self.size.network
            raise MemoryShortageError(
                f"the {self.device.type} device has too little memory for {len(frames)} frames of {width}x{height} at "
                "once: use --network.low-vram True, or lower --network.window, --network.longest-side or --num-frames"
            ) from error
