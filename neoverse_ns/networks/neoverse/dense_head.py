"""Dense prediction heads: tokens of four taps to a value and a confidence per pixel (DPT, Ranftl et al. 2021)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.fusion import FusionBlock, resize
from neoverse_ns.networks.neoverse.uv_code import add_uv_code


class Scratch(nn.Module):
    """Convolutions after the levels have their resolutions; the name is the checkpoints'."""

    HIDDEN = 32

    def __init__(self, features: int, levels: tuple[int, ...], channels: int) -> None:
        super().__init__()
        for number, width in enumerate(levels, 1):
            self.add_module(f"layer{number}_rn", nn.Conv2d(width, features, 3, padding=1, bias=False))
            self.add_module(f"refinenet{number}", FusionBlock(features, residual=number < len(levels)))
        self.output_conv1 = nn.Conv2d(features, features // 2, 3, padding=1)
        self.output_conv2 = nn.Sequential(
            nn.Conv2d(features // 2, self.HIDDEN, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(self.HIDDEN, channels, 1),
        )

    def fuse(self, levels: list[Float[Tensor, "n _ _ _"]]) -> Float[Tensor, "n c h w"]:
        """One map of half the head's width at twice the finest level's resolution; empties `levels`."""
        maps = [self.get_submodule(f"layer{number}_rn")(level) for number, level in enumerate(levels, 1)]
        levels.clear()
        fused = maps.pop()
        fused = self.get_submodule(f"refinenet{len(maps) + 1}")(fused, None, _size(maps[-1]))
        while maps:
            fine = maps.pop()
            size = _size(maps[-1]) if maps else None
            fused = self.get_submodule(f"refinenet{len(maps) + 1}")(fused, fine, size)
        return self.output_conv1(fused)


class PatchUpsampling(nn.ConvTranspose2d):
    """A transposed convolution whose strides do not overlap, as the matrix product that it is.

    cuDNN's kernels may add in any order; a product gives the same bits every time, and is faster.
    """

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__(channels, channels, factor, stride=factor)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:  # pyright: ignore
        kernel = self.weight.flatten(1).T[:, :, None, None]
        factor = self.stride[0]
        assert self.bias is not None
        return F.pixel_shuffle(F.conv2d(x, kernel, self.bias.repeat_interleave(factor**2)), factor)


class DenseHead(nn.Module):
    """A head's raw output maps.

    Args:
        dim: Width of the tokens: 2C of the trunk's taps, C of motion tokens.
        channels: Of the output, confidence included.
        features: Width.
        architecture: Levels and patch size.
    """

    def __init__(self, dim: int, channels: int, features: int, architecture: NetworkArchitecture) -> None:
        super().__init__()
        levels = architecture.out_channels
        self.patch_size = architecture.patch_size
        self.norm = nn.LayerNorm(dim)
        self.projects = nn.ModuleList(nn.Conv2d(dim, width, 1) for width in levels)
        self.resize_layers = nn.ModuleList(
            [
                PatchUpsampling(levels[0], 4),
                PatchUpsampling(levels[1], 2),
                nn.Identity(),
                nn.Conv2d(levels[3], levels[3], 3, stride=2, padding=1),
            ]
        )
        self.scratch = Scratch(features, levels, channels)

    def forward(self, taps: list[Float[Tensor, "n p c"]], height: int, width: int) -> Float[Tensor, "n h w k"]:
        """Raw output, channels last, from the patch tokens of images of `height` x `width` pixels."""
        return self.read_out(self.features(taps, height, width))

    def features(self, taps: list[Float[Tensor, "n p c"]], height: int, width: int) -> Float[Tensor, "n f h w"]:
        """The fused map at full resolution, half the head's width."""
        rows, columns = height // self.patch_size, width // self.patch_size
        aspect = width / height
        levels = []
        for tokens, project, rescale in zip(taps, self.projects, self.resize_layers, strict=True):
            grid = self.norm(tokens).transpose(1, 2).unflatten(-1, (rows, columns))
            levels.append(rescale(add_uv_code(project(grid), aspect)))
        return add_uv_code(resize(self.scratch.fuse(levels), height, width), aspect)

    def read_out(self, features: Float[Tensor, "n f h w"]) -> Float[Tensor, "n h w k"]:
        """The raw output of the fused map."""
        return self.scratch.output_conv2(features).permute(0, 2, 3, 1)


class GaussianHead(DenseHead):
    """The dense head of the Gaussians' depth, whose fused map, with details of the image, also makes their shape."""

    def __init__(self, dim: int, channels: int, features: int, architecture: NetworkArchitecture) -> None:
        super().__init__(dim, channels, features, architecture)
        self.input_merger = nn.Sequential(nn.Conv2d(3, features // 2, 7, padding=3), nn.ReLU(inplace=True))

    def with_image(
        self, features: Float[Tensor, "n f h w"], images: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, "n f h w"]:
        """The fused map plus features of the images themselves."""
        return features + self.input_merger(images)


def _size(x: Tensor) -> tuple[int, int]:
    return x.shape[-2], x.shape[-1]


def inverse_log(x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """sign(x) (exp |x| - 1): linear around zero, exponential far out.

    At zero, where motion begins to be learned, its slope is 1; the product of sign and modulus would say 0 there.
    """
    return torch.where(x < 0, -torch.expm1(-x), torch.expm1(x))


def confidence(x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """1 + exp(x)."""
    return 1 + x.exp()
