"""Settings of the model: drawing, what a training step minimises, and what is shown where nothing decides."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import tyro
from nerfstudio.models.base_model import ModelConfig

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.lenses import EYE_DISTANCE
from neoverse_ns.optimise.config import SceneOptions
from neoverse_ns.plugin.camera_refinement import CameraRefinementConfig


@dataclass
class NeoVerseModelConfig(SceneOptions, ModelConfig):
    """Drawing, and photometric optimisation on the clip's frames."""

    # Not splatfacto's config, whose densification would have no effect. Of nerfstudio's own fields those that concern
    # rays through volumes are hidden for the same reason.
    _target: type = field(default_factory=lambda: _model())
    enable_collider: Annotated[bool, tyro.conf.Suppress] = False
    collider_params: Annotated[dict[str, float] | None, tyro.conf.Suppress] = None
    loss_coefficients: Annotated[dict[str, float], tyro.conf.Suppress] = field(default_factory=dict)
    eval_num_rays_per_chunk: Annotated[int, tyro.conf.Suppress] = 4096
    prompt: str | None = None
    """What the clip shows, for refiners that read."""
    sh_degree: ClassVar[int] = 0
    """Asked for by ns-export: colour does not depend on the viewing direction, as in the release."""

    background_color: Literal["random", "black", "white"] = "black"
    """What shows where there are no Gaussians."""
    camera_optimizer: CameraRefinementConfig = field(default_factory=lambda: CameraRefinementConfig(mode="SE3"))
    """Whether the estimated cameras are refined with the Gaussians (`SE3`) or kept (`off`)."""
    optimise: bool = True
    """Photometric optimisation; without it the Gaussians stay as reconstructed."""
    default_time: float = 0.0
    """Normalised time of cameras that have none, such as those of ns-render interpolate."""
    export_time: float = 0.5
    """Normalised time whose Gaussians ns-export gaussian-splat writes."""
    eye_distance: float = EYE_DISTANCE
    """Between the eyes of stereo cameras (omnidirectional, VR180), in units of the scene: its median depth is 1 where
    its scale is not known."""
    lpips_weights: Path | None = None
    """File with AlexNet's convolution weights (torchvision's names) for LPIPS; by default torch's own cache is
    searched, and LPIPS reported as missing where it has none."""
    lpips_vgg_weights: Path | None = None
    """The same of VGG-16, for protocols that measure by it."""

    def validate(self) -> None:
        """Raise SettingsError where a value makes no sense."""
        for name in ("default_time", "export_time", "eye_distance"):
            if not math.isfinite(float(getattr(self, name))):
                raise SettingsError(f"{name} must be a finite number, got {getattr(self, name)}")
        self.check_options()


def _model() -> type:
    from neoverse_ns.plugin.model import NeoVerseModel

    return NeoVerseModel
