"""One instant as SPZ, Niantic's compressed splats, through gsply."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path

from torch import Tensor

from neoverse_ns.export.axes import turned
from neoverse_ns.export.gaussian_ply import opacity_logits
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry import quaternions

_POSITION_BITS, _MOST_FRACTION = 23, 20
"""Positions are signed fixed-point numbers of 24 bits in all."""


def write_spz_instant(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
    """Write `gaussians.spz`, the instant asked for, with y up, as the format has it.

    Colours, opacities and scales are bytes there, rotations four of them, positions fixed-point numbers as fine as the
    farthest Gaussian lets them be.

    Raises:
        OSError: The file cannot be written.
        SettingsError: There is no such instant.
        RunError: Nothing is visible then.
    """
    # By name, because it is in no extra of this package.
    gsply = import_module("gsply")
    now = turned(scene.visible_instant(options.among(scene.times), options.max_gaussians), "y")
    path = folder / "gaussians.spz"
    table = {
        "means": now.means,
        "scales": now.scales.log(),
        "quats": quaternions.normalize(now.quats),
        "opacities": opacity_logits(now.opacities),
        "sh0": now.sh[:, 0],
        "shN": now.sh[:, 1:],
    }
    data = gsply.GSData(**{name: value.cpu().contiguous().numpy() for name, value in table.items()})
    gsply.write_spz(path, data, fractional_bits=_fraction_bits(now.means))
    _forget_when(path)
    return [path]


def _forget_when(path: Path) -> None:
    """Clear the time in the header of the gzip file that this is, so that one scene gives one file."""
    with path.open("r+b") as file:
        if file.read(2) == b"\x1f\x8b":
            file.seek(4)
            file.write(bytes(4))


def _fraction_bits(means: Tensor) -> int:
    """As many as leave room for the largest coordinate."""
    largest = float(means.abs().max()) if len(means) else 1.0
    # One more than the bits before the point: rounding must not step over.
    before = math.floor(math.log2(max(largest, 2.0**-10))) + 1
    return min(max(_POSITION_BITS - before, 1), _MOST_FRACTION)
