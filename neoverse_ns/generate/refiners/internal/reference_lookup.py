"""Looking a new view's pixels up in the clip's own frames, along the drawn depth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from neoverse_ns.generate.refiners.internal.fill import depth_or_behind
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.rasterize.layers import draw_layers

SLOTS = 3
"""Images given per view: the nearest frame before, the nearest after, and some others together."""

AGREEMENT = 0.08
"""Relative difference of two depths of one point at which trust has fallen to 1/e."""

_OTHERS = (2, 3, 4, 6, 9, 13)
"""Which frames make up the last slot, counted from the nearest in time: near ones for what is hidden for a moment, far
ones for what the camera has left behind."""

_SMALLEST_DEPTH = 1e-6


@dataclass(frozen=True)
class References:
    """Real frames of the clip with the depth that the Gaussians give them.

    Attributes:
        images: RGB in [0, 1].
        depth: z-depth without holes, world units.
        cameras: One per frame.
        times: Normalised time per frame, ascending.
    """

    images: Float[Tensor, "s 3 h w"]
    depth: Float[Tensor, "s 1 h w"]
    cameras: PinholeCameras
    times: Float[Tensor, " s"]

    def __len__(self) -> int:
        return self.images.shape[0]

    @staticmethod
    @torch.no_grad()
    def of(source: SourceScene) -> References:
        """Draw the depth of every frame of the clip, on the Gaussians' device."""
        like = source.gaussians.frames.means
        cameras = source.cameras
        c2w, K, times = (value.to(like) for value in (cameras.c2w, cameras.K, source.times))
        depth = []
        for i, moment in enumerate(times.tolist()):
            view, size = se3_inverse(c2w[i : i + 1]), (cameras.width, cameras.height)
            drawn = draw_layers(source.gaussians, moment, view, K[i : i + 1], *size)
            depth.append(depth_or_behind(drawn.depth.movedim(-1, 1), drawn.alpha.movedim(-1, 1)))
        images = source.frames.to(like.device).movedim(-1, 1).to(like.dtype) / 255
        return References(images, torch.cat(depth), PinholeCameras(c2w, K, cameras.width, cameras.height), times)


@dataclass(frozen=True)
class ReferenceSamples:
    """A view's pixels as frames of the clip show them.

    Attributes:
        colours: One image per slot; where a slot's frame ends, whatever lies at its border.
        trust: 1 where a slot's depth agrees with the view's, so that both see one surface; 0 outside its frame.
    """

    colours: Float[Tensor, "k 3 h w"]
    trust: Float[Tensor, "k 1 h w"]


def sample_references(
    references: References,
    depth: Float[Tensor, "1 h w"],
    K: Float[Tensor, "3 3"],
    c2w: Float[Tensor, "4 4"],
    time: float,
    without: int | None = None,
) -> ReferenceSamples:
    """The view's pixels in the nearest frames in time, as if nothing moved between them.

    Args:
        references: The clip's frames.
        depth: z-depth of the view, without holes.
        K: Its intrinsics in pixels.
        c2w: Its camera-to-world.
        time: Its normalised time.
        without: A frame that must not be used: the one that a network is to learn to restore.
    """
    usable = torch.ones(len(references), dtype=torch.bool)
    if without is not None:
        usable[without] = False
    near, others = choose_frames(references.times.cpu(), time, usable)
    chosen = near + others
    if not chosen:
        blank = references.images.new_zeros(SLOTS, 3, *depth.shape[-2:])
        return ReferenceSamples(blank, blank[:, :1])
    colours, trust = _seen_from(references, chosen, depth, K, c2w)
    gap = (references.times[chosen] - time).abs()
    # A frame much further away in time counts less, because more has moved.
    weights = trust[len(near) :].square() / (gap[len(near) :].clamp_min(1e-3))[:, None, None, None] + 1e-8
    blend = (weights * colours[len(near) :]).sum(0) / weights.sum(0)
    slots = [(colours[i], trust[i]) for i in range(len(near))]
    if others:
        slots.append((blend, trust[len(near) :].amax(0)))
    while len(slots) < SLOTS:
        slots.append((slots[0][0], torch.zeros_like(slots[0][1])))
    return ReferenceSamples(torch.stack([slot[0] for slot in slots]), torch.stack([slot[1] for slot in slots]))


def choose_frames(
    times: Float[Tensor, " s"], time: float, usable: Bool[Tensor, " s"]
) -> tuple[
    list[int],  # the nearest frame not after and the nearest after; at either end of the clip the two nearest
    list[int],  # some of the others, nearest first
]:
    """Which frames a view at `time` is looked up in."""
    gap = torch.where(usable, (times - time).abs(), torch.full_like(times, torch.inf))
    ranked: Int64[Tensor, " s"] = gap.argsort(stable=True)[: int(usable.sum())]
    early = [i for i in ranked.tolist() if times[i] <= time][:1]
    late = [i for i in ranked.tolist() if times[i] > time][:1]
    near = early + late if early and late else ranked[:2].tolist()
    rest = [i for i in ranked.tolist() if i not in near]
    return near, [rest[place - 2] for place in _OTHERS if place - 2 < len(rest)]


def _seen_from(
    references: References,
    chosen: list[int],
    depth: Float[Tensor, "1 h w"],
    K: Float[Tensor, "3 3"],
    c2w: Float[Tensor, "4 4"],
) -> tuple[Float[Tensor, "m 3 h w"], Float[Tensor, "m 1 h w"]]:
    """Chosen references sampled where the view's surfaces lie in them, and how well the depths agree."""
    height, width = depth.shape[-2:]
    cameras = references.cameras[chosen]
    viewmats = se3_inverse(cameras.c2w)
    points = unproject(depth, K, c2w)[0].reshape(-1, 3) @ viewmats[:, :3, :3].mT + viewmats[:, None, :3, 3]
    z = points[..., 2].reshape(-1, 1, height, width)
    focal = torch.stack([cameras.K[:, 0, 0], cameras.K[:, 1, 1]], dim=-1)[:, None]
    pixels = points[..., :2] / points[..., 2:].clamp_min(_SMALLEST_DEPTH) * focal + cameras.K[:, None, :2, 2]
    grid = (2 * pixels / pixels.new_tensor([cameras.width, cameras.height]) - 1).reshape(-1, height, width, 2)
    inside = (grid.abs() <= 1).all(-1)[:, None] & (z > _SMALLEST_DEPTH)
    known = torch.cat([references.images[chosen], references.depth[chosen].log()], dim=1)
    seen = functional.grid_sample(known, grid, mode="bilinear", padding_mode="border", align_corners=False)
    apart = z.clamp_min(_SMALLEST_DEPTH).log() - seen[:, 3:]
    return seen[:, :3], inside * torch.exp(-(apart / AGREEMENT).square())
