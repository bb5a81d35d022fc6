"""Drawing a scene from many cameras, one frame at a time: however many they are, one frame is held in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.layers import LAYERS, LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.drawing import Drawing, DrawOptions, draw_instant
from neoverse_ns.rasterize.layers import is_open, over


@dataclass(frozen=True)
class ViewAlong:
    """One frame of a trajectory.

    Attributes:
        drawing: What the camera sees, all layers together; [1, h, w, ...].
        seen: Opacity of the surfaces alone. The far field is nobody's observation, and covers everything.
    """

    drawing: Drawing
    seen: Float[Tensor, "1 h w 1"]


def views_along(
    gaussians: LayeredGaussians,
    cameras: PinholeCameras,
    times: Float[Tensor, " n"],
    options: DrawOptions | None = None,
) -> Iterator[ViewAlong]:
    """Draw every frame as :func:`neoverse_ns.rasterize.layers.draw_layers` draws it, with what of it is surface.

    Frames of one instant (a frozen moment, a single photograph) share the time transition.

    Args:
        gaussians: The scene, in the cameras' world.
        cameras: One per frame; the size drawn is theirs.
        times: Normalised, one per frame.
        options: See :class:`neoverse_ns.rasterize.drawing.DrawOptions`.
    """
    options = options or DrawOptions()
    like = gaussians.frames.means
    viewmats = torch.linalg.inv(cameras.c2w.to(torch.float64)).to(like)
    Ks = cameras.K.to(like)
    moment: _Moment | None = None
    for i, time in enumerate(times.tolist()):
        if moment is None or moment.time != time:
            moment = _Moment(gaussians, time, options)
        here = slice(i, i + 1)
        yield moment.view(viewmats[here], Ks[here], cameras.width, cameras.height)


class _Moment:
    """A scene at one instant; a layer is moved there when it is first drawn."""

    def __init__(self, gaussians: LayeredGaussians, time: float, options: DrawOptions) -> None:
        self.time = time
        self._gaussians, self._options = gaussians, options
        self._layers: dict[str, GaussiansAtTime] = {}

    @torch.no_grad()
    def view(self, viewmats: Float[Tensor, "1 4 4"], Ks: Float[Tensor, "1 3 3"], width: int, height: int) -> ViewAlong:
        drawing, seen = None, None
        for name in self._gaussians:
            if drawing is not None and not is_open(drawing):
                break
            now = draw_instant(self._layer(name), viewmats, Ks, width, height, self._options.rasterize_mode)
            drawing = now if drawing is None else over(drawing, now, LAYERS[name].is_surface)
            if LAYERS[name].is_surface:
                seen = drawing.alpha
        assert drawing is not None, "a scene always has its frames' layer"
        assert seen is not None, "the frames' layer is a surface"
        return ViewAlong(drawing, seen)

    def _layer(self, name: str) -> GaussiansAtTime:
        if name not in self._layers:
            options = self._options
            self._layers[name] = at_time(self._gaussians[name], self.time, options.nearest_only, options.gamma)
        return self._layers[name]
