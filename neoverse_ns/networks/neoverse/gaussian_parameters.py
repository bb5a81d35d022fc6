"""Convolutions from the Gaussian head's feature map to the parameters of one Gaussian per pixel."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

PARAMETERS = {"quaternion": 4, "log_scale": 3, "opacity": 1, "residual_sh": 3, "weight": 1}
"""Channels in order; `weight` is the life span in a dynamic clip and the merging weight in a static one."""

CHANNELS = sum(PARAMETERS.values())

_INITIAL = {"quaternion": (1.0, 0.0), "log_scale": (3e-5, -7.0), "opacity": (1.0, -2.0), "weight": (1.0, -2.0)}
"""Gain of the weights and bias of an untrained network: small, faint Gaussians (the release's)."""


class GaussianParameters(nn.Module):
    """One stack for static clips, one for dynamic ones; the names are the checkpoints'."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.gs_head = _stack(features)
        self.gs_head_dynamic = _stack(features)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for stack in (self.gs_head, self.gs_head_dynamic):
            last, first = stack.get_submodule("2"), 0
            assert isinstance(last, nn.Conv2d)
            assert last.bias is not None
            for name, count in PARAMETERS.items():
                gain, bias = _INITIAL.get(name, (1.0, 0.0))
                nn.init.xavier_uniform_(last.weight[first : first + count], gain)
                nn.init.constant_(last.bias[first : first + count], bias)
                first += count

    def forward(
        self, features: Float[Tensor, "n f h w"], is_static: bool | Bool[Tensor, " n"]
    ) -> Float[Tensor, "n h w 12"]:
        """Raw parameters, channels last.

        Where some maps are of static clips and some are not, both stacks see all of them, so that every weight takes
        part in every step of training whatever the clips are.
        """
        if isinstance(is_static, Tensor):
            chosen = torch.where(is_static[:, None, None, None], self.gs_head(features), self.gs_head_dynamic(features))
            return chosen.permute(0, 2, 3, 1)
        stack = self.gs_head if is_static else self.gs_head_dynamic
        return stack(features).permute(0, 2, 3, 1)


def split_parameters(params: Float[Tensor, "*n 12"]) -> dict[str, Float[Tensor, "*n _"]]:
    """The channels by name; see :data:`PARAMETERS`."""
    parts = torch.split(params, list(PARAMETERS.values()), dim=-1)
    return dict(zip(PARAMETERS, parts, strict=True))


def _stack(features: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(features // 2, features, 3, padding=1, bias=False),
        nn.ReLU(inplace=True),
        nn.Conv2d(features, CHANNELS, 1),
    )
