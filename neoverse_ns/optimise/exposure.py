"""Changes of exposure and white balance between frames, learned so that the Gaussians need not follow them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.errors import SettingsError
from neoverse_ns.optimise.frame_weights import frame_weights


@dataclass
class ExposureConfig:
    """One affine map of colours per training frame: a gain and an offset for every channel."""

    enabled: bool = False
    """Learn it. Off, because held-out frames of clips whose exposure hardly changes lose about 0.07 dB by it; a clip
    that visibly brightens or changes colour gains."""
    regularise: float = 0.01
    """Weight of the mean squared logarithm of the gains and of the offsets (colours in [0, 1])."""

    def validate(self) -> None:
        """Raise SettingsError where the weight is negative."""
        if not self.regularise >= 0:
            raise SettingsError(f"exposure.regularise must be 0 or a positive number, got {self.regularise}")


class Exposure(nn.Module):
    """colour' = gain * colour + offset, per sampled frame.

    Logarithms of gains and offsets have mean 0 over the training frames, so that the neutral colours, which free
    cameras show, are those of a middling exposure. Held-out frames take the interpolation of their training neighbours'
    maps; their own pixels are never looked at.

    Args:
        config: See :class:`ExposureConfig`.
        train: Positions of the training frames among the sampled ones, ascending.
        held_out: Positions of the others.
    """

    def __init__(self, config: ExposureConfig, train: list[int], held_out: list[int]) -> None:
        super().__init__()
        self.config = config
        self.adjustment = nn.Parameter(torch.zeros(len(train) if config.enabled else 0, 2, 3))
        self.register_buffer("weights", frame_weights(train, held_out), persistent=False)

    def _centred(self) -> Float[Tensor, "n 2 3"]:
        # Gradients through the mean would reach every frame at every step, and Adam makes much of small ones.
        return self.adjustment - self.adjustment.mean(dim=0).detach()

    def apply_to(self, rgb: Float[Tensor, "h w 3"], frame: int) -> Float[Tensor, "h w 3"]:
        """Colours as the camera showed them in a sampled frame."""
        if not self.config.enabled:
            return rgb
        assert isinstance(self.weights, Tensor)
        log_gain, offset = torch.einsum("n,nkc->kc", self.weights[frame], self._centred())
        return log_gain.exp() * rgb + offset

    def loss(self) -> Float[Tensor, ""]:
        """Weighted departure from no change at all."""
        return self.config.regularise * self.adjustment.square().sum((1, 2)).mean()
