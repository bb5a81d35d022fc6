"""Perceptual distances between images, differentiable: LPIPS (Zhang et al., CVPR 2018, version 0.1) on any backbone.

Plain functions on tensors instead of torchmetrics' modules, so that no backbone can end up in a checkpoint or among
what an optimiser changes, torchvision is not needed, and seeded runs stay the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

# Mean and deviation of ImageNet's colours as the LPIPS authors give them for images in [-1, 1].
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


@dataclass(frozen=True)
class Convolution:
    """One rectified convolution of a backbone.

    Attributes:
        position: In torchvision's `features`.
        shape: Of its weights.
        stride: In both directions.
        padding: On all sides.
        pooled: Side of the max-pooling in front of it, whose stride is 2; None where there is none.
        judged: Its outputs are compared.
    """

    position: int
    shape: tuple[int, int, int, int]
    stride: int = 1
    padding: int = 1
    pooled: int | None = None
    judged: bool = True


@dataclass(frozen=True)
class Backbone:
    """A network whose features are compared.

    Attributes:
        name: As people say it.
        hub_file: Under which torchvision keeps its weights in torch's hub cache.
        heads_file: Of the learned weights of its channels, inside torchmetrics.
        layers: In order.
        smallest_side: Images with a shorter side vanish inside it.
    """

    name: str
    hub_file: str
    heads_file: str
    layers: tuple[Convolution, ...]
    smallest_side: int

    @property
    def judged(self) -> tuple[Convolution, ...]:
        return tuple(layer for layer in self.layers if layer.judged)


ALEXNET = Backbone(
    "AlexNet",
    "alexnet-owt-7be5be79.pth",
    "alex.pth",
    (
        Convolution(0, (64, 3, 11, 11), stride=4, padding=2),
        Convolution(3, (192, 64, 5, 5), padding=2, pooled=3),
        Convolution(6, (384, 192, 3, 3), pooled=3),
        Convolution(8, (256, 384, 3, 3)),
        Convolution(10, (256, 256, 3, 3)),
    ),
    smallest_side=31,
)


def _vgg_block(first: int, before: int, width: int, count: int) -> tuple[Convolution, ...]:
    """Equal convolutions, of which the last is judged; all but the very first block begin with a pooling."""
    return tuple(
        Convolution(
            first + 2 * number,
            (width, width if number else before, 3, 3),
            pooled=2 if first and number == 0 else None,
            judged=number == count - 1,
        )
        for number in range(count)
    )


VGG16 = Backbone(
    "VGG16",
    "vgg16-397923af.pth",
    "vgg.pth",
    (
        *_vgg_block(0, 3, 64, 2),
        *_vgg_block(5, 64, 128, 2),
        *_vgg_block(10, 128, 256, 3),
        *_vgg_block(17, 256, 512, 3),
        *_vgg_block(24, 512, 512, 3),
    ),
    smallest_side=16,
)


class PerceptualNetwork:
    """Compares images by the features of a backbone; gradients reach the images alone.

    Args:
        backbone: Its layers.
        features: Its convolutions under torchvision's names, `features.0.weight` and so on.
        heads: The learned weight of every channel, one tensor per judged convolution.
        dtype: In which it computes.
    """

    def __init__(
        self,
        backbone: Backbone,
        features: dict[str, Tensor],
        heads: list[Float[Tensor, " _"]],
        dtype: torch.dtype = torch.float32,
    ) -> None:
        names = [f"features.{layer.position}.{kind}" for layer in backbone.layers for kind in ("weight", "bias")]
        self.backbone = backbone
        self._features = {name: features[name].detach().to(dtype) for name in names}
        self._heads = [head.detach().to(dtype) for head in heads]

    def layers(self, a: Float[Tensor, "n 3 h w"], b: Float[Tensor, "n 3 h w"]) -> list[Float[Tensor, "n _ _"]]:
        """One map per judged layer: squared difference of unit-length features, weighted over channels.

        Args:
            a: Images in [0, 1].
            b: As many.
        """
        self._follow(a.device)
        maps = []
        for head, x in zip(self._heads, self._activations(torch.cat([a, b])), strict=True):
            unit = x / (x.square().sum(1, keepdim=True) + 1e-8).sqrt()
            first, second = unit.chunk(2)
            maps.append(torch.einsum("nchw,c->nhw", (first - second).square(), head))
        return maps

    def distance_map(self, a: Float[Tensor, "n 3 h w"], b: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n h w"]:
        """The layers' maps resized to the images (bilinear) and added up."""
        size = (a.shape[-2], a.shape[-1])
        resized = [functional.interpolate(m[:, None], size, mode="bilinear")[:, 0] for m in self.layers(a, b)]
        return torch.stack(resized).sum(0)

    def recomputed_map(
        self, a: Float[Tensor, "n 3 h w"], b: Float[Tensor, "n 3 h w"], chunk: int = 4
    ) -> Float[Tensor, "n h w"]:
        """The same, a few images at a time, whose features are made again in the backward pass instead of kept."""

        def part(first: Tensor, second: Tensor) -> Tensor:
            return self.distance_map(first, second)

        pairs = zip(a.split(chunk), b.split(chunk), strict=True)
        return torch.cat([checkpoint(part, *pair, use_reentrant=False, preserve_rng_state=False) for pair in pairs])

    def _activations(self, images: Float[Tensor, "n 3 h w"]) -> list[Float[Tensor, "n _ _ _"]]:
        """Outputs of the judged convolutions, rectified."""
        dtype = self._heads[0].dtype
        shift, scale = (images.new_tensor(values, dtype=dtype)[:, None, None] for values in (_SHIFT, _SCALE))
        x = (2 * images.to(dtype) - 1 - shift) / scale
        outputs = []
        for layer in self.backbone.layers:
            if layer.pooled is not None:
                x = functional.max_pool2d(x, layer.pooled, 2)
            weight, bias = (self._features[f"features.{layer.position}.{kind}"] for kind in ("weight", "bias"))
            x = functional.relu(functional.conv2d(x, weight, bias, layer.stride, layer.padding))
            if layer.judged:
                outputs.append(x)
        return outputs

    def _follow(self, device: torch.device) -> None:
        """Move to where the images are."""
        if self._heads[0].device != device:
            self._features = {name: value.to(device) for name, value in self._features.items()}
            self._heads = [head.to(device) for head in self._heads]
