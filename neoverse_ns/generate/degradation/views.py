"""What single cameras see of sets of Gaussians: where they fall in the picture, and whether something hides them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn.functional import grid_sample

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.geometry.projection import project
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.rasterize import rasterize


@dataclass(frozen=True)
class DepthView:
    """Expected depth drawn from one camera.

    Attributes:
        depth: z-depth, world units; 0 where nothing was drawn.
        alpha: Opacity in [0, 1].
        c2w: The camera, OpenCV axes.
        K: Its intrinsics in pixels.
        reaching: Which of the Gaussians drawn can show in the picture: their extent in pixels is not zero.
    """

    depth: Float[Tensor, "h w"]
    alpha: Float[Tensor, "h w"]
    c2w: Float[Tensor, "4 4"]
    K: Float[Tensor, "3 3"]
    reaching: Bool[Tensor, " _n"] | None = None

    def behind(self, front: DepthView) -> DepthView:
        """This view seen through what `front`, of the same camera, leaves open."""
        light = (1 - front.alpha) * self.alpha
        alpha = front.alpha + light
        depth = (front.alpha * front.depth + light * self.depth) / alpha.clamp_min(1e-10)
        return DepthView(depth, alpha, self.c2w, self.K, self.reaching)


@dataclass(frozen=True)
class Sightings:
    """Where points fall in one view.

    Attributes:
        pixels: Image coordinates; pixel centres at +0.5.
        depth: z-depth of the points, world units.
        inside: In front of the camera and inside the picture, or reaching into it.
    """

    pixels: Float[Tensor, "n 2"]
    depth: Float[Tensor, " n"]
    inside: Bool[Tensor, " n"]

    def nearest(self, view: DepthView) -> Int64[Tensor, "n 2"]:
        """The pixels, column and row, whose numbers are nearest to the points, none of them outside the picture."""
        last = self.pixels.new_tensor([view.depth.shape[1] - 1, view.depth.shape[0] - 1])
        return self.pixels.nan_to_num().round().clamp_min(0).minimum(last).long()


def draw_depth(
    gaussians: DynamicGaussians,
    rows: Int64[Tensor, " m"] | slice,
    c2w: Float[Tensor, "4 4"],
    K: Float[Tensor, "3 3"],
    width: int,
    height: int,
) -> DepthView:
    """Draw the depth of some Gaussians as they stand at their own keyframe's time."""
    depth, alpha, meta = rasterize(
        means=gaussians.means[rows],
        quats=gaussians.quats[rows],
        scales=gaussians.log_scales[rows].exp(),
        opacities=torch.sigmoid(gaussians.opacity_logits[rows]),
        colors=gaussians.sh[rows, 0],
        viewmats=se3_inverse(c2w)[None],
        Ks=K[None],
        width=width,
        height=height,
        render_mode="ED",
    )
    return DepthView(depth[0, ..., 0], alpha[0, ..., 0], c2w, K, (meta["radii"][0] > 0).all(dim=-1))


def sight(points: Float[Tensor, "n 3"], view: DepthView, reaching: Bool[Tensor, " n"] | None = None) -> Sightings:
    """Project points into a view; those `reaching` count as inside, or by default those whose centres are."""
    pixels, depth = project(points, se3_inverse(view.c2w), view.K)
    size = pixels.new_tensor([view.depth.shape[1], view.depth.shape[0]])
    inside = (depth > 0) & (((pixels >= 0) & (pixels < size)).all(dim=-1) if reaching is None else reaching)
    return Sightings(pixels, depth, inside)


def visible(seen: Sightings, view: DepthView, scale: float, settings: DegradationSettings) -> Bool[Tensor, " n"]:
    """Points that nothing hides: at most a margin behind the depth drawn at their pixel.

    Args:
        seen: The points in `view`.
        view: Depth drawn.
        scale: The scene's scale, world units.
        settings: The margins.
    """
    if settings.pixels == "nearest":
        column, row = seen.nearest(view).unbind(-1)
    else:
        last = seen.pixels.new_tensor([view.depth.shape[1] - 1, view.depth.shape[0] - 1])
        column, row = seen.pixels.nan_to_num().clamp_min(0).minimum(last).long().unbind(-1)
    drawn = view.depth[row, column]
    margin = (settings.far_margin * drawn).clamp_min(settings.visibility_margin * scale)
    return seen.inside & (seen.depth < drawn + margin)


def sample(values: Float[Tensor, "h w"], pixels: Float[Tensor, "n 2"]) -> Float[Tensor, " n"]:
    """Bilinear interpolation between pixel centres; outside them the border's values."""
    size = pixels.new_tensor([values.shape[1], values.shape[0]])
    grid = (2 * pixels / size - 1)[None, None]
    return grid_sample(values[None, None], grid, mode="bilinear", padding_mode="border", align_corners=False)[0, 0, 0]
