"""Gaussians as PLY: one instant as every splat viewer reads it, or a whole 4D scene with its motion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from plyfile import PlyData, PlyElement
from torch import Tensor

from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.layers import LAYERS, LayeredGaussians

Columns = dict[str, NDArray]
"""Values of every Gaussian by property name, in the order of the file."""

_MOTION = (
    [("t_prev", "interval", (0,)), ("t", "interval", (1,)), ("t_next", "interval", (2,))]
    + [(f"velocity_next_{i}", "velocities", (0, i)) for i in range(3)]
    + [(f"velocity_prev_{i}", "velocities", (1, i)) for i in range(3)]
    + [(f"angular_next_{i}", "angular_velocities", (0, i)) for i in range(3)]
    + [(f"angular_prev_{i}", "angular_velocities", (1, i)) for i in range(3)]
)
_MOST_OPAQUE = 1 - 1e-6
"""Opacity has a finite logit up to here."""


def write_instant(path: Path, now: GaussiansAtTime, comments: Sequence[str] = (), normals: bool = True) -> None:
    """Write ordinary Gaussians in the layout of 3D Gaussian Splatting, binary little-endian float32.

    Columns: position, normal of zeros, `f_dc_*`, `f_rest_*` channel by channel, opacity logit, log-scales, unit
    rotation wxyz.

    Args:
        path: The file.
        now: See :mod:`neoverse_ns.export.instant` for one that draws as the layers do.
        comments: Lines for the header.
        normals: Some old readers count on them; a seventh of the file.

    Raises:
        OSError: The file cannot be written.
    """
    logits = opacity_logits(now.opacities)
    quats = torch.nn.functional.normalize(now.quats, dim=-1)
    _write(path, _splat_columns(now.means, now.sh, logits, now.scales.log(), quats, normals), comments)


def write_motion(path: Path, scene: LayeredGaussians) -> None:
    """Write all Gaussians of all keyframes and layers, as they stand at their keyframes.

    The columns of :func:`write_instant` (rotations as they are optimised, not of unit length), then
    `t_prev, t, t_next`, `velocity_next_*`, `velocity_prev_*`, `angular_next_*`, `angular_prev_*`, `life_span` (logit),
    `keyframe`, `dynamic`, and `layer`, whose numbers the header explains.

    Raises:
        OSError: The file cannot be written.
    """
    g = scene.flat().to("cpu").detach()
    columns = _splat_columns(g.means, g.sh, g.opacity_logits, g.log_scales, g.quats)
    columns |= {name: getattr(g, field)[(slice(None), *place)].numpy() for name, field, place in _MOTION}
    columns["life_span"] = g.life_span_logits.numpy()
    columns["keyframe"] = g.keyframe.to(torch.int32).numpy()
    columns["dynamic"] = g.dynamic.to(torch.uint8).numpy()
    numbers = {name: number for number, name in enumerate(LAYERS)}
    columns["layer"] = np.concatenate([np.full(len(layer), numbers[name], np.uint8) for name, layer in scene.items()])
    comments = [
        "a 4D scene: the Gaussians of all keyframes and layers, with their motion",
        "splat viewers show all of them at once, which is wrong: give them a file of one instant",
        *(f"layer {numbers[name]} {name}: {kind.meaning}" for name, kind in LAYERS.items()),
    ]
    _write(path, columns, comments)


def opacity_logits(opacities: Float[Tensor, " m"]) -> Float[Tensor, " m"]:
    """Logits that stay finite where something is fully opaque or not there at all."""
    return torch.logit(opacities.clamp(1 - _MOST_OPAQUE, _MOST_OPAQUE))


def _splat_columns(
    means: Float[Tensor, "n 3"],
    sh: Float[Tensor, "n b 3"],
    opacity_logits: Float[Tensor, " n"],
    log_scales: Float[Tensor, "n 3"],
    quats: Float[Tensor, "n 4"],
    normals: bool = True,
) -> Columns:
    rest = sh[:, 1:].permute(0, 2, 1).flatten(1)
    tables = {"": means} | ({"n": torch.zeros_like(means)} if normals else {})
    tables |= {"f_dc_": sh[:, 0], "f_rest_": rest}
    tables |= {"opacity": opacity_logits[:, None], "scale_": log_scales, "rot_": quats}
    columns: Columns = {}
    for prefix, table in tables.items():
        values = table.detach().cpu().numpy()
        names = {"": "xyz", "n": ("nx", "ny", "nz"), "opacity": ("opacity",)}.get(prefix)
        names = names or [f"{prefix}{i}" for i in range(values.shape[1])]
        columns |= {name: values[:, i] for i, name in enumerate(names)}
    return columns


def _write(path: Path, columns: Columns, comments: Sequence[str]) -> None:
    kinds = {"i": "<i4", "u": "u1"}
    count = len(next(iter(columns.values())))
    table = np.empty(count, dtype=[(name, kinds.get(values.dtype.kind, "<f4")) for name, values in columns.items()])
    for name, values in columns.items():
        table[name] = values
    PlyData([PlyElement.describe(table, "vertex")], byte_order="<", comments=list(comments)).write(str(path))
