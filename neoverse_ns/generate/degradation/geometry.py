"""A scene reduced to what moved cameras see of it, and its depth smeared."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import BACKGROUND, FRAMES, INPAINTED, LayeredGaussians
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
        kept: Which of the scene's they are, by layer.
        moved: The moved context cameras, as many as there are keyframes.
    """

    gaussians: LayeredGaussians
    kept: dict[str, Bool[Tensor, " _n"]]
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
    gaussians, cameras = source.gaussians.frames, context_cameras(source)
    shared = source.gaussians.layer(BACKGROUND).means
    means, medians = [], []
    for number, rows in enumerate(rows_by_keyframe(gaussians, len(cameras))):
        blank = torch.zeros(cameras.height, cameras.width).to(gaussians.means)
        view = DepthView(blank, blank, cameras.c2w[number], cameras.K[number])
        depths = gaussians.means.new_zeros(0)
        for points in (gaussians.means[rows], shared):
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
    cameras = source.cameras[source.keyframes] if source.context is None else source.context
    like = source.gaussians.frames.means
    return PinholeCameras(cameras.c2w.to(like), cameras.K.to(like), cameras.width, cameras.height)


@torch.no_grad()
def clean(source: SourceScene) -> DegradedScene:
    """The scene as it is, for those who learn without degradation; what was inpainted goes here, too."""
    scene = source.gaussians.without(INPAINTED)
    kept = {name: torch.ones(len(layer), dtype=torch.bool, device=layer.device) for name, layer in scene.items()}
    return DegradedScene(scene, kept, context_cameras(source))


@torch.no_grad()
def degrade(
    source: SourceScene, choices: Choices, settings: DegradationSettings | None = None, filtered: bool = True
) -> DegradedScene:
    """Keep what the moved context cameras see, and where `choices.kernel` is given smear its depth.

    Every keyframe's Gaussians are judged, at its own time, by its moved camera and the depth that they alone have
    there (section 3.2, visibility-based culling). Of the background, shared by all keyframes, those stay that any
    moved camera sees, behind or between its own. The far field, which nobody ever saw, stays as it is; what was
    inpainted goes.

    The box-filtered depth takes the place of the Gaussians' own along the rays of the moved camera (section 3.2,
    average geometry filter): at edges they come to lie between the surfaces, and a wide box bends whole regions.

    Args:
        source: The clip and its scene.
        choices: Where the cameras go and how wide the box is.
        settings: The margins.
        filtered: False only culls, whatever `choices` says.
    """
    settings = settings or DegradationSettings()
    scene, cameras = source.gaussians.without(INPAINTED), context_cameras(source)
    depths = context_depths(source)
    scale = 1 / source.unit if settings.unit == "network" and source.unit is not None else depths.scale
    down = cameras.c2w.new_tensor([0.0, 1.0, 0.0]) if settings.level == "world" else cameras.c2w[0, :3, 1]
    c2w = moved_cameras(cameras.c2w, depths.mean, scale, choices, down)
    moved = PinholeCameras(c2w, cameras.K, cameras.width, cameras.height)
    kernel = choices.kernel if filtered else None
    nearest = settings.pixels == "nearest"
    frames = _Smear(scene.frames, kernel, settings)
    views = []
    for number, rows in enumerate(rows_by_keyframe(scene.frames, len(moved))):
        view = draw_depth(scene.frames, rows, moved.c2w[number], moved.K[number], moved.width, moved.height)
        seen = sight(scene.frames.means[rows], view, view.reaching if nearest else None)
        frames.take(rows, seen, view, visible(seen, view, scale, settings))
        views.append(view)
    background = _Smear(scene.layer(BACKGROUND), kernel, settings)
    shared = torch.arange(len(background.gaussians), device=scene.device)
    # From the middle of the clip outwards, as the fused background was collected: each is moved by one camera alone.
    for number in sorted(range(len(views)), key=lambda place: abs(place - len(views) // 2)):
        if len(shared) == 0:
            break
        own = views[number]
        view = draw_depth(background.gaussians, slice(None), own.c2w, own.K, moved.width, moved.height).behind(own)
        reaching = view.reaching[shared] if nearest and view.reaching is not None else None
        seen = sight(background.gaussians.means[shared], view, reaching)
        good = visible(seen, view, scale, settings)
        background.take(shared, seen, view, good)
        shared = shared[~good]
    changed = {FRAMES: frames, BACKGROUND: background}
    kept = {n: changed[n].kept if n in changed else scene[n].dynamic.new_ones(len(scene[n])) for n in scene}
    left = {n: changed[n].left() if n in changed else scene[n] for n in scene}
    return DegradedScene(LayeredGaussians(left), kept, moved)


class _Smear:
    """One layer's Gaussians while they are judged: which stay, and where they go.

    Args:
        gaussians: The layer.
        kernel: Side of the box filter in pixels; None moves nothing.
        settings: How depth is averaged and read, and whether Gaussians that come nearer shrink.
    """

    def __init__(self, gaussians: DynamicGaussians, kernel: int | None, settings: DegradationSettings) -> None:
        self.gaussians, self._kernel, self._settings = gaussians, kernel, settings
        self.kept = torch.zeros(len(gaussians), dtype=torch.bool, device=gaussians.device)
        self._means, self._log_scales = gaussians.means.clone(), gaussians.log_scales.clone()

    def take(
        self, rows: Int64[Tensor, " _m"] | slice, seen: Sightings, view: DepthView, good: Bool[Tensor, " _m"]
    ) -> None:
        """Keep the `good` ones of `rows`, and move them to the filtered depth of `view`."""
        self.kept[rows] |= good
        if self._kernel is None:
            return
        covered = view.alpha > 0 if self._settings.leave_out_holes else torch.ones_like(view.alpha, dtype=torch.bool)
        smooth = average_covered(view.depth, covered, self._kernel)
        own = self._means[rows]
        if self._settings.pixels == "nearest":
            pixels = seen.nearest(view)
            depth = smooth[pixels[:, 1], pixels[:, 0]]
            there = depth[:, None] * torch.cat([pixels.to(own), torch.ones_like(own[:, :1])], dim=-1)
            there = there @ torch.linalg.inv(view.K).mT @ view.c2w[:3, :3].mT + view.c2w[:3, 3]
            self._means[rows] = torch.where(good[:, None], there, own)
        else:
            depth = sample(smooth, seen.pixels)
            share = torch.where(good, depth / seen.depth, torch.ones_like(depth))
            self._means[rows] = view.c2w[:3, 3] + share[:, None] * (own - view.c2w[:3, 3])
        if self._settings.resize:
            factor = torch.where(good & (depth > 0), depth / seen.depth, torch.ones_like(depth))
            self._log_scales[rows] += factor.log()[:, None]

    def left(self) -> DynamicGaussians:
        """What stays, where it went."""
        return self.gaussians.with_(means=self._means, log_scales=self._log_scales)[self.kept.nonzero()[:, 0]]
