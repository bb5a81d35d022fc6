"""Per-image metrics of held-out frames, over the whole image and inside regions."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.metrics.image import psnr, ssim
from neoverse_ns.metrics.lpips import LPIPS, load_lpips

COVERED = 0.5
"""Opacity above which a pixel counts as covered."""


class ImageEvaluator:
    """Computes and remembers the metrics of every evaluated image.

    Args:
        lpips_weights: See :func:`neoverse_ns.metrics.lpips.load_lpips`; read at the first image.
    """

    def __init__(self, lpips_weights: Path | None) -> None:
        self._weights = lpips_weights
        self._lpips: LPIPS | None = None
        self._searched = False
        self.records: list[dict[str, float]] = []

    def lpips(self) -> LPIPS | None:
        """The perceptual metric; None where its backbone is nowhere to be found."""
        if not self._searched:
            self._lpips = load_lpips(self._weights)
            self._searched = True
        return self._lpips

    @torch.no_grad()
    def evaluate(self, outputs: dict[str, Tensor], batch: dict[str, Any]) -> tuple[dict[str, float], dict[str, Tensor]]:
        """Metrics and pictures of one image; see nerfstudio's `get_image_metrics_and_images`.

        Args:
            outputs: `rgb` [h, w, 3], `accumulation` [h, w, 1], `depth` [h, w, 1].
            batch: `image` [h, w, 3]; `dynamic_mask` [h, w], where it is known; `world_mask` [h, w] of the pixels that
                count, where not all do: the others are black in both pictures, and counted nowhere.
        """
        predicted = outputs["rgb"].cpu()
        truth = batch["image"].cpu().to(predicted)[..., :3]
        alpha = outputs["accumulation"].cpu()[..., 0]
        covered = alpha > COVERED
        regions: dict[str, Bool[Tensor, "h w"] | None] = {"": None, "_covered": covered}
        if "dynamic_mask" in batch:
            dynamic = batch["dynamic_mask"].cpu()
            regions |= {"_static": ~dynamic, "_dynamic": dynamic}
        world = batch["world_mask"].cpu() if "world_mask" in batch else None
        seen, shown = predicted, truth
        if world is not None:
            regions = {suffix: world if mask is None else mask & world for suffix, mask in regions.items()}
            seen, shown = predicted * world[..., None], truth * world[..., None]
        metrics = {"alpha_coverage": _share(covered, world)}
        for suffix, mask in regions.items():
            metrics |= self._image_metrics(seen, shown, mask, suffix)
        if "dynamic_mask" in batch:
            metrics["dynamic_share"] = _share(batch["dynamic_mask"].cpu(), world)
        if world is not None:
            metrics["ignored_share"] = 1 - float(world.float().mean())
        self.records.append(metrics)
        return metrics, evaluation_pictures(outputs, truth)

    def _image_metrics(
        self,
        predicted: Float[Tensor, "h w 3"],
        truth: Float[Tensor, "h w 3"],
        mask: Bool[Tensor, "h w"] | None,
        suffix: str,
    ) -> dict[str, float]:
        metrics = {f"psnr{suffix}": psnr(predicted, truth, mask), f"ssim{suffix}": ssim(predicted, truth, mask)}
        lpips = self.lpips()
        if lpips is not None:
            metrics[f"lpips{suffix}"] = lpips(predicted, truth, mask)
        return metrics


def evaluation_pictures(outputs: dict[str, Tensor], truth: Float[Tensor, "h w 3"]) -> dict[str, Tensor]:
    """What ns-eval saves of one image: truth beside drawing, opacity, nearness, and four times the error."""
    predicted, depth = outputs["rgb"].cpu(), outputs["depth"].cpu()
    return {
        "img": torch.cat([truth, predicted], dim=1),
        "accumulation": outputs["accumulation"].cpu().expand(-1, -1, 3),
        "depth": (depth.min() / depth.clamp_min(1e-6)).expand(-1, -1, 3),
        "error": (predicted - truth).abs().mean(-1, keepdim=True).mul(4).clamp(0, 1).expand(-1, -1, 3),
    }


def _share(mask: Bool[Tensor, "h w"], world: Bool[Tensor, "h w"] | None) -> float:
    """Share of the pixels that count."""
    return float((mask if world is None else mask[world]).float().mean())


def summarise(records: list[dict[str, float]]) -> dict[str, float | None]:
    """Mean and standard deviation of every metric over the images where it is defined.

    A metric that no image defines (the dynamic region of a still scene, say) is None, and so is the deviation of fewer
    than two values: JSON has no NaN.
    """
    summary: dict[str, float | None] = {}
    for key in sorted({key for record in records for key in record}):
        values = [record[key] for record in records if key in record and math.isfinite(record[key])]
        summary[key] = sum(values) / len(values) if values else None
        summary[f"{key}_std"] = statistics.stdev(values) if len(values) > 1 else None
    return summary
