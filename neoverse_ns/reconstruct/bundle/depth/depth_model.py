"""A monocular depth network from the transformers library, where the user has one: a prior for what flow cannot tell.

Any checkpoint of transformers' depth estimation models serves (Depth Anything, DPT and MiDaS, ZoeDepth, Depth Pro). It
is never downloaded from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from neoverse_ns.errors import SettingsError

METRIC = ("zoedepth", "depth_pro", "prompt_depth_anything")
"""Model types whose output is a depth; others predict inverse depth up to scale and shift unless they say otherwise."""
FIT_ROUNDS = 10
"""Reweightings of the fit of a prediction to measured depth."""
SMALLEST = 0.02
"""Inverse depths of a fitted prediction are kept above this share of their median: a shift may push sky below zero."""


@dataclass(frozen=True)
class DepthModel:
    """A loaded network.

    Attributes:
        name: Hub id or folder it came from.
        processor: Prepares images for it.
        network: Predicts depth or inverse depth.
        metric: Whether it predicts depth.
    """

    name: str
    processor: Any
    network: Any
    metric: bool

    @torch.no_grad()
    def inverse_depth(self, image: UInt8[Tensor, "h w 3"]) -> Float[Tensor, "h w"]:
        """Inverse depth of an image up to an unknown scale (and shift, unless the model is metric)."""
        inputs = self.processor(images=image.numpy(), return_tensors="pt").to(self.network.device)
        predicted = self.network(**inputs).predicted_depth.float().cpu()
        size = tuple(image.shape[:2])
        resized = functional.interpolate(predicted[:, None], size, mode="bicubic", align_corners=False)[0, 0]
        return 1 / resized.clamp_min(1e-3 * float(resized.abs().mean()) + 1e-9) if self.metric else resized


def load_depth_model(name: str) -> DepthModel:
    """Load a depth network from a folder or from the hub's local cache.

    Raises:
        SettingsError: transformers is not installed, or the model is not there or cannot be loaded.
    """
    try:
        from transformers import AutoImageProcessor, AutoModelForDepthEstimation
    except ImportError as error:
        raise SettingsError(
            "bundle.depth_model needs the transformers library: pip install 'neoverse-ns[depth]', or leave it out"
        ) from error
    try:
        processor = AutoImageProcessor.from_pretrained(name, local_files_only=True)
        network = AutoModelForDepthEstimation.from_pretrained(name, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(
            f"bundle.depth_model: no depth network can be loaded from {name!r}: give a folder, or the id of a model "
            f"that is in the hub's local cache already ({str(error).splitlines()[0]})"
        ) from error
    network = network.eval().to("cuda" if torch.cuda.is_available() else "cpu")
    estimation = getattr(network.config, "depth_estimation_type", None)
    metric = estimation == "metric" or network.config.model_type in METRIC
    return DepthModel(name, processor, network, metric)


def fit_inverse_depth(
    predicted: Float[Tensor, "h w"], measured: Float[Tensor, "h w"], weights: Float[Tensor, "h w"]
) -> Float[Tensor, "h w"]:
    """The prediction with the scale and shift that bring it closest to measured inverse depth, robustly.

    Iteratively reweighted least squares with a Cauchy kernel as wide as the typical disagreement. Where the weights
    say nothing, or the prediction runs against what was measured, the median is matched without any shift.

    Args:
        predicted: Inverse depth up to scale and shift.
        measured: Inverse depth.
        weights: Trust in it, at least 0.
    """
    x, y, trust = predicted.flatten().double(), measured.flatten().double(), weights.flatten().double()
    scale, shift = _weighted_median(y, trust) / x.median().clamp_min(1e-9), torch.zeros((), dtype=torch.float64)
    robust = trust
    for _ in range(FIT_ROUNDS):
        total = robust.sum().clamp_min(1e-12)
        mean_x, mean_y = (robust * x).sum() / total, (robust * y).sum() / total
        variance = (robust * (x - mean_x).square()).sum() / total
        slope = (robust * (x - mean_x) * (y - mean_y)).sum() / total / variance.clamp_min(1e-12)
        if slope <= 0 or variance < 1e-12:
            break
        scale, shift = slope, mean_y - slope * mean_x
        rest = (scale * x + shift - y).abs()
        robust = trust / (1 + (rest / _weighted_median(rest, trust).clamp_min(1e-6)).square())
    fitted = scale * predicted.double() + shift
    return fitted.clamp_min(SMALLEST * float(fitted.median().clamp_min(1e-9))).float()


def _weighted_median(values: Tensor, weights: Tensor) -> Tensor:
    """The plain median where no value has any weight."""
    if float(weights.sum()) <= 0:
        return values.median()
    order = values.argsort()
    cumulative = weights[order].cumsum(0)
    place = torch.searchsorted(cumulative, 0.5 * cumulative[-1]).clamp_max(len(values) - 1)
    return values[order][place]
