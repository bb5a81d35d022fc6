"""4D Gaussians as PLY: the columns every splat viewer reads, then the motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from plyfile import PlyData, PlyElement, PlyParseError

from neoverse_ns.errors import RunError
from neoverse_ns.gaussians.dynamic import DynamicGaussians

_MOTION = (
    [("t_prev", "interval", (0,)), ("t", "interval", (1,)), ("t_next", "interval", (2,))]
    + [(f"velocity_next_{i}", "velocities", (0, i)) for i in range(3)]
    + [(f"velocity_prev_{i}", "velocities", (1, i)) for i in range(3)]
    + [(f"angular_next_{i}", "angular_velocities", (0, i)) for i in range(3)]
    + [(f"angular_prev_{i}", "angular_velocities", (1, i)) for i in range(3)]
)


def write_ply(path: Path, gaussians: DynamicGaussians) -> None:
    """Write all Gaussians, as they stand at their keyframes, in binary little-endian PLY.

    Columns as in the 3D Gaussian Splatting layout (position, normal of zeros, `f_dc_*`, `f_rest_*` channel by channel,
    opacity logit, log-scales, rotation wxyz), then `t_prev, t, t_next`, `velocity_next_*`, `velocity_prev_*`,
    `angular_next_*`, `angular_prev_*`, `life_span` (logit), `keyframe`, `dynamic`.

    Raises:
        OSError: The file cannot be written.
    """
    g = gaussians.to("cpu").detach()
    count = len(g)
    columns: dict[str, NDArray] = {axis: g.means[:, i].numpy() for i, axis in enumerate("xyz")}
    columns |= {f"n{axis}": np.zeros(count, np.float32) for axis in "xyz"}
    columns |= {f"f_dc_{i}": g.sh[:, 0, i].numpy() for i in range(3)}
    rest = g.sh[:, 1:].permute(0, 2, 1).reshape(count, -1)
    columns |= {f"f_rest_{i}": rest[:, i].numpy() for i in range(rest.shape[1])}
    columns["opacity"] = g.opacity_logits.numpy()
    columns |= {f"scale_{i}": g.log_scales[:, i].numpy() for i in range(3)}
    columns |= {f"rot_{i}": g.quats[:, i].numpy() for i in range(4)}
    columns |= {name: getattr(g, field)[(slice(None), *place)].numpy() for name, field, place in _MOTION}
    columns["life_span"] = g.life_span_logits.numpy()
    columns["keyframe"] = g.keyframe.to(torch.int32).numpy()
    columns["dynamic"] = g.dynamic.to(torch.uint8).numpy()
    kinds = {"keyframe": "<i4", "dynamic": "u1"}
    table = np.empty(count, dtype=[(name, kinds.get(name, "<f4")) for name in columns])
    for name, values in columns.items():
        table[name] = values
    PlyData([PlyElement.describe(table, "vertex")], byte_order="<").write(str(path))


def read_ply(path: Path) -> DynamicGaussians:
    """Read what :func:`write_ply` wrote.

    Raises:
        RunError: The file is missing, no PLY, or lacks a column; the message names it.
    """
    try:
        table = PlyData.read(str(path))["vertex"].data
    except (OSError, PlyParseError, KeyError, ValueError) as error:
        raise RunError(f"{path} cannot be read as a PLY of Gaussians ({error})") from error

    def column(*names: str) -> torch.Tensor:
        missing = [name for name in names if name not in (table.dtype.names or ())]
        if missing:
            raise RunError(f"{path} lacks the column '{missing[0]}': it was not written as 4D Gaussians")
        return torch.from_numpy(np.stack([np.asarray(table[name], np.float32) for name in names], axis=-1))

    rest_names = sorted((n for n in table.dtype.names or () if n.startswith("f_rest_")), key=lambda n: int(n[7:]))
    sh = column("f_dc_0", "f_dc_1", "f_dc_2")[:, None]
    if rest_names:
        rest = column(*rest_names).reshape(len(table), 3, -1).permute(0, 2, 1)
        sh = torch.cat([sh, rest], dim=1)
    motion = column(*(name for name, _, _ in _MOTION))
    return DynamicGaussians(
        means=column("x", "y", "z"),
        quats=column(*(f"rot_{i}" for i in range(4))),
        log_scales=column(*(f"scale_{i}" for i in range(3))),
        opacity_logits=column("opacity")[:, 0],
        sh=sh,
        keyframe=column("keyframe")[:, 0].long(),
        interval=motion[:, :3],
        velocities=motion[:, 3:9].reshape(-1, 2, 3),
        angular_velocities=motion[:, 9:].reshape(-1, 2, 3),
        life_span_logits=column("life_span")[:, 0],
        dynamic=column("dynamic")[:, 0] > 0,
    )
