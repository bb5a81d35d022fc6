"""A scene drawn along a trajectory."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import torch

from neoverse_ns.api.paths import bound
from neoverse_ns.api.runs import SceneLike, shown
from neoverse_ns.console import progress
from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.ffmpeg import provide_ffmpeg
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.rasterize.drawing import Drawing, DrawOptions
from neoverse_ns.render.pictures import colours
from neoverse_ns.render.writers import check_place, open_writer
from neoverse_ns.trajectory.options import DEFAULT_FPS
from neoverse_ns.trajectory.trajectory import Trajectory


def render(
    scene: SceneLike,
    trajectory: Trajectory | str | None = None,
    output: str | Path | None = None,
    *,
    fps: float | None = None,
    draw_options: DrawOptions | None = None,
) -> Drawing:
    """Draw a scene along a trajectory: what `ns-neoverse render` draws.

    All frames are held in memory, 20 bytes a pixel; :func:`neoverse_ns.render.along.draw_along` gives one after the
    other, and :func:`neoverse_ns.render.film.film` writes them with depth, opacity, or the input beside them.

    Args:
        scene: As reconstructed, optimised or loaded, or a run's folder.
        trajectory: One, a name of one as :func:`neoverse_ns.api.trajectory` takes it, or None for the clip's own
            cameras and times.
        output: A video to write, such as `out.mp4`, or, without an ending, a folder of PNGs.
        fps: Frames per second of the video, instead of the trajectory's own, or 16.
        draw_options: How the scene is drawn, where it was optimised for other than the default.

    Returns:
        On the CPU: `rgb` [n, h, w, 3] over black, not clamped, `depth` [n, h, w, 1] along the optical axis in world
        units, `alpha` [n, h, w, 1].

    Raises:
        SettingsError: There is no such trajectory, it has no frame, or `output` is no video's name.
        RunError: The scene cannot be loaded, or the video not be written.
    """
    target = None if output is None else _checked(Path(output).expanduser())
    found = shown(scene, draw_options)
    along = follow(found, trajectory)
    cameras, rate = along.cameras, fps or along.fps or DEFAULT_FPS
    frames, black = [], torch.zeros(3)
    with ExitStack() as stack:
        writer = None
        if target is not None:
            writer = stack.enter_context(open_writer(target, cameras.width, cameras.height, rate))
        steps = stack.enter_context(progress(f"drawing {len(along)} frames", len(along)))
        for view in views_along(found.gaussians, cameras, along.times.clamp(0, 1), found.options):
            frames.append(view.drawing.cpu())
            if writer is not None:
                writer.add(colours(view, black))
            steps.advance()
    return Drawing(
        torch.cat([frame.rgb for frame in frames]),
        torch.cat([frame.depth for frame in frames]),
        torch.cat([frame.alpha for frame in frames]),
    )


def follow(scene: ExportScene, path: Trajectory | str | None) -> Trajectory:
    """A trajectory through a scene, however it was given.

    Raises:
        SettingsError: There is no such trajectory, or it has no frame.
    """
    if path is None:
        path = Trajectory(scene.cameras, scene.times)
    elif isinstance(path, str):
        path = bound(scene, path)
    if len(path) == 0:
        raise SettingsError("the trajectory holds no frame: give it at least one")
    return path


def _checked(output: Path) -> Path:
    provide_ffmpeg()
    check_place(output)
    return output
