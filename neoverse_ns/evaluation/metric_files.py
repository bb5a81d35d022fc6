"""Files of weights that metrics need, as the user has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.metrics.by_id import IMAGE_METRICS, ImageMetric, image_metric, missing_weights, weights_file
from neoverse_ns.metrics.vbench.dimensions import DIMENSIONS
from neoverse_ns.weights.digest import sha256_of


@dataclass(frozen=True)
class MetricFiles:
    """Backbones of perceptual distances.

    Attributes:
        alexnet: torchvision's AlexNet; None looks into torch's hub cache.
        vgg16: torchvision's VGG16; likewise.
    """

    alexnet: Path | None = None
    vgg16: Path | None = None

    def metric(self, metric_id: str) -> ImageMetric | None:
        """The image metric of an id; None where its weights are not there.

        Raises:
            SettingsError: There is no such id.
            RunError: A file that was given cannot be used.
        """
        return image_metric(metric_id, self.alexnet, self.vgg16)

    def digests(self, protocol: Protocol) -> dict[str, str]:
        """SHA-256 of the file of every image metric of a protocol that uses one which is there."""
        found = {}
        for metric in _image_metrics(protocol):
            file = weights_file(metric, self.alexnet, self.vgg16)
            if file is not None and file.is_file():
                found[metric] = sha256_of(file)
        for metric in _dimensions(protocol):
            files = [wanted.found() for wanted in DIMENSIONS[metric].wants]
            found |= {f"{metric}: {file.name}": sha256_of(file) for file in files if file is not None}
        return found

    def unmeasured(self, protocol: Protocol) -> dict[str, str]:
        """Metrics of a protocol that cannot be measured, and what is missing; opens no file."""
        reasons = {name: missing_weights(name, self.alexnet, self.vgg16) for name in _image_metrics(protocol)}
        reasons |= {name: DIMENSIONS[name].why_not() for name in _dimensions(protocol)}
        return {name: reason.partition(": ")[2] for name, reason in reasons.items() if reason is not None}


def _image_metrics(protocol: Protocol) -> list[str]:
    return [metric for metric in protocol.metrics if metric in IMAGE_METRICS]


def _dimensions(protocol: Protocol) -> list[str]:
    return [metric for metric in protocol.metrics if metric in DIMENSIONS]
