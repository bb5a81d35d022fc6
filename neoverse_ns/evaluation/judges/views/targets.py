"""What is shown of a target, against the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkScene, Known
from neoverse_ns.evaluation.judges.views.sizes import framed_mask, framed_picture, framing_for
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.metrics.by_id import ImageMetric, image_metric, missing_weights
from neoverse_ns.metrics.pixels import without_black

MASKS: dict[str, tuple[Known, ...]] = {
    "plain": (),
    "covis": ("covis",),
    "alpha": ("valid",),
    "dyn": ("dynamic",),
    "static": ("dynamic",),
}
"""What a protocol's word for the pixels that count reads: all of these must hold, and the first must be there; of
`static` the contrary."""
SEEN = "-seen"
"""Behind such a word: both pictures are black where the shown one is, of `plain-seen` those pixels do not count;
see :func:`neoverse_ns.metrics.pixels.without_black`."""


def judged(
    metrics: Sequence[ImageMetric],
    word: str,
    name: str,
    shown: UInt8[Tensor, "h w 3"],
    truth: UInt8[Tensor, "h w 3"],
    mask: Bool[Tensor, "h w"] | None,
) -> tuple[dict[str, float], list[str]]:
    """Metrics of one target as a protocol wants them: by this alone views are judged, in whatever command.

    Args:
        metrics: What is measured.
        word: The protocol's, for the pixels that count.
        name: Of the target, for the reasons.
        shown: What is shown of it.
        truth: What its camera saw.
        mask: The pixels that count; None where there is no mask.

    Returns:
        Finite values by id, and why others are not among them, a sentence each.
    """
    kind = word.removesuffix(SEEN)
    if mask is None and kind != "plain":
        return {}, [f"{name}: it has no mask '{kind}'"]
    first, second = shown.float() / 255, truth.float() / 255
    if kind != word:
        first, second, seen = without_black(first, second)
        mask = seen if mask is None else mask
    values: dict[str, float] = {}
    reasons: list[str] = []
    for metric in metrics:
        value = metric.measure(first, second, mask)
        if math.isfinite(value):
            values[metric.id] = value
        elif math.isinf(value):
            reasons.append(f"{name}: {metric.id} is infinite, what is shown being the truth itself")
        else:
            reasons.append(f"{name}: {metric.id} has no pixel that counts")
    return values, reasons


@dataclass
class TargetJudge:
    """Measures pictures of a scene's targets, one target in memory at a time.

    Attributes:
        protocol: What is measured.
        scene: Where.
        alexnet: File with torchvision's AlexNet, for LPIPS.
        vgg16: File with torchvision's VGG-16.
        skipped: Why values are missing, a sentence each.
    """

    protocol: Protocol
    scene: BenchmarkScene
    alexnet: Path | None = None
    vgg16: Path | None = None
    skipped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Raises SettingsError where the protocol's mask or a metric is none."""
        self._word = self.protocol.mask.removesuffix(SEEN)
        if self._word not in MASKS:
            raise SettingsError(f"views cannot be judged on '{self.protocol.mask}': use {', '.join(MASKS)}")
        self._metrics: dict[str, ImageMetric] = {}
        for name in self.protocol.metrics:
            metric = image_metric(name, alexnet=self.alexnet, vgg16=self.vgg16)
            if metric is None:
                why = missing_weights(name, alexnet=self.alexnet, vgg16=self.vgg16)
                self.skipped.append(why or f"{name} is not measured")
            else:
                self._metrics[name] = metric

    @property
    def measured(self) -> list[str]:
        """Ids of what can be measured here, in the protocol's order."""
        return list(self._metrics)

    def measure(self, frame: BenchmarkFrame, shown: UInt8[Tensor, "h w 3"]) -> dict[str, float]:
        """Every metric that can be measured and is finite; what is not is told in `skipped`.

        Args:
            frame: The target.
            shown: What a method shows, at the size that is judged.

        Raises:
            ClipError: What is shown has another size than the truth.
        """
        try:
            truth, mask = self.truth(frame)
        except ClipError as error:
            # One damaged file must not cost the scene its other values.
            self.skipped.append(f"{frame.name}: {error}")
            return {}
        if shown.shape != truth.shape:
            sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in (shown, truth)]
            raise ClipError(f"{frame.name}: what is shown has {sizes[0]} pixels, the truth {sizes[1]}")
        values, reasons = judged(list(self._metrics.values()), self.protocol.mask, frame.name, shown, truth, mask)
        self.skipped += reasons
        return values

    def truth(self, frame: BenchmarkFrame) -> tuple[UInt8[Tensor, "h w 3"], Bool[Tensor, "h w"] | None]:
        """A target's picture at the size that is judged, and the pixels that count; None for all, or no mask there."""
        wanted = MASKS[self._word]
        pixels = self.scene.read(frame, "rgb", *wanted)
        if pixels.rgb is None:
            raise ClipError(f"{self.scene.name}: {frame.name} has no picture")
        framing = framing_for(self.protocol.size, frame.width, frame.height)
        masks = [framed_mask(framing, pixels.masks[name]) for name in wanted if name in pixels.masks]
        picture = framed_picture(framing, pixels.rgb)
        if not wanted or wanted[0] not in pixels.masks:
            return picture, None
        mask = torch.stack(masks).all(0)
        return picture, ~mask if self._word == "static" else mask
