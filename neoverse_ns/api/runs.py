"""Scenes as all that draws and writes takes them, whether just made or from a finished run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.reconstruct.scene import Scene

if TYPE_CHECKING:
    from neoverse_ns.plugin.run import OpenRun

SceneLike = Scene | ExportScene | str | Path
"""A scene, one that was loaded, or a run: its folder or its `config.yml`."""


def load(run: str | Path) -> ExportScene:
    """A finished run of `ns-train`: Gaussians and refined cameras as they stand. Needs nerfstudio.

    Args:
        run: The run's folder, its `config.yml`, or a folder with a saved reconstruction.

    Returns:
        Layers of Gaussians (`gaussians`), cameras of the sampled frames (`cameras`: c2w [n, 4, 4], K [n, 3, 3]), their
        `times` [n] and `seconds` [n], and what the run was made from (`source`, a run's without Gaussians).

    Raises:
        RunError: It is missing, or another method's.
    """
    # The plugin imports nerfstudio, which everything else here does without.
    from neoverse_ns.plugin.open_scene import open_scene

    return open_scene(Path(run).expanduser()).scene


def open_trained(run: Path) -> OpenRun:
    """A finished run of `ns-train` with what trained it: its split, its model, and what that draws. Needs nerfstudio.

    Args:
        run: The run's folder, or its `config.yml`.

    Raises:
        RunError: It is missing, or another method's.
    """
    from neoverse_ns.plugin.run import open_run

    return open_run(run)


def shown(scene: SceneLike, options: DrawOptions | None = None) -> ExportScene:
    """A scene with cameras, times and how it is drawn.

    Args:
        scene: See :data:`SceneLike`.
        options: How it is drawn; None is a run's own way, and the default for others.

    Raises:
        RunError: There is no such run, or a scene without Gaussians.
        SettingsError: A clip was given in a scene's stead.
    """
    if isinstance(scene, (str, Path)):
        path = Path(scene).expanduser()
        if path.is_file() and path.suffix not in (".yml", ".yaml"):
            raise SettingsError(f"{path} is no run: reconstruct the clip first, or give a run's folder")
        scene = load(path)
    if isinstance(scene, ExportScene):
        return scene if options is None else dataclasses.replace(scene, options=options)
    return ExportScene.of(scene, options)
