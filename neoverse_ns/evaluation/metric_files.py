"""Files of weights that metrics need, as the user has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.errors import RunError, WeightsError
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.metrics.by_id import IMAGE_METRICS, ImageMetric, image_metric, missing_weights, weights_file
from neoverse_ns.metrics.vbench.dimensions import DIMENSIONS
from neoverse_ns.weights.digest import sha256_of

FLAGS = {"alexnet": "--lpips-weights", "vgg16": "--vgg-weights"}
"""Where the user says which file it is, by the attribute."""


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

    def check(self, protocol: Protocol) -> None:
        """Let files pass that were given and are what they are given for.

        Raises:
            WeightsError: One is something else; says under which flag.
        """
        for metric in _image_metrics(protocol):
            for name, file in self._given(metric):
                try:
                    self.metric(metric)
                except RunError as error:
                    raise WeightsError(f"{FLAGS[name]} {file}: {error}") from error

    def _given(self, metric: str) -> Iterator[tuple[str, Path]]:
        """The file that was given and that a metric uses, by the attribute's name."""
        used = weights_file(metric, self.alexnet, self.vgg16)
        for name in FLAGS:
            file: Path | None = getattr(self, name)
            if file is not None and file == used:
                yield name, file

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
        lacking = {name: reason.partition(": ")[2] for name, reason in reasons.items() if reason is not None}
        return {name: f"{reason}{_flag(name)}" for name, reason in lacking.items()}


def _flag(metric: str) -> str:
    """How a file that lies elsewhere is named; "" for metrics whose files have no flag."""
    if metric not in IMAGE_METRICS:
        return ""
    return f"; {FLAGS['vgg16' if metric.endswith('-vgg') else 'alexnet']} names one that lies elsewhere"


def _image_metrics(protocol: Protocol) -> list[str]:
    return [metric for metric in protocol.metrics if metric in IMAGE_METRICS]


def _dimensions(protocol: Protocol) -> list[str]:
    return [metric for metric in protocol.metrics if metric in DIMENSIONS]
