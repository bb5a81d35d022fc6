"""The properties by which nerfstudio's exporter and viewer read a splatfacto model, at one instant of the clip."""

from __future__ import annotations

from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.export.instant import flat_instant
from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.plugin.camera_refinement import CameraRefinement
from neoverse_ns.plugin.remembered import Remembered
from neoverse_ns.plugin.script_calls import viewer_being_built
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.reconstruct.scene import Scene


class ExportConfig(Protocol):
    """What decides the instant and how it is drawn."""

    export_time: float

    @property
    def draw_options(self) -> DrawOptions: ...


class ExportProperties:
    """Mixin for a model with `gaussians`, cameras and a config.

    All properties list the same Gaussians in the same order: those of the layers at the export time, in one set that
    any splat viewer shows as the layers are shown. Nerfstudio asks for one property after the other, so what they have
    in common is kept until a Gaussian or a camera changes.
    """

    gaussians: LayeredGaussians
    camera_optimizer: CameraRefinement
    config: ExportConfig
    _scene: Scene
    _remembered: Remembered[GaussiansAtTime]

    def _exported(self) -> GaussiansAtTime:
        gaussians, refinement, config = self.gaussians.detach(), self.camera_optimizer, self.config
        time = min(max(config.export_time, 0.0), 1.0)
        if viewer_being_built():
            # It asks for all properties, for a cloud of points that it hides: nobody shall wait for it.
            return at_time(gaussians.frames, time)

        def calculate() -> GaussiansAtTime:
            clip = self._scene.clip
            cameras = refinement.refined(self._scene.geometry.cameras, clip.times)
            return flat_instant(gaussians, time, camera_at(cameras, clip.times, time), config.draw_options)

        depends_on = [*self.gaussians.tensors().values(), *refinement.parameters()]
        return self._remembered.get(depends_on, (time, config.draw_options, refinement.config.mode), calculate)

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
