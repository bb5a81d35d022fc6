"""Camera solvers beside ours on the frames of a benchmark clip, compared as our own cameras are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.evaluation.judges.cameras.geometry import compare_cameras
from neoverse_ns.evaluation.judges.cameras.make_task import sample_task
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod
from neoverse_ns.evaluation.methods.solvers.colmap import MAPPINGS, ColmapSolver, import_pycolmap
from neoverse_ns.evaluation.methods.solvers.openmvg import OpenmvgSolver, import_openmvg


def measure_colmap(sample: BenchmarkClip, work: Path, seed: int) -> dict[str, dict[str, Any]]:
    """Solve the sample's frames with COLMAP, incrementally and globally, and compare as our own cameras are compared.

    Args:
        sample: A clip; its frames are taken at the size of the source.
        work: Where frames, features and models are put; emptied before.
        seed: Of everything COLMAP draws. Threads finish in any order, which leaves small differences between runs.

    Returns:
        For each of `MAPPINGS`, as :func:`compare_cameras`, with seconds and peak memory; where no model came out, or a
        mapping is not to be had, "solved" is 0 and "notes" say why.

    Raises:
        PackageError: pycolmap is not installed.
    """
    import_pycolmap()
    shutil.rmtree(work, ignore_errors=True)
    return {name: measure_solver(ColmapSolver(name), sample, work, seed) for name in MAPPINGS}


def measure_openmvg(sample: BenchmarkClip, work: Path, seed: int) -> dict[str, Any] | None:
    """The same with OpenMVG; None where openmvg-rs is not installed."""
    return None if import_openmvg() is None else measure_solver(OpenmvgSolver(), sample, work, seed)


def measure_solver(method: CameraMethod, sample: BenchmarkClip, work: Path, seed: int) -> dict[str, Any]:
    """What one solver makes of the sample.

    Raises:
        PackageError: It is not installed.
    """
    found = method.solve(sample_task(sample, work, seed))
    run: dict[str, Any] = {"frames": len(sample.clip), "peak_gb": found.peak_gb, **found.report}
    if found.seconds:
        run["seconds"] = sum(found.seconds.values())
    if "features and matches" in found.seconds:
        run["matching_seconds"] = found.seconds["features and matches"]
    if found.cameras is None:
        return run | {"solved": 0, "notes": [found.failed]}
    return run | compare_cameras(found.cameras, sample.cameras)
