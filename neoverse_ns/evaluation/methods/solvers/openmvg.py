"""OpenMVG (Moulon et al., 2016), as its Rust port openmvg-rs; where it is installed."""

from __future__ import annotations

import importlib
import shutil
import time
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from neoverse_ns.clip.images import images_in
from neoverse_ns.errors import PackageError
from neoverse_ns.evaluation.data.clips.folder import scale_intrinsics
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod, CamerasFound, CameraTask
from neoverse_ns.evaluation.results.memory import PeakMemory
from neoverse_ns.evaluation.results.provenance import version_of
from neoverse_ns.geometry.cameras import PinholeCameras


class OpenmvgSolver(CameraMethod):
    """Its incremental engine, with its own features and matches."""

    name = solver = "openmvg"
    repeats = False

    def check(self) -> None:
        """Let it pass where openmvg-rs is installed.

        Raises:
            PackageError: It is not.
        """
        _imported()

    def settings(self) -> dict[str, Any]:
        """Version and what is not at its default.

        Raises:
            PackageError: It is not installed.
        """
        _imported()
        return {"openmvg-rs": version_of("openmvg-rs"), "engine": "incremental"}

    def solve(self, task: CameraTask) -> CamerasFound:
        openmvg = _imported()
        work = task.work / self.name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        images = task.write(work / "images")
        failure = None
        with PeakMemory() as memory:
            started = time.perf_counter()
            try:
                views = openmvg.reconstruct(images, seed=task.seed, progress=False).views
            except openmvg.OpenMVGError as error:
                views, failure = (), error
            seconds = {"reconstruct": time.perf_counter() - started}
        if not views:
            return CamerasFound(None, seconds, memory.peak_gb, {}, f"no model: {failure or 'no frame was placed'}")
        names = [image.name for image in images_in(images)]
        cameras = _cameras(views, names, (task.clip.width, task.clip.height))
        return CamerasFound(cameras, seconds, memory.peak_gb)


def import_openmvg() -> ModuleType | None:
    """The optional dependency, or None."""
    try:
        # By name, as type checkers must pass without it.
        return importlib.import_module("openmvg_rs")
    except ImportError:
        return None


def describe_openmvg(seed: int) -> str:
    """What the table says about these numbers."""
    if import_openmvg() is None:
        return "not installed (openmvg-rs)"
    return (
        f"openmvg-rs {version_of('openmvg-rs')}, seed {seed}: incremental engine with its own features and "
        "matches; frames at source resolution; all cores; every other option at its default"
    )


def _imported() -> ModuleType:
    found = import_openmvg()
    if found is None:
        raise PackageError("openmvg-rs is not installed: pip install openmvg-rs (Python 3.11), or leave openmvg out")
    return found


def _cameras(views: tuple[Any, ...], names: list[str], size: tuple[int, int]) -> PinholeCameras:
    """The views' cameras in the frames' order and brought to the clip's size; NaN for frames that have none."""
    c2w = torch.full((len(names), 4, 4), torch.nan, dtype=torch.float64)
    K = torch.eye(3, dtype=torch.float64).repeat(len(names), 1, 1)
    for view in views:
        place = names.index(view.image.name)
        rotation: Tensor = torch.tensor(view.pose.rotation, dtype=torch.float64)
        c2w[place] = torch.eye(4, dtype=torch.float64)
        c2w[place, :3, :3] = rotation.T
        c2w[place, :3, 3] = torch.tensor(view.pose.center, dtype=torch.float64)
        intrinsics = torch.tensor(view.camera.matrix, dtype=torch.float64)
        # Its pixel centres are whole numbers.
        intrinsics[:2, 2] += 0.5
        K[place] = scale_intrinsics(intrinsics[None], (view.camera.width, view.camera.height), size)[0]
    return PinholeCameras(c2w, K, *size)
