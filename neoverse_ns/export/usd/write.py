"""The clip as an animated USD scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.export.usd.camera import add_camera
from neoverse_ns.export.usd.splats import SplatSamples
from neoverse_ns.export.usd.stage import CODES_A_SECOND, WORLD, codes_of, open_stage
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at

FILE = "scene.usdc"


def write_usd(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
    """Write `scene.usdc`: `/World/Gaussians`, a time sample for every instant, and `/World/Camera`, the clip's own.

    Time codes count from the clip's first frame: `options.fps` of them a second, or 24 where frames keep their times.

    Returns:
        The file.

    Raises:
        OSError, RunError: It cannot be written.
        SettingsError: There are no such instants.
    """
    path, rate = folder / FILE, options.fps or CODES_A_SECOND
    times = options.instants(scene.times, scene.seconds)
    codes = codes_of([scene.second_at(time) for time in times], rate)
    # Beside the file, which may be open in this process: USD has one layer for one name.
    unfinished = folder / f"unfinished_{FILE}"
    try:
        _fill(open_stage(unfinished, options.up, rate), scene, options, times, codes)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return [path]


def _fill(stage: Any, scene: ExportScene, options: ExportOptions, times: list[float], codes: list[float]) -> None:
    """Everything there is, and save it."""
    stage.SetStartTimeCode(codes[0])
    stage.SetEndTimeCode(codes[-1])
    views = [camera_at(scene.cameras, scene.times, time) for time in times]
    c2w, K = torch.cat([view.c2w for view in views]), torch.cat([view.K for view in views])
    add_camera(stage, f"{WORLD}/Camera", PinholeCameras(c2w, K, views[0].width, views[0].height), codes)
    samples = SplatSamples(stage, f"{WORLD}/Gaussians", scene.gaussians.frames.sh_degree)
    for code, (_, now) in zip(codes, scene.instants(options, "sampling instants for USD"), strict=True):
        samples.add(now, code)
    stage.Save()
