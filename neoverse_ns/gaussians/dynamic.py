"""`DynamicGaussians`: 4D Gaussians of a whole clip in one flat struct of tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

SH_C0 = 0.28209479177387814
"""Value of the constant spherical harmonic: colour = 0.5 + SH_C0 * coefficient."""


@dataclass
class DynamicGaussians:
    """N Gaussians, each bound to a keyframe and moving toward its neighbours (NeoVerse, section 3.1).

    Stored raw, as they are optimised and saved; `scales`, `opacities` and `life_spans` apply the activations.
    A Gaussian at keyframe time ``t`` lives in the open interval ``(t_prev, t_next)``; one that is not ``dynamic`` is
    constant and lives always.

    Attributes:
        means: Centres at the keyframe's time, world units.
        quats: Rotations wxyz, not necessarily of unit length.
        log_scales: Natural logarithm of the standard deviations, world units.
        opacity_logits: Opacity before the sigmoid.
        sh: Spherical harmonics, band 0 first; ``b`` = (degree + 1)^2.
        keyframe: Number of the keyframe (0..k-1) each one was lifted from; 0 for those that come from no single one.
        interval: ``t_prev, t, t_next`` in normalised time. Where a clip has no neighbour on one side the interval
            extends past the clip's end on that side.
        velocities: Displacement toward the next ``[:, 0]`` and the previous ``[:, 1]`` keyframe, world units per gap.
        angular_velocities: Axis-angle rotation over the same gaps, radians.
        life_span_logits: Life span tau before the sigmoid.
        dynamic: False for constant Gaussians.
    """

    means: Float[Tensor, "n 3"]
    quats: Float[Tensor, "n 4"]
    log_scales: Float[Tensor, "n 3"]
    opacity_logits: Float[Tensor, " n"]
    sh: Float[Tensor, "n b 3"]
    keyframe: Int64[Tensor, " n"]
    interval: Float[Tensor, "n 3"]
    velocities: Float[Tensor, "n 2 3"]
    angular_velocities: Float[Tensor, "n 2 3"]
    life_span_logits: Float[Tensor, " n"]
    dynamic: Bool[Tensor, " n"]

    def __repr__(self) -> str:
        return f"DynamicGaussians({len(self)})"

    def __len__(self) -> int:
        return self.means.shape[0]

    @property
    def scales(self) -> Float[Tensor, "n 3"]:
        return self.log_scales.exp()

    @property
    def opacities(self) -> Float[Tensor, " n"]:
        return torch.sigmoid(self.opacity_logits)

    @property
    def life_spans(self) -> Float[Tensor, " n"]:
        return torch.sigmoid(self.life_span_logits)

    @property
    def sh_degree(self) -> int:
        return round(self.sh.shape[1] ** 0.5) - 1

    @property
    def device(self) -> torch.device:
        return self.means.device

    def tensors(self) -> dict[str, Tensor]:
        """Every field by name, in order."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __getitem__(self, index: Tensor | slice) -> DynamicGaussians:
        return DynamicGaussians(**{name: value[index] for name, value in self.tensors().items()})

    def to(self, device: torch.device | str) -> DynamicGaussians:
        return DynamicGaussians(**{name: value.to(device) for name, value in self.tensors().items()})

    def detach(self) -> DynamicGaussians:
        return DynamicGaussians(**{name: value.detach() for name, value in self.tensors().items()})

    def with_(self, **changes: Tensor) -> DynamicGaussians:
        """A copy that shares every field but the ones given."""
        return replace(self, **changes)


def concatenate(parts: list[DynamicGaussians]) -> DynamicGaussians:
    """Join several sets into one, in order."""
    names = [f.name for f in fields(DynamicGaussians)]
    return DynamicGaussians(**{name: torch.cat([getattr(p, name) for p in parts]) for name in names})


def constant_gaussians(
    means: Float[Tensor, "n 3"],
    quats: Float[Tensor, "n 4"],
    log_scales: Float[Tensor, "n 3"],
    opacity: float,
    rgb: Float[Tensor, "n 3"],
) -> DynamicGaussians:
    """Gaussians that neither move nor fade, of one opacity and without view-dependent colour.

    Args:
        means: Centres, world units.
        quats: Rotations wxyz.
        log_scales: Natural logarithm of the standard deviations, world units.
        opacity: Of all of them, between 0 and 1.
        rgb: Colours in [0, 1].
    """
    count, like = len(means), means.new_zeros
    return DynamicGaussians(
        means=means,
        quats=quats,
        log_scales=log_scales,
        opacity_logits=means.new_full((count,), math.log(opacity / (1 - opacity))),
        sh=((rgb - 0.5) / SH_C0)[:, None],
        keyframe=torch.zeros(count, dtype=torch.int64, device=means.device),
        interval=means.new_tensor([0.0, 0.5, 1.0]).repeat(count, 1),
        velocities=like(count, 2, 3),
        angular_velocities=like(count, 2, 3),
        life_span_logits=like(count),
        dynamic=torch.zeros(count, dtype=torch.bool, device=means.device),
    )
