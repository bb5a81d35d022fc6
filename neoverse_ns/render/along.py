"""Drawing a scene along a trajectory, one frame at a time."""

from __future__ import annotations

from collections.abc import Iterator

from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.rasterize.drawing import Drawing, DrawOptions
from neoverse_ns.trajectory.trajectory import Trajectory


def draw_along(
    gaussians: LayeredGaussians, trajectory: Trajectory, options: DrawOptions | None = None
) -> Iterator[Drawing]:
    """Draw every frame of a trajectory; see :func:`neoverse_ns.rasterize.along.views_along`.

    Args:
        gaussians: The scene, in the trajectory's world.
        trajectory: Cameras and times; the size drawn is that of its cameras.
        options: See :class:`neoverse_ns.rasterize.drawing.DrawOptions`.

    Yields:
        One camera's drawing [1, h, w, ...] a frame, on the Gaussians' device.
    """
    for view in views_along(gaussians, trajectory.cameras, trajectory.times, options):
        yield view.drawing
