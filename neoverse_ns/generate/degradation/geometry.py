"""A scene reduced to what moved cameras see of it, and its depth smeared."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.gaussians.dynamic import BACKDROP, DynamicGaussians
from neoverse_ns.generate.degradation.average_filter import average_covered
from neoverse_ns.generate.degradation.cameras import moved_cameras
from neoverse_ns.generate.degradation.choices import Choices
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.generate.degradation.views import DepthView, Sightings, draw_depth, sample, sight, visible
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.geometry.cameras import PinholeCameras


@dataclass(frozen=True)
class ContextDepths:
    """How far things are from the context cameras, world units.

    Attributes:
        mean: Of what each camera sees.
        scale: The scene's: the median over all cameras of what each sees in the median.
    """

    mean: Float[Tensor, " k"]
    scale: float


@dataclass(frozen=True)
class DegradedScene:
    """What is left.

    Attributes:
        gaussians: Fewer of them, some moved.
        kept: Which of the scene's they are.
        moved: The moved context cameras, as many as there are keyframes.
    """

    gaussians: DynamicGaussians
    kept: Bool[Tensor, " n"]
    moved: PinholeCameras


def rows_by_keyframe(gaussians: DynamicGaussians, count: int) -> list[Int64[Tensor, " _m"] | slice]:
    """Rows of the Gaussians lifted from each of `count` keyframes; a slice where they lie side by side."""
    runs, lengths = torch.unique_consecutive(gaussians.keyframe, return_counts=True)
    ends = lengths.cumsum(0).tolist()
    numbers = runs.tolist()
    if len(set(numbers)) == len(numbers):
        found = {number: slice(a, b) for number, a, b in zip(numbers, [0, *ends], ends, strict=False)}
        return [found.get(number, slice(0, 0)) for number in range(count)]
    return [(gaussians.keyframe == number).nonzero()[:, 0] for number in range(count)]


@torch.no_grad()
def context_depths(source: SourceScene) -> ContextDepths:
    """Depths of the Gaussians that each context camera sees: its own, or the constant ones where it has none."""
    gaussians, cameras = source.gaussians, context_cameras(source)
    shared = (gaussians.keyframe == -1).nonzero()[:, 0]
    means, medians = [], []
    for number, rows in enumerate(rows_by_keyframe(gaussians, len(cameras))):
        blank = torch.zeros(cameras.height, cameras.width).to(gaussians.means)
        view = DepthView(blank, blank, cameras.c2w[number], cameras.K[number])
        depths = gaussians.means.new_zeros(0)
        for points in (gaussians.means[rows], gaussians.means[shared]):
            seen = sight(points, view)
            depths = seen.depth[seen.inside]
            if len(depths):
                break
        # A camera that sees nothing has nothing to look at; any positive depth serves.
        means.append(depths.mean() if len(depths) else gaussians.means.new_ones(()))
        medians.append(depths.median() if len(depths) else gaussians.means.new_ones(()))
    return ContextDepths(torch.stack(means), float(torch.stack(medians).median()))


def context_cameras(source: SourceScene) -> PinholeCameras:
    """The keyframes' cameras on the device and in the precision of the Gaussians."""
    cameras, like = source.cameras[source.keyframes], source.gaussians.means
    return PinholeCameras(cameras.c2w.to(like), cameras.K.to(like), cameras.width, cameras.height)


@torch.no_grad()
def degrade(
    source: SourceScene, choices: Choices, settings: DegradationSettings | None = None, filtered: bool = True
) -> DegradedScene:
    """Keep what the moved context cameras see, and where `choices.kernel` is given smear its depth.

    Every keyframe's Gaussians are judged, at its own time, by its moved camera and the depth that they alone have
    there (section 3.2, visibility-based culling). Of the constant ones, shared by all keyframes, those stay that any
    moved camera sees, behind or between its own. The backdrop, which nobody ever saw, stays as it is.

    The box-filtered depth takes the place of the Gaussians' own along the rays of the moved camera (section 3.2,
    average geometry filter): at edges they come to lie between the surfaces, and a wide box bends whole regions.

    Args:
        source: The clip and its scene.
        choices: Where the cameras go and how wide the box is.
        settings: The margins.
        filtered: False only culls, whatever `choices` says.
    """
    settings = settings or DegradationSettings()
    gaussians, cameras = source.gaussians, context_cameras(source)
    depths = context_depths(source)
    c2w = moved_cameras(cameras.c2w, depths.mean, depths.scale, choices)
    moved = PinholeCameras(c2w, cameras.K, cameras.width, cameras.height)
    kernel = choices.kernel if filtered else None
    kept = gaussians.keyframe == BACKDROP
    means, log_scales = gaussians.means.clone(), gaussians.log_scales.clone()

    def take(rows: Int64[Tensor, " _m"] | slice, seen: Sightings, view: DepthView, good: Bool[Tensor, " _m"]) -> None:
        kept[rows] |= good
        if kernel is None:
            return
        smooth = average_covered(view.depth, view.alpha > 0, kernel)
        factor = torch.where(good, sample(smooth, seen.pixels) / seen.depth, torch.ones_like(seen.depth))
        means[rows] = view.c2w[:3, 3] + factor[:, None] * (means[rows] - view.c2w[:3, 3])
        if settings.resize:
            log_scales[rows] += factor.log()[:, None]

    views = []
    for number, rows in enumerate(rows_by_keyframe(gaussians, len(moved))):
        view = draw_depth(gaussians, rows, moved.c2w[number], moved.K[number], moved.width, moved.height)
        seen = sight(gaussians.means[rows], view)
        take(rows, seen, view, visible(seen, view, depths.scale, settings))
        views.append(view)

    constant = shared = (gaussians.keyframe == -1).nonzero()[:, 0]
    # From the middle of the clip outwards, as the fused background was collected: each is moved by one camera alone.
    for number in sorted(range(len(views)), key=lambda place: abs(place - len(views) // 2)):
        if len(shared) == 0:
            break
        own = views[number]
        view = draw_depth(gaussians, constant, own.c2w, own.K, moved.width, moved.height).behind(own)
        seen = sight(gaussians.means[shared], view)
        good = visible(seen, view, depths.scale, settings)
        take(shared, seen, view, good)
        shared = shared[~good]
    left = gaussians.with_(means=means, log_scales=log_scales)[kept.nonzero()[:, 0]]
    return DegradedScene(left, kept, moved)
