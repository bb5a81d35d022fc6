"""Depth of the keyframes at full resolution, with the cameras fixed.

Every pixel of a keyframe is seen in several training frames along measured flow; its inverse depth is the one
explaining those flows best, tied to its neighbours where the image shows no edge. Only flow between training frames
enters, so no pixel of a held-out frame has any influence beyond the cameras.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.reconstruct.bundle.depth.dense_solver import fill, image_bonds, solve_smooth
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField

FARTHEST, CLOSEST = 1e-2, 50.0
"""Bounds of inverse depth, relative to the clip's median depth in bundle adjustment."""
FLOW_SIGMA = 0.7
"""Typical error of flow in pixels: the robust kernel's width and the unit of cues."""
DIFFERENCE = 0.01
"""Typical difference of inverse depth between neighbouring pixels of one surface, as a share of the inverse depth."""
TOLERANCE = 0.1
"""Relative uncertainty of inverse depth at which confidence has fallen to a half."""
LEAK = 0.03
"""Share left of the tie between a well-known pixel and a farther one that the other views do not show."""
IGNORED = 1e-3
"""Weight left to flow that belongs to something moving."""
LOST = 8.0
"""Round-trip error in pixels from which flow is simply wrong."""
EXPECTED_ERROR = 0.2
"""Typical relative error of inverse depth that comes from elsewhere, such as from a network."""
INNER_ITERATIONS = 30
"""Conjugate gradient steps per round."""


@dataclass(frozen=True)
class Views:
    """Where one keyframe's pixels are seen in other frames.

    A pixel of inverse depth d lies along ``base + d * shift`` in a target camera, and flow saw it at ``seen``.

    Attributes:
        base: Viewing rays turned into the target cameras.
        shift: Translations into them.
        seen: Image positions relative to the principal point, over the focal length.
        weights: Confidence of flow.
        round_trip: Squared error in pixels with which flow leads back to where it started.
        focal: Focal length in pixels.
        frame: The keyframe.
        targets: The frames in which its pixels are seen.
    """

    base: Float[Tensor, "e 3 h w"]
    shift: Float[Tensor, "e 3 1 1"]
    seen: Float[Tensor, "e 2 h w"]
    weights: Float[Tensor, "e h w"]
    round_trip: Float[Tensor, "e h w"]
    focal: float
    frame: int
    targets: list[int]

    def linearise(self, inverse_depth: Float[Tensor, "h w"]) -> tuple[Tensor, Tensor]:
        """Residuals [e,2,h,w] in pixels and their derivatives by inverse depth."""
        point = self.base + inverse_depth * self.shift
        z = point[:, 2:].clamp_min(0.05)
        position = point[:, :2] / z
        slope = (self.shift[:, :2] - position * self.shift[:, 2:]) / z
        return self.focal * (position - self.seen), self.focal * slope

    def without(self, mask: Bool[Tensor, "h w"]) -> Views:
        """The same views with almost no weight on the pixels of `mask`."""
        return replace(self, weights=torch.where(mask, IGNORED * self.weights, self.weights))

    def every(self, stride: int) -> Views:
        """The same views of every `stride`-th pixel, in the focal length and pixels of the full image."""
        return self._chosen(lambda a: a[..., ::stride, ::stride].contiguous())

    def at(self, rows: Int64[Tensor, " p"], columns: Int64[Tensor, " p"]) -> Views:
        """The same views of single pixels, as maps of one row."""
        return self._chosen(lambda a: a[..., rows, columns][..., None, :])

    def _chosen(self, choose: Callable[[Tensor], Tensor]) -> Views:
        maps = {name: choose(getattr(self, name)) for name in ("base", "seen", "weights", "round_trip")}
        return replace(self, **maps)

    def closed_form(self) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
        """Linear least-squares inverse depth and its precision (weighted squared pixels per unit of inverse depth)."""
        rest = self.focal * (self.base[:, :2] - self.seen * self.base[:, 2:])
        slope = self.focal * (self.seen * self.shift[:, 2:] - self.shift[:, :2])
        precision = (self.weights * slope.square().sum(1)).sum(0)
        return (self.weights * (rest * slope).sum(1)).sum(0) / precision.clamp_min(1e-9), precision


def gather_views(field: FlowField, frame: int, viewmats: Float[Tensor, "n 4 4"], focal: float) -> Views | None:
    """Everything the pairs leaving `frame` say about its pixels; None where there are no pairs.

    Args:
        field: Flow between training frames.
        frame: The keyframe.
        viewmats: World-to-camera poses of all frames.
        focal: Focal length in pixels.
    """
    targets = [j for i, j in field.pairs if i == frame]
    if not targets:
        return None
    h, w = field.confidence[frame, targets[0]].shape
    base, shift = turned_rays(frame, targets, viewmats, focal, (h, w))
    flow = torch.stack([torch.from_numpy(field.flow[frame, j]).permute(2, 0, 1) for j in targets])
    seen = (flow + _centred(h, w)) / focal
    weights = torch.stack([torch.from_numpy(field.confidence[frame, j]) for j in targets])
    back = torch.stack([_round_trip(field.flow[frame, j], field.flow.get((j, frame))) for j in targets])
    return Views(base, shift, seen, weights, back, focal, frame, targets)


