"""Gaussians of many instants as one USD particle field with time samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neoverse_ns.export.usd.modules import pxr
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.geometry import quaternions

EXTENT_SIGMAS = 3.0


class SplatSamples:
    """A `ParticleField3DGaussianSplat` that gets one instant after the other.

    Every instant has Gaussians of its own, so samples are to be held until the next, not interpolated. USD holds arrays
    whose lengths differ; where two in a row would be equally long, the later gets one that does not show.

    Args:
        stage: A `Usd.Stage`.
        path: Of the prim; its parent turns this package's world.
        degree: Of the spherical harmonics.
    """

    def __init__(self, stage: Any, path: str, degree: int) -> None:
        UsdVol = pxr("UsdVol")
        prim = UsdVol.ParticleField3DGaussianSplat.Define(stage, path)
        prim.CreateProjectionModeHintAttr(UsdVol.Tokens.perspective)
        prim.CreateSortingModeHintAttr(UsdVol.Tokens.zDepth)
        prim.CreateRadianceSphericalHarmonicsDegreeAttr(degree)
        # The schema knows no colour space and converters take linear for granted.
        prim.GetPrim().SetCustomDataByKey("fourdgs:colorSpace", "srgb-rec709-display")
        self._attributes = {
            "positions": prim.CreatePositionsAttr(),
            "orientations": prim.CreateOrientationsAttr(),
            "scales": prim.CreateScalesAttr(),
            "opacities": prim.CreateOpacitiesAttr(),
            "harmonics": prim.CreateRadianceSphericalHarmonicsCoefficientsAttr(),
            "extent": prim.CreateExtentAttr(),
        }
        self._before = -1

    def add(self, now: GaussiansAtTime, code: float) -> None:
        """Write the Gaussians of one instant, in this package's world, at a time code."""
        Vt = pxr("Vt")
        tables = {
            "positions": now.means,
            "orientations": quaternions.normalize(now.quats)[:, [1, 2, 3, 0]],
            "scales": now.scales,
            "opacities": now.opacities,
        }
        arrays = {name: _array(value) for name, value in tables.items()}
        bands = now.sh.shape[1]
        arrays["harmonics"] = _array(now.sh).reshape(-1, 3)
        # Between two that hold nothing there is nothing to interpolate.
        if 0 < len(now.means) == self._before:
            arrays = {
                name: _with_one_more(values, bands if name == "harmonics" else 1) for name, values in arrays.items()
            }
            arrays["opacities"][-1] = 0
        self._before = len(arrays["positions"])
        arrays["extent"] = _extent(arrays["positions"], arrays["scales"])
        for name, values in arrays.items():
            kind = {"orientations": Vt.QuatfArray, "opacities": Vt.FloatArray}.get(name, Vt.Vec3fArray)
            self._attributes[name].Set(kind.FromNumpy(np.ascontiguousarray(values)), code)


def _array(values: torch.Tensor) -> NDArray[np.float32]:
    return values.detach().cpu().to(torch.float32).numpy()


def _with_one_more(values: NDArray, rows: int) -> NDArray:
    """The last `rows` twice."""
    return np.concatenate([values, values[-rows:]])


def _extent(positions: NDArray, scales: NDArray) -> NDArray:
    """Corners [2,3] of a box that holds every Gaussian."""
    if not len(positions):
        return np.zeros((2, 3), np.float32)
    reach = EXTENT_SIGMAS * scales.max(axis=1, keepdims=True)
    return np.stack([(positions - reach).min(axis=0), (positions + reach).max(axis=0)]).astype(np.float32)
