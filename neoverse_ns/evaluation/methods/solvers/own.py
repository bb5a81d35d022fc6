"""Our own reconstructors as camera solvers."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

from neoverse_ns.evaluation.judges.cameras.task import CameraMethod, CamerasFound, CameraTask
from neoverse_ns.evaluation.methods.ours_check import check_reconstructor
from neoverse_ns.evaluation.results.memory import PeakMemory
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.solve import solve_geometry
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.registry import beyond_settings, get_reconstructor
from neoverse_ns.reconstruct.split import FrameSplit, split_frames


class BundleSolver(CameraMethod):
    """Optical flow, two-view geometry and dense bundle adjustment: cameras and depth, without lifting Gaussians."""

    name = solver = "bundle"

    def __init__(self, config: BundleConfig | None = None) -> None:
        self._config = config or BundleConfig()

    def solve(self, task: CameraTask) -> CamerasFound:
        config = self._config
        if task.known_K is not None:
            half = task.clip.width / (2 * float(task.known_K[0, 0]))
            config = dataclasses.replace(config, fov_degrees=2 * math.degrees(math.atan(half)))
        with PeakMemory() as memory:
            started = time.perf_counter()
            split = _all_frames(task)
            geometry = solve_geometry(task.clip, split, config).geometry
            seconds = time.perf_counter() - started
        return CamerasFound(geometry.cameras, {"solve": seconds}, memory.peak_gb, geometry.report, geometry=geometry)

    def settings(self) -> dict[str, Any]:
        return {"bundle": _plain(self._config)}


class ReconstructorSolver(CameraMethod):
    """A family of reconstructors by its name: the network, Depth Anything 3."""

    def __init__(self, config: SceneConfig) -> None:
        self._config = config
        self.name = self.solver = config.reconstructor

    def check(self) -> None:
        """Let it pass where its weights are there.

        Raises:
            WeightsError: They cannot be had.
        """
        check_reconstructor(self._config)

    def solve(self, task: CameraTask) -> CamerasFound:
        with PeakMemory() as memory:
            started = time.perf_counter()
            split = _all_frames(task)
            geometry = get_reconstructor(self._config).reconstruct(task.clip, split).geometry
            seconds = time.perf_counter() - started
        return CamerasFound(
            geometry.cameras, {"reconstruct": seconds}, memory.peak_gb, geometry.report, geometry=geometry
        )

    def settings(self) -> dict[str, Any]:
        part = getattr(self._config, self.name, None)
        return {self.name: _plain(part), "weights": beyond_settings(self._config)}


def _all_frames(task: CameraTask) -> FrameSplit:
    """Nothing is held out."""
    return split_frames(len(task.clip), len(task.clip) if task.every_depth else None, held_out_every=0)


def _plain(config: Any) -> dict[str, Any]:
    """A dataclass's settings that differ from the defaults, as text where JSON has nothing for them."""
    if config is None:
        return {}
    default = type(config)()
    pairs = ((one.name, getattr(config, one.name)) for one in dataclasses.fields(config))
    return {
        name: value if isinstance(value, (bool, int, float, str)) else repr(value)
        for name, value in pairs
        if value != getattr(default, name)
    }
