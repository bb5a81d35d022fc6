"""A scene's Gaussians as what is optimised: one module a layer, its parameters and what stays as it is."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from neoverse_ns.gaussians.dynamic import DynamicGaussians, constant_gaussians
from neoverse_ns.gaussians.layers import FRAMES, LAYERS, LayeredGaussians
from neoverse_ns.optimise.row_adam import exchange

PARAMETERS = (
    "means",
    "quats",
    "log_scales",
    "opacity_logits",
    "sh",
    "velocities",
    "angular_velocities",
    "life_span_logits",
)
"""Fields that are optimised; each is a parameter group over all layers, so that each can have its own rate."""

FIXED = ("keyframe", "interval", "dynamic")
"""What a Gaussian keeps for life: not optimised, but saved."""


class GaussianLayer(nn.Module):
    """One layer: leaf parameters in the struct's own shapes, so that selecting rows of them has sparse gradients."""

    def __init__(self, gaussians: DynamicGaussians) -> None:
        super().__init__()
        for name in PARAMETERS:
            setattr(self, name, nn.Parameter(getattr(gaussians, name).detach().clone()))
        for name in FIXED:
            self.register_buffer(name, getattr(gaussians, name).clone())

    @property
    def gaussians(self) -> DynamicGaussians:
        """The struct that everything else takes; shares memory with the parameters."""
        return DynamicGaussians(**{name: getattr(self, name) for name in (*PARAMETERS, *FIXED)})


class SceneLayers(nn.ModuleDict):
    """All layers, also those without Gaussians, so that optimisers know the same parameters whatever a scene has.

    Args:
        scene: What to start from; None holds a single Gaussian until a checkpoint is loaded.
    """

    def __init__(self, scene: LayeredGaussians | None) -> None:
        scene = _placeholder() if scene is None else scene
        super().__init__({name: GaussianLayer(scene.layer(name)) for name in LAYERS})

    @property
    def scene(self) -> LayeredGaussians:
        """All of them, raw; shares memory with the parameters."""
        return LayeredGaussians({name: self._layer(name).gaussians for name in LAYERS})

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by field, over all layers."""
        return {name: [getattr(self._layer(layer), name) for layer in LAYERS] for name in PARAMETERS}

    def replace(self, name: str, gaussians: DynamicGaussians | None, optimizers: Mapping[str, Optimizer]) -> None:
        """Exchange all Gaussians of a layer.

        Args:
            name: Of the layer.
            gaussians: In their place; None leaves the layer empty.
            optimizers: By parameter group; what they remember of the other layers stays.
        """
        layer = self._layer(name)
        frames = self._layer(FRAMES).gaussians.detach()
        new = frames[:0] if gaussians is None else gaussians.to(frames.device)
        for field in PARAMETERS:
            old = getattr(layer, field)
            # Another object, because the last step's graph still expects gradients of the old one's shape.
            setattr(layer, field, nn.Parameter(getattr(new, field).detach().clone(), requires_grad=old.requires_grad))
            exchange(optimizers.get(field), old, getattr(layer, field))
        for field in FIXED:
            setattr(layer, field, getattr(new, field).clone())

    def resize(self, state: Mapping[str, Tensor], prefix: str) -> None:
        """Make room for the Gaussians of a state dict, whose keys begin with `prefix`.

        Parameters keep their identity, because optimisers already hold them.
        """
        for name in LAYERS:
            layer = self._layer(name)
            for field in (*PARAMETERS, *FIXED):
                saved = state.get(f"{prefix}{name}.{field}")
                if saved is not None:
                    value = getattr(layer, field)
                    value.data = value.data.new_zeros(saved.shape)

    def _layer(self, name: str) -> GaussianLayer:
        layer = self[name]
        assert isinstance(layer, GaussianLayer)
        return layer


def _placeholder() -> LayeredGaussians:
    one = torch.ones(1, 3)
    return LayeredGaussians({FRAMES: constant_gaussians(0 * one, torch.tensor([[1.0, 0, 0, 0]]), 0 * one, 0.5, one)})
