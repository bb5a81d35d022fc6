"""The whole 4D scene as NumPy arrays: all layers, their motion and the cameras, in plain units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.layers import LAYERS
from neoverse_ns.geometry import quaternions

VERSION = 1
FILE = "scene_4d.npz"

ABOUT = """A 4D scene of Gaussians. Axes: x right, y down, z forward (OpenCV); the first camera is the origin.
Row i stands at time[i] as positions, rotations (wxyz), scales (standard deviations), opacities, colours (RGB).
Where dynamic[i], it exists at times t with time_previous[i] < t < time_next[i]; elsewhere always and unchanged.
side = 0 where t > time[i] (gap = time_next - time), else 1 (gap = time - time_previous); x = |t - time[i]| / gap.
  position = positions[i] + x * velocities[i, side]
  rotation = rotations[i] * quaternion of the rotation vector x * angular_velocities[i, side]
  opacity  = opacities[i] * exp(-gamma * x ** (1 / (1 - life_spans[i] + 1e-6)))
With nearest_only, it exists only up to the middle of each gap.
Layers are drawn one behind the other, by number: what a layer leaves open shows the next. Within one, sort by depth.
camera_to_world and intrinsics (pixels of width x height) belong to frame_times; all times run from 0 (the clip's first
frame) to 1 (its last), frame_seconds are the same in seconds of the source.
"""


def write_motion_npz(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
    """Write `scene_4d.npz`; the entry `about` says what each array is, `layer_names` which layers there are.

    Arrays of n Gaussians, float32 but for `layer` (uint8) and `dynamic` (bool): `positions` [n,3], `rotations` [n,4],
    `scales` [n,3], `opacities` [n], `colours` [n,3], `harmonics` [n,b-1,3] (degrees above 0, none as a rule), `layer`,
    `dynamic`, `time_previous`, `time`, `time_next` [n], `velocities`, `angular_velocities` [n,2,3] (toward the next and
    the previous keyframe), `life_spans` [n]. Then `gamma`, `nearest_only`, `antialiased` (scalars), `frame_times` [f],
    `frame_seconds` [f], `camera_to_world` [f,4,4], `intrinsics` [f,3,3], `width`, `height`, `version`.

    Raises:
        OSError: The file cannot be written.
    """
    path = folder / FILE
    np.savez_compressed(path, **arrays(scene))  # pyright: ignore[reportArgumentType]
    return [path]


def arrays(scene: ExportScene) -> dict[str, NDArray]:
    """Everything :func:`write_motion_npz` writes, by name."""
    g = scene.gaussians.flat().to("cpu").detach()
    numbers = {name: number for number, name in enumerate(LAYERS)}
    layer = np.concatenate([np.full(len(part), numbers[name], np.uint8) for name, part in scene.gaussians.items()])
    cameras, how = scene.cameras, scene.options
    floats = {
        "positions": g.means,
        "rotations": quaternions.normalize(g.quats),
        "scales": g.scales,
        "opacities": g.opacities,
        "colours": (0.5 + SH_C0 * g.sh[:, 0]).clamp_min(0),
        "harmonics": g.sh[:, 1:],
        "time_previous": g.interval[:, 0],
        "time": g.interval[:, 1],
        "time_next": g.interval[:, 2],
        "velocities": g.velocities,
        "angular_velocities": g.angular_velocities,
        "life_spans": g.life_spans,
        "frame_times": scene.times,
        "camera_to_world": cameras.c2w,
        "intrinsics": cameras.K,
    }
    table: dict[str, NDArray] = {name: value.cpu().numpy().astype(np.float32) for name, value in floats.items()}
    return table | {
        "layer": layer,
        "layer_names": np.array(list(LAYERS)),
        "dynamic": g.dynamic.numpy(),
        "frame_seconds": scene.seconds.numpy(),
        "gamma": np.float32(how.gamma),
        "nearest_only": np.bool_(how.nearest_only),
        "antialiased": np.bool_(how.rasterize_mode == "antialiased"),
        "width": np.int32(cameras.width),
        "height": np.int32(cameras.height),
        "version": np.int32(VERSION),
        "about": np.array(ABOUT),
    }
