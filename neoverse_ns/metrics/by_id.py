"""Image metrics by the ids that protocols are written in."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.metrics.dycheck_ssim import dycheck_ssim
from neoverse_ns.metrics.image import psnr, ssim
from neoverse_ns.metrics.lpips import LPIPS, load_lpips
from neoverse_ns.metrics.perceptual import ALEXNET, VGG16, Backbone
from neoverse_ns.metrics.pixels import rounded
from neoverse_ns.metrics.ssim_window import Window, masked_windowed_ssim, windowed_ssim

Measure = Callable[[Float[Tensor, "h w 3"], Float[Tensor, "h w 3"], Bool[Tensor, "h w"] | None], float]
"""What is shown, the truth, and the pixels that count (None: all); NaN where there are none."""


@dataclass(frozen=True)
class ImageMetric:
    """A metric of one picture against another.

    Attributes:
        id: As in protocols.
        measure: Computes it, of RGB in [0, 1]; infinite where a distance in dB is asked for of equal pictures.
        quantised: What is shown is rounded to 8 bits first, by `measure` itself.
        masked: It looks at the pixels that count alone; others ignore the mask.
        better: "more" or "less": which of two values is the better one.
        title: For tables.
    """

    id: str
    measure: Measure
    quantised: bool
    masked: bool
    better: str
    title: str


@dataclass(frozen=True)
class _Kind:
    """A metric before its weights are known."""

    title: str
    plain: Measure | None = None
    backbone: Backbone | None = None
    perceptual: Callable[[LPIPS], Measure] | None = None
    quantised: bool = False
    masked: bool = False

    @property
    def better(self) -> str:
        return "more" if self.backbone is None else "less"


def _plain_psnr(a: Tensor, b: Tensor, mask: Tensor | None) -> float:
    return psnr(a.clamp(0, 1), b, mask)


def _windowed(window: Window, data_range: float = 1.0, sample: bool = True) -> Measure:
    return lambda a, b, mask: windowed_ssim(a, b, window, data_range, sample)


def _masked_windowed(data_range: float) -> Measure:
    def measure(a: Tensor, b: Tensor, mask: Tensor | None) -> float:
        everything = torch.ones(a.shape[:2], dtype=torch.bool, device=a.device)
        return masked_windowed_ssim(a, b, everything if mask is None else mask, "uniform", data_range)

    return measure


def _by_layers(lpips: LPIPS) -> Measure:
    return lambda a, b, mask: lpips(a, b) if mask is None else lpips.by_layers(a, b, mask)


def _spatial(lpips: LPIPS) -> Measure:
    def measure(a: Tensor, b: Tensor, mask: Tensor | None) -> float:
        # Without a mask, too, the mean is over the maps brought to the picture's size.
        return lpips(a, b, torch.ones(a.shape[:2], dtype=torch.bool, device=a.device) if mask is None else mask)

    return measure


_KINDS = {
    "psnr": _Kind("PSNR", _plain_psnr),
    "mpsnr": _Kind("mPSNR", _plain_psnr, quantised=True, masked=True),
    "ssim-tm": _Kind("SSIM (torchmetrics)", lambda a, b, mask: ssim(a, b)),
    "ssim-tm-valid": _Kind("SSIM (torchmetrics, whole windows)", _windowed("gaussian", sample=False)),
    "ssim-sk11": _Kind("SSIM (11 px)", _windowed("gaussian")),
    "ssim-sk7": _Kind("SSIM (7 px)", _windowed("uniform")),
    "ssim-sk7-range2": _Kind("SSIM (7 px, range 2)", _windowed("uniform", 2.0)),
    "mssim-sk7": _Kind("mSSIM (7 px)", _masked_windowed(1.0), masked=True),
    "mssim-sk7-range2": _Kind("mSSIM (7 px, range 2)", _masked_windowed(2.0), masked=True),
    "mssim": _Kind("mSSIM", dycheck_ssim, quantised=True, masked=True),
    "lpips-alex": _Kind("LPIPS (AlexNet)", backbone=ALEXNET, perceptual=lambda lpips: lambda a, b, mask: lpips(a, b)),
    "lpips-vgg": _Kind("LPIPS (VGG)", backbone=VGG16, perceptual=lambda lpips: lambda a, b, mask: lpips(a, b)),
    "lpips-nsff": _Kind("LPIPS (AlexNet, by layers)", backbone=ALEXNET, perceptual=_by_layers, masked=True),
    "mlpips": _Kind("mLPIPS", backbone=ALEXNET, perceptual=_spatial, quantised=True, masked=True),
}

IMAGE_METRICS = tuple(_KINDS)
"""All ids."""


def image_metric(metric_id: str, alexnet: Path | None = None, vgg16: Path | None = None) -> ImageMetric | None:
    """The metric of an id; None where its weights are not there: it is "not measured", never measured otherwise.

    - `psnr` (cut to [0, 1]) and `mpsnr`, the same inside the mask: :func:`neoverse_ns.metrics.image.psnr`.
    - `ssim-tm`: :func:`neoverse_ns.metrics.image.ssim`, borders mirrored; `ssim-tm-valid` leaves them out.
    - `ssim-sk11`, `ssim-sk7` (8-bit pictures with a range of 255 or the same in [0, 1] with 1) and `ssim-sk7-range2`:
      :func:`neoverse_ns.metrics.ssim_window.windowed_ssim`; with `m` in front, mean of its map inside the mask.
    - `mssim`: :func:`neoverse_ns.metrics.dycheck_ssim.dycheck_ssim`, but NaN where the mask is empty.
    - `lpips-alex`, `lpips-vgg`, `mlpips`: :class:`neoverse_ns.metrics.lpips.LPIPS`; `lpips-nsff` its `by_layers`.

    Args:
        metric_id: One of `IMAGE_METRICS`.
        alexnet: torchvision's AlexNet; None looks into torch's hub cache.
        vgg16: torchvision's VGG16; likewise.

    Raises:
        SettingsError: There is no such id.
        RunError: A file of weights was given and cannot be used.
    """
    kind = _kind(metric_id)
    measure = kind.plain
    if kind.backbone is not None and kind.perceptual is not None:
        lpips = load_lpips(alexnet if kind.backbone is ALEXNET else vgg16, kind.backbone)
        measure = None if lpips is None else kind.perceptual(lpips)
    if measure is None:
        return None
    return ImageMetric(metric_id, _guarded(measure, kind), kind.quantised, kind.masked, kind.better, kind.title)


def missing_weights(metric_id: str, alexnet: Path | None = None, vgg16: Path | None = None) -> str | None:
    """What a metric lacks here, a sentence; None where it lacks nothing. Opens no file.

    Raises:
        SettingsError: There is no such id.
    """
    backbone, file = _kind(metric_id).backbone, weights_file(metric_id, alexnet, vgg16)
    if backbone is None or file is None or file.is_file():
        return None
    where = f"not at {file}; it can be had at https://download.pytorch.org/models/{backbone.hub_file}"
    return f"{metric_id} is not measured: torchvision's {backbone.name} is {where}"


def weights_file(metric_id: str, alexnet: Path | None = None, vgg16: Path | None = None) -> Path | None:
    """The file whose weights a metric uses, whether or not it is there; None of a metric that needs none.

    Raises:
        SettingsError: There is no such id.
    """
    backbone = _kind(metric_id).backbone
    if backbone is None:
        return None
    given = alexnet if backbone is ALEXNET else vgg16
    return given or Path(torch.hub.get_dir()) / "checkpoints" / backbone.hub_file


def _kind(metric_id: str) -> _Kind:
    if metric_id not in _KINDS:
        raise SettingsError(f"no image metric '{metric_id}'; there are {', '.join(_KINDS)}")
    return _KINDS[metric_id]


def _guarded(measure: Measure, kind: _Kind) -> Measure:
    """Masks reach those alone that look at them, and none of those an empty one."""

    def guarded(a: Tensor, b: Tensor, mask: Tensor | None = None) -> float:
        if kind.masked and mask is not None and not bool(mask.any()):
            return math.nan
        return measure(rounded(a) if kind.quantised else a, b, mask if kind.masked else None)

    return guarded
