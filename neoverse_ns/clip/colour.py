"""What code values mean as light: HDR and wide-gamut pictures brought to SDR BT.709, as an ordinary screen shows them.

Light is relative to the white of an SDR picture: 1 is HDR's reference white of 203 nits (ITU-R BT.2408).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64, UInt8, UInt16

Transfer = Literal["sdr", "hlg", "pq", "linear"]
Primaries = Literal["bt709", "bt2020", "p3", "dci-p3", "adobe-rgb"]

#: Nits of diffuse white in HDR (BT.2408), and of the display that HLG is made for (BT.2100).
REFERENCE_WHITE, _HLG_PEAK = 203.0, 1000.0
# Light up to here stays as it is; what is brighter is bent towards 1, which only infinite light would reach.
_KNEE = 0.85
# Exponent of an SDR display (BT.1886), of BT.2100's HLG system of 1000 nits, and of Adobe RGB (1998).
_SDR_GAMMA, _HLG_GAMMA, _ADOBE_GAMMA = 2.4, 1.2, 563 / 256
_HLG_A = 0.17883277
_HLG_B, _HLG_C = 1 - 4 * _HLG_A, 0.5 - _HLG_A * np.log(4 * _HLG_A)
_PQ_M1, _PQ_M2, _PQ_C1, _PQ_C2, _PQ_C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
_D65, _DCI_WHITE = (0.3127, 0.3290), (0.314, 0.351)
# Chromaticities of red, green, blue and white.
_CORNERS: dict[Primaries, tuple[tuple[float, float], ...]] = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    "p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
    "dci-p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI_WHITE),
    "adobe-rgb": ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060), _D65),
}
# Bradford's cone responses, in which one white is adapted to another.
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class Meaning:
    """How a picture's code values become light.

    Attributes:
        transfer: From code values to light.
        primaries: Colours of the light's red, green and blue.
    """

    transfer: Transfer = "sdr"
    primaries: Primaries = "bt709"

    @property
    def plain(self) -> bool:
        """Whether the values are what a screen expects as they are."""
        return self == Meaning()


def to_sdr(codes: UInt16[np.ndarray, "h w 3"], meaning: Meaning) -> UInt8[np.ndarray, "h w 3"]:
    """Convert full-range code values (65535 is full scale) to SDR BT.709 in 8 bits.

    Colours that BT.709 cannot show lose what is outside of it. Light brighter than SDR's white is bent by :func:`tone`.
    """
    light = _curve(meaning.transfer, meaning.primaries)[codes]
    light = np.maximum(light @ matrix_to_bt709(meaning.primaries).T.astype(np.float32), 0)
    if meaning.transfer != "sdr":
        light = tone(light)
    # Adobe RGB is a photo's: sRGB has nearly its curve, which therefore serves both ways.
    gamma = _ADOBE_GAMMA if meaning.primaries == "adobe-rgb" else _SDR_GAMMA
    encoded = np.minimum(light, 1) ** np.float32(1 / gamma)
    return np.round(encoded * 255).astype(np.uint8)


def tone(light: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """Bring light of any brightness into [0, 1]: unchanged up to a knee, then smoothly bent, hues kept.

    With k the knee and t = (x - k) / (1 - k), the largest channel x becomes k + (1 - k) t / (1 + t): value and slope
    go on unbroken at the knee. The other channels keep their ratio to it.
    """
    largest = light.max(axis=-1, keepdims=True)
    above = np.maximum(largest - _KNEE, 0) / (1 - _KNEE)
    bent = np.where(largest > _KNEE, _KNEE + (1 - _KNEE) * above / (1 + above), largest)
    return (light * (bent / np.maximum(largest, 1e-6))).astype(np.float32)


def hlg_to_scene(code: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Inverse OETF of HLG (BT.2100, table 5): code values to the scene's light, both in [0, 1]."""
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - _HLG_C) / _HLG_A) + _HLG_B) / 12)


def pq_to_nits(code: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """EOTF of PQ (SMPTE ST 2084): code values in [0, 1] to nits."""
    power = code ** (1 / _PQ_M2)
    return 10000 * (np.maximum(power - _PQ_C1, 0) / (_PQ_C2 - _PQ_C3 * power)) ** (1 / _PQ_M1)


@lru_cache(maxsize=8)
def matrix_to_bt709(primaries: Primaries) -> Float64[np.ndarray, "3 3"]:
    """Linear light of these primaries to that of BT.709; whites are adapted, so that grey stays grey."""
    return np.linalg.inv(_to_xyz("bt709")) @ _to_xyz(primaries)


def _to_xyz(primaries: Primaries) -> Float64[np.ndarray, "3 3"]:
    corners = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in _CORNERS[primaries]])
    colours, white = corners[:3].T, corners[3]
    to_xyz = colours * np.linalg.solve(colours, white)
    d65 = np.array([_D65[0] / _D65[1], 1.0, (1 - sum(_D65)) / _D65[1]])
    adaptation = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ d65) / (_BRADFORD @ white)) @ _BRADFORD
    return adaptation @ to_xyz


@lru_cache(maxsize=8)
def _curve(transfer: Transfer, primaries: Primaries) -> Float32[np.ndarray, " 65536"]:
    """Light of every code value."""
    code = np.arange(65536) / 65535
    if transfer == "hlg":
        # BT.2100 raises the luminance to the system gamma; each channel by itself, as SDR cameras and zimg (ffmpeg's
        # zscale) have it, gives the colours of the same scene in SDR: 35 instead of 27 dB on a clip that zscale made.
        light = _HLG_PEAK / REFERENCE_WHITE * hlg_to_scene(code) ** _HLG_GAMMA
    elif transfer == "pq":
        light = pq_to_nits(code) / REFERENCE_WHITE
    elif transfer == "linear":
        light = code
    else:
        light = code ** (_ADOBE_GAMMA if primaries == "adobe-rgb" else _SDR_GAMMA)
    return light.astype(np.float32)
