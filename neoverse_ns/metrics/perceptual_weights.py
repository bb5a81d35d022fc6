"""Weights of perceptual distances, from local files only.

The learned per-layer weights ship inside torchmetrics; the ImageNet backbones do not and are never downloaded here.
"""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path

import torch
from torch import Tensor

from neoverse_ns.console import warn
from neoverse_ns.errors import UNREADABLE, RunError
from neoverse_ns.metrics.perceptual import Backbone, PerceptualNetwork


def load_perceptual(backbone: Backbone, path: Path | None = None) -> PerceptualNetwork | None:
    """LPIPS on a local backbone, or None where there is none; never downloads.

    Args:
        backbone: Which one.
        path: File with torchvision's weights. None looks into torch's hub cache, where torchvision and torchmetrics put
            it when they download.

    Raises:
        RunError: The given file is missing or is not that backbone.
    """
    if path is not None:
        return PerceptualNetwork(backbone, _read_backbone(backbone, path), _read_heads(backbone))
    cached = Path(torch.hub.get_dir()) / "checkpoints" / backbone.hub_file
    if not cached.is_file():
        return None
    try:
        return PerceptualNetwork(backbone, _read_backbone(backbone, cached), _read_heads(backbone))
    except RunError as error:
        warn(f"LPIPS is left out: {error}")
        return None


def _read_backbone(backbone: Backbone, path: Path) -> dict[str, Tensor]:
    weights = _read(path, f"{backbone.name} weights for LPIPS")
    wrong = f"{path} is not torchvision's {backbone.name}"
    for layer in backbone.layers:
        names = (f"features.{layer.position}.weight", f"features.{layer.position}.bias")
        for name, expected in zip(names, (layer.shape, layer.shape[:1]), strict=True):
            value = weights.get(name)
            if not isinstance(value, Tensor):
                raise RunError(f"{wrong}: it has no tensor '{name}'. Give {backbone.hub_file}.")
            if tuple(value.shape) != expected:
                found = "x".join(map(str, value.shape))
                raise RunError(f"{wrong}: '{name}' is {found}. Give {backbone.hub_file}.")
    return weights


def _read_heads(backbone: Backbone) -> list[Tensor]:
    # Located without importing torchmetrics, whose image metrics would import torchvision.
    package = importlib.util.find_spec("torchmetrics")
    if package is None or package.origin is None:
        raise RunError("LPIPS needs the weights inside torchmetrics, which is not installed: pip install torchmetrics")
    path = Path(package.origin).parent / "functional" / "image" / "lpips_models" / backbone.heads_file
    weights = _read(path, "LPIPS weights of torchmetrics")
    return [weights[f"lin{i}.model.1.weight"].flatten() for i in range(len(backbone.judged))]


def _read(path: Path, what: str) -> dict[str, Tensor]:
    if not path.is_file():
        raise RunError(f"{what} not found: {path}")
    try:
        value = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        detail = (str(error).splitlines() or ["it is cut off"])[0]
        # torch goes on to advise loading the file with its code.
        if isinstance(error, pickle.UnpicklingError):
            detail = "it is no file of torch's weights"
        raise RunError(f"{what} cannot be read from {path}: {detail}") from error
    if not isinstance(value, dict):
        raise RunError(f"{what} expected in {path}, found {type(value).__name__}")
    return value
