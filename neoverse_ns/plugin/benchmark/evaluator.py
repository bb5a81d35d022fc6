"""A protocol's own metrics, target by target, for ns-eval."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neoverse_ns.evaluation.judges.views.targets import judged
from neoverse_ns.metrics.by_id import ImageMetric, image_metric, missing_weights
from neoverse_ns.plugin.benchmark.targets import RunTargets
from neoverse_ns.plugin.evaluation import evaluation_pictures


class TargetEvaluator:
    """Measures what is shown of targets by the metrics that their protocol names; nothing takes the place of others.

    Args:
        targets: Of the run.
        alexnet: See :func:`neoverse_ns.metrics.by_id.image_metric`.
        vgg16: Likewise.
    """

    def __init__(self, targets: RunTargets, alexnet: Path | None = None, vgg16: Path | None = None) -> None:
        self.targets = targets
        self.records: list[dict[str, float]] = []
        self._weights = {"alexnet": alexnet, "vgg16": vgg16}
        self._metrics: list[ImageMetric] | None = None
        self._reasons: dict[str, list[str]] = {}

    @property
    def metrics(self) -> list[ImageMetric]:
        """Those that can be measured here; weights are read at first use."""
        if self._metrics is None:
            found = [image_metric(name, **self._weights) for name in self.targets.metrics]
            self._metrics = [metric for metric in found if metric is not None]
        return self._metrics

    def not_measured(self) -> list[str]:
        """What the protocol asks for and cannot be measured here, a sentence each."""
        known = {metric.id for metric in self.metrics}
        missing = [name for name in self.targets.metrics if name not in known]
        return [missing_weights(name, **self._weights) or f"{name} is not measured" for name in missing]

    @torch.no_grad()
    def evaluate(self, outputs: dict[str, Tensor], batch: dict[str, Any]) -> tuple[dict[str, float], dict[str, Tensor]]:
        """Values by id, NaN where there is none; and pictures.

        Args:
            outputs: `rgb` [h, w, 3] in [0, 1], `accumulation` [h, w, 1], `depth` [h, w, 1], as shown.
            batch: `image` [h, w, 3]; `target`, its position among all; `target_mask` [h, w] of the pixels that count,
                where not all do.
        """
        # Pictures are shown in 8 bits, as ns-neoverse evaluate sees them.
        shown = (outputs["rgb"].cpu().float().clamp(0, 1) * 255).round().to(torch.uint8)
        truth = batch["image"].cpu().float()[..., :3]
        mask = batch["target_mask"].cpu() if "target_mask" in batch else None
        name = self.targets.targets[int(batch["target"])].name
        found, self._reasons[name] = judged(
            self.metrics, self.targets.mask, name, shown, (truth * 255).round().to(torch.uint8), mask
        )
        values = {metric.id: found.get(metric.id, math.nan) for metric in self.metrics}
        # A copy: nerfstudio writes speeds into what it is given.
        self.records.append(dict(values))
        return values, evaluation_pictures(outputs, truth)

    def facts(self) -> dict[str, Any]:
        """What a reader needs to know of the values since the records were emptied."""
        targets = self.targets
        return {
            "protocol": targets.alias,
            "protocol_id": targets.id,
            "protocol_note": targets.note,
            "benchmark_scene": targets.scene,
            "inputs": list(targets.inputs),
            "num_targets": len(targets.targets),
            "counted": counted(self.records, len(targets.targets)),
            "skipped": [*targets.skipped, *self.not_measured(), *itertools.chain(*self._reasons.values())],
            "per_image": [
                {"name": target.name}
                | {name: value if math.isfinite(value) else None for name, value in record.items()}
                for target, record in zip(targets.targets, self.records, strict=True)
            ],
        }


def counted(records: list[dict[str, float]], attempted: int) -> dict[str, str]:
    """Of how many targets each mean is, as `64 of 64`."""
    names = sorted({name for record in records for name in record})
    return {
        name: f"{sum(math.isfinite(record.get(name, math.nan)) for record in records)} of {attempted}" for name in names
    }
