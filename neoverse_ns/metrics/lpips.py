"""LPIPS with AlexNet (Zhang et al., CVPR 2018, version 0.1), from local files only.

The learned per-layer weights ship inside torchmetrics; the ImageNet backbone does not and is never downloaded here.
Plain functions on tensors instead of torchmetrics' modules, so that no backbone can end up in a checkpoint, torchvision
is not needed, and seeded runs stay the same (`test_lpips_needs_no_torchvision_and_leaves_seeds_alone`).
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from neoverse_ns.console import warn
from neoverse_ns.errors import UNREADABLE, RunError

HUB_FILE = "alexnet-owt-7be5be79.pth"
"""Name under which torchvision keeps its AlexNet in torch's hub cache."""

SMALLEST_SIDE = 31
"""Images with a shorter side vanish inside AlexNet."""

# Position in torchvision's `features`, stride, padding, max-pooling in front, and shape of the weights.
_LAYERS = (
    (0, 4, 2, False, (64, 3, 11, 11)),
    (3, 1, 2, True, (192, 64, 5, 5)),
    (6, 1, 1, True, (384, 192, 3, 3)),
    (8, 1, 1, False, (256, 384, 3, 3)),
    (10, 1, 1, False, (256, 256, 3, 3)),
)
# Mean and deviation of ImageNet's colours as the LPIPS authors give them for images in [-1, 1].
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


class LPIPS:
    """Perceptual distance of two images: 0 for equal ones, about 0.7 for unrelated ones.

    Args:
        features: AlexNet's convolutions under torchvision's names, `features.0.weight` and so on.
        heads: The learned weight of every channel, one tensor per convolution.
    """

    def __init__(self, features: dict[str, Tensor], heads: list[Float[Tensor, " _"]]) -> None:
        names = [f"features.{layer[0]}.{kind}" for layer in _LAYERS for kind in ("weight", "bias")]
        self._features = {name: features[name].detach().to(torch.float32) for name in names}
        self._heads = [head.detach().to(torch.float32) for head in heads]

    def __call__(
        self, a: Float[Tensor, "h w 3"], b: Float[Tensor, "h w 3"], mask: Bool[Tensor, "h w"] | None = None
    ) -> float:
        """Distance of two RGB images in [0, 1]; NaN where the mask is empty or a side is below `SMALLEST_SIDE`.

        With a mask this is the mLPIPS of DyCheck (Gao et al., NeurIPS 2022): both images are black outside it, the
        distances of every layer are resized to the image, and their sum is averaged over the mask.
        """
        height, width = a.shape[:2]
        if min(height, width) < SMALLEST_SIDE or (mask is not None and not mask.any()):
            return math.nan
        if mask is not None:
            a, b = a * mask[..., None], b * mask[..., None]
        with torch.no_grad():
            maps = self._distances(a, b)
            if mask is None:
                return sum(layer.mean(dtype=torch.float64).item() for layer in maps)
            size = (height, width)
            full = [functional.interpolate(m[None, None], size, mode="bilinear")[0, 0] for m in maps]
            return torch.stack(full).sum(0)[mask].mean(dtype=torch.float64).item()

    def _distances(self, a: Tensor, b: Tensor) -> list[Float[Tensor, "_ _"]]:
        """One map per layer: squared difference of unit-length features, weighted over channels."""
        maps = []
        for head, x in zip(self._heads, self._activations(torch.stack([a, b])), strict=True):
            unit = x / (x.square().sum(1, keepdim=True) + 1e-8).sqrt()
            maps.append(torch.einsum("chw,c->hw", (unit[0] - unit[1]).square(), head))
        return maps

    def _activations(self, images: Float[Tensor, "2 h w 3"]) -> list[Float[Tensor, "2 _ _ _"]]:
        """Outputs of the five rectified convolutions."""
        x = (2 * images.to(torch.float32) - 1 - images.new_tensor(_SHIFT)) / images.new_tensor(_SCALE)
        x = x.permute(0, 3, 1, 2)
        outputs = []
        for position, stride, padding, pooled, _ in _LAYERS:
            if pooled:
                x = functional.max_pool2d(x, 3, 2)
            weight, bias = self._features[f"features.{position}.weight"], self._features[f"features.{position}.bias"]
            x = functional.relu(functional.conv2d(x, weight, bias, stride, padding))
            outputs.append(x)
        return outputs


def load_lpips(path: Path | None = None) -> LPIPS | None:
    """LPIPS from a local AlexNet, or None where there is none; never downloads.

    Args:
        path: File with torchvision's AlexNet weights. None looks into torch's hub cache, where torchvision and
            torchmetrics put it when they download.

    Raises:
        RunError: The given file is missing or is not an AlexNet.
    """
    if path is not None:
        return LPIPS(_read_backbone(path), _read_heads())
    cached = Path(torch.hub.get_dir()) / "checkpoints" / HUB_FILE
    if not cached.is_file():
        return None
    try:
        return LPIPS(_read_backbone(cached), _read_heads())
    except RunError as error:
        warn(f"LPIPS is left out: {error}")
        return None


def _read_backbone(path: Path) -> dict[str, Tensor]:
    weights = _read(path, "AlexNet weights for LPIPS")
    for position, *_, shape in _LAYERS:
        for name, expected in ((f"features.{position}.weight", shape), (f"features.{position}.bias", shape[:1])):
            value = weights.get(name)
            if not isinstance(value, Tensor):
                raise RunError(f"{path} is not torchvision's AlexNet: it has no tensor '{name}'. Give {HUB_FILE}.")
            if tuple(value.shape) != expected:
                found = "x".join(map(str, value.shape))
                raise RunError(f"{path} is not torchvision's AlexNet: '{name}' is {found}. Give {HUB_FILE}.")
    return weights


def _read_heads() -> list[Tensor]:
    # Located without importing torchmetrics, whose image metrics would import torchvision.
    package = importlib.util.find_spec("torchmetrics")
    if package is None or package.origin is None:
        raise RunError("LPIPS needs the weights inside torchmetrics, which is not installed: pip install torchmetrics")
    path = Path(package.origin).parent / "functional" / "image" / "lpips_models" / "alex.pth"
    weights = _read(path, "LPIPS weights of torchmetrics")
    return [weights[f"lin{i}.model.1.weight"].flatten() for i in range(len(_LAYERS))]


def _read(path: Path, what: str) -> dict[str, Tensor]:
    if not path.is_file():
        raise RunError(f"{what} not found: {path}")
    try:
        value = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        detail = (str(error).splitlines() or ["it is cut off"])[0]
        raise RunError(f"{what} cannot be read from {path}: {detail}") from error
    if not isinstance(value, dict):
        raise RunError(f"{what} expected in {path}, found {type(value).__name__}")
    return value