def turned_rays(
    frame: int, targets: list[int], viewmats: Float[Tensor, "n 4 4"], focal: float, shape: tuple[int, int]
) -> tuple[Float[Tensor, "e 3 h w"], Float[Tensor, "e 3 1 1"]]:
    """Viewing rays of a frame of `shape` turned into the target cameras, and the translations into them."""
    relative = (viewmats[targets].double() @ torch.linalg.inv(viewmats[frame].double())).float()
    rays = torch.cat([_centred(*shape) / focal, torch.ones(1, *shape)])
    return torch.einsum("eab,bhw->eahw", relative[:, :3, :3], rays), relative[:, :3, 3, None, None]


def _centred(h: int, w: int) -> Float[Tensor, "2 h w"]:
    """Pixel centres relative to the middle of the image."""
    return (pixel_centres(h, w) - torch.tensor([w / 2, h / 2])).permute(2, 0, 1)


def _round_trip(there: ndarray, back: ndarray | None) -> Float[Tensor, "h w"]:
    """Squared length of the way there and back, at most `LOST` squared; 0 where there is no way back."""
    if back is None:
        return torch.zeros(there.shape[:2])
    y, x = np.mgrid[: there.shape[0], : there.shape[1]].astype(np.float32)
    returned = cv2.remap(back, x + there[..., 0], y + there[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return torch.from_numpy(np.minimum(((there + returned) ** 2).sum(-1), LOST**2))


def dense_depth(
    views: Views,
    image: UInt8[Tensor, "h w 3"],
    smoothness: float,
    rounds: int,
    start: Float[Tensor, "h w"] | None = None,
    expected: Float[Tensor, "h w"] | None = None,
) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
    """Depth and confidence of one keyframe.

    Args:
        views: Flow cues.
        image: The keyframe, whose edges allow depth to jump.
        smoothness: Weight of the ties to neighbouring pixels.
        rounds: Linearisations; robust weights and ties are updated in each.
        start: Inverse depth to start from; None takes a closed form, filled in where flow says nothing.
        expected: Inverse depth from elsewhere, which decides where flow says little; None where there is no such.
    """
    if start is None:
        value, precision = views.closed_form()
        start = fill(value.clamp(FARTHEST, CLOSEST), precision)
    inverse = start.clamp(FARTHEST, CLOSEST)
    similar_right, similar_down = image_bonds(image)
    trust = views.weights
    for _ in range(rounds):
        error, slope = views.linearise(inverse)
        trust = views.weights / (1 + error.square().sum(1) / FLOW_SIGMA**2)
        precision = (trust * slope.square().sum(1)).sum(0) / FLOW_SIGMA**2
        step = (trust * (error * slope).sum(1)).sum(0) / FLOW_SIGMA**2 / precision.clamp_min(1e-9)
        value = (inverse - step).clamp(FARTHEST, CLOSEST)
        if expected is not None:
            known = 1 / (EXPECTED_ERROR * expected).square()
            value = (precision * value + known * expected) / (precision + known)
            precision = precision + known
        sure = _sure(precision, inverse)
        right = smoothness * similar_right * _surface_bonds(inverse, sure, dim=1)
        down = smoothness * similar_down * _surface_bonds(inverse, sure, dim=0)
        inverse = solve_smooth(value, precision, right, down, inverse, INNER_ITERATIONS).clamp(FARTHEST, CLOSEST)
    return 1 / inverse, _confidence(views, trust, inverse)


def _sure(precision: Tensor, inverse: Tensor) -> Tensor:
    """In (0, 1): how well flow alone determines the inverse depth of each pixel; a half at `TOLERANCE`."""
    relative = precision * inverse.square() * TOLERANCE**2
    return relative / (1 + relative)


def _surface_bonds(inverse: Tensor, sure: Tensor, dim: int) -> Tensor:
    """Weights that make the quadratic tie act like a linear one on large jumps (iteratively reweighted).

    A pixel of which flow knows little beside a nearer one of which it knows much is most likely hidden in the other
    views, and so part of what lies behind: it is hardly tied to the nearer one.
    """
    size = inverse.shape[dim]
    a, b = inverse.narrow(dim, 0, size - 1), inverse.narrow(dim, 1, size - 1)
    sure_a, sure_b = sure.narrow(dim, 0, size - 1), sure.narrow(dim, 1, size - 1)
    typical = DIFFERENCE * 0.5 * (a + b)
    hidden = torch.where(a > b, sure_a * (1 - sure_b), sure_b * (1 - sure_a))
    return (1 - (1 - LEAK) * hidden) / (typical.square() + typical * (a - b).abs())


def _confidence(views: Views, trust: Tensor, inverse: Tensor) -> Tensor:
    """Flow that is believed and fits, times how sharply it determines the depth."""
    error, slope = views.linearise(inverse)
    precision = (trust * slope.square().sum(1)).sum(0) / FLOW_SIGMA**2
    uncertainty = 1 / precision.clamp_min(1e-12).sqrt() / inverse.clamp_min(0.1)
    fits = torch.exp(-error.square().sum(1) / (2 * FLOW_SIGMA) ** 2)
    agreement = (views.weights * fits).sum(0) / views.weights.sum(0).clamp_min(1.0)
    return (agreement / (1 + (uncertainty / TOLERANCE) ** 2)).clamp(0, 1)
