"""The properties by which nerfstudio's exporter and viewer read a splatfacto model, at one instant of the clip."""

from __future__ import annotations

from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.gaussians.transition import GaussiansAtTime, at_time


class ExportConfig(Protocol):
    """What decides the instant and how it is drawn."""

    export_time: float
    nearest_keyframe_only: bool
    life_span_gamma: float


class ExportProperties:
    """Mixin for a model with `gaussians` and a config; all properties list the same Gaussians in the same order."""

    gaussians: LayeredGaussians
    config: ExportConfig

    @torch.no_grad()
    def _exported(self) -> GaussiansAtTime:
        config = self.config
        return at_time(self.gaussians.flat(), config.export_time, config.nearest_keyframe_only, config.life_span_gamma)

    @property
    def means(self) -> Float[Tensor, "m 3"]:
        """Centres at the export time; so are all the properties below."""
        return self._exported().means

    @property
    def quats(self) -> Float[Tensor, "m 4"]:
        return self._exported().quats

    @property
    def scales(self) -> Float[Tensor, "m 3"]:
        """Log-scales."""
        return self._exported().scales.log()

    @property
    def opacities(self) -> Float[Tensor, "m 1"]:
        """Opacity logits, life span applied."""
        return torch.logit(self._exported().opacities.clamp(1e-7, 1 - 1e-7))[:, None]

    @property
    def shs_0(self) -> Float[Tensor, "m 3"]:
        return self._exported().sh[:, 0]

    @property
    def shs_rest(self) -> Float[Tensor, "m r 3"]:
        return self._exported().sh[:, 1:]

    @property
    def features_dc(self) -> Float[Tensor, "m 3"]:
        return self.shs_0

    @property
    def features_rest(self) -> Float[Tensor, "m r 3"]:
        return self.shs_rest

    @property
    def colors(self) -> Float[Tensor, "m 3"]:
        return (0.5 + SH_C0 * self.shs_0).clamp(0, 1)
