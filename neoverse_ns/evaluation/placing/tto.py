"""`tto-N`: each target's camera is improved by its own picture, with the scene frozen.

After C4G's evaluation: Adam on increments of turn and translation, at most so many steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from neoverse_ns.evaluation.placing.placed import Placed
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.layers import LAYERS, LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.optimise.camera_twists import corrected
from neoverse_ns.rasterize.drawing import Drawing, DrawOptions, draw_instant
from neoverse_ns.rasterize.layers import is_open, over

RATE = 0.005
"""Learning rate of both increments; lengths are in the scene's unit, its median depth."""
FEWEST, CALM, STILL = 100, 10, 1e-5
"""After so many steps it ends once so many in a row have changed the loss by less than this."""

Perceptual = Callable[[Float[Tensor, "h w 3"], Float[Tensor, "h w 3"]], Tensor]
"""A differentiable distance of what is shown from the truth, both in [0, 1]."""


@dataclass(frozen=True)
class Improved:
    """An improved camera.

    Attributes:
        c2w: Camera to world.
        steps: That were taken.
        first: Loss before.
        last: The least that was met, which is that of `c2w`.
    """

    c2w: Float64[Tensor, "4 4"]
    steps: int
    first: float
    last: float


def improve_camera(
    gaussians: LayeredGaussians,
    time: float,
    c2w: Float64[Tensor, "4 4"],
    K: Float64[Tensor, "3 3"],
    truth: UInt8[Tensor, "h w 3"],
    steps: int,
    options: DrawOptions | None = None,
    perceptual: Perceptual | None = None,
) -> Improved:
    """Bring a camera to where the scene shows most of what its picture shows.

    Args:
        gaussians: The scene, which stays as it is; on its device everything runs.
        time: Normalised, of the picture.
        c2w: Where to start.
        K: In pixels of the picture.
        truth: The picture.
        steps: Most steps.
        options: How the scene is drawn.
        perceptual: Added to the mean squared error, where there is one.
    """
    frozen = _Frozen(gaussians, time, options or DrawOptions())
    like = gaussians.frames.means
    start, glass = se3_inverse(c2w).to(like)[None], K.to(like)[None]
    picture = truth.to(like) / 255
    twist = torch.zeros(1, 6, dtype=like.dtype, device=like.device, requires_grad=True)
    optimiser = torch.optim.Adam([twist], lr=RATE)
    best, least, losses = twist.detach().clone(), float("inf"), []
    for _ in range(steps):
        drawing = frozen.draw(corrected(start, twist), glass, truth.shape[1], truth.shape[0])
        shown = drawing.rgb[0].clamp(0, 1)
        loss = (shown - picture).square().mean()
        if perceptual is not None:
            loss = loss + perceptual(shown, picture)
        losses.append(float(loss.detach()))
        if losses[-1] < least:
            best, least = twist.detach().clone(), losses[-1]
        if _calm(losses) or not loss.requires_grad:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    viewmat = corrected(start, best)[0].double().cpu()
    improved = c2w.double() if not bool(best.any()) else se3_inverse(viewmat)
    return Improved(improved, len(losses), losses[0] if losses else 0.0, least if losses else 0.0)


def with_cameras(placed: Placed, improved: list[Improved]) -> Placed:
    """The same targets with other cameras."""
    return Placed(torch.stack([one.c2w for one in improved]), placed.K)


def _calm(losses: list[float]) -> bool:
    if len(losses) < max(FEWEST, CALM + 1):
        return False
    recent = losses[-CALM - 1 :]
    return all(abs(after - before) < STILL for before, after in pairwise(recent))


class _Frozen:
    """A scene at one instant, drawn with gradients by the camera alone."""

    def __init__(self, gaussians: LayeredGaussians, time: float, options: DrawOptions) -> None:
        self._options = options
        with torch.no_grad():
            self._layers: list[tuple[bool, GaussiansAtTime]] = [
                (LAYERS[name].is_surface, at_time(layer, time, options.nearest_only, options.gamma))
                for name, layer in gaussians.detach().items()
            ]

    def draw(self, viewmats: Tensor, K: Tensor, width: int, height: int) -> Drawing:
        drawing: Drawing | None = None
        for surface, layer in self._layers:
            if drawing is not None and not is_open(drawing):
                break
            now = draw_instant(layer, viewmats, K, width, height, self._options.rasterize_mode)
            drawing = now if drawing is None else over(drawing, now, surface)
        assert drawing is not None, "a scene always has its frames' layer"
        return drawing
