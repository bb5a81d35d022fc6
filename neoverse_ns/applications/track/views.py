"""What the scene itself says of every frame: how far things are, what moves, and where it moves to."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from neoverse_ns.applications.track.things import things_of
from neoverse_ns.console import progress
from neoverse_ns.errors import RunError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import pixel_centres, project, unproject
from neoverse_ns.rasterize import rasterize
from neoverse_ns.rasterize.layers import draw_layers

HALF = 0.5
"""Opacity from which on a pixel shows the keyframes' own Gaussians."""


@dataclass(frozen=True)
class SceneViews:
    """The scene as drawn at every frame's own camera and time.

    Attributes:
        cameras: One per frame.
        depth: Expected z-depth, world units.
        things: Number of the moving thing that is drawn; 0 for what is still.
        steps: Where what a pixel shows moves to, in pixels, by (from, to) of neighbouring frames: the mean of the
            Gaussians' own motion with their contributions to the pixel as weights, seen by the other frame's camera.
    """

    cameras: PinholeCameras
    depth: Float[Tensor, "n h w"]
    things: Int64[Tensor, "n h w"]
    steps: dict[tuple[int, int], Float[Tensor, "h w 2"]]

    def __len__(self) -> int:
        return len(self.depth)


@torch.no_grad()
def scene_views(scene: ExportScene) -> SceneViews:
    """Draw what following points needs of a scene.

    Raises:
        RunError: Nothing but Gaussians is known of it.
    """
    if scene.source is None:
        raise RunError("this scene does not know what moves in its frames: load it from its run")
    gaussians, device = scene.gaussians.detach(), scene.gaussians.device
    cameras = PinholeCameras(scene.cameras.c2w.float(), scene.cameras.K.float(), *_size(scene.cameras))
    numbers = things_of(gaussians.frames, scene.source.geometry, cameras)
    most = max(int(maps.max()) if (maps := scene.source.geometry.things) is not None else 1, 1)
    labels = F.one_hot(numbers, most + 1).to(device, torch.float32)
    count, viewmats = len(cameras), cameras.viewmats
    centres = pixel_centres(cameras.height, cameras.width)
    depth, things, steps = [], [], {}
    with progress("Looking at what moves", count) as bar:
        for frame in range(count):
            time, size = float(scene.times[frame]), _size(cameras)
            at = viewmats[[frame]].to(device), cameras.K[[frame]].to(device)
            drawing = draw_layers(gaussians, time, *at, *size, scene.options)
            depth.append(drawing.depth[0, ..., 0].cpu())
            now = at_time(gaussians.frames, time, scene.options.nearest_only, scene.options.gamma)
            others = [other for other in (frame - 1, frame + 1) if 0 <= other < count]
            moves = [_moves(gaussians.frames, now, time, float(scene.times[other])) for other in others]
            drawn, alpha = _draw_values(torch.cat([labels[now.index], *moves], -1), now, *at, *size)
            shown = drawn[..., : labels.shape[1]].argmax(-1)
            things.append(torch.where(alpha > HALF, shown, torch.zeros_like(shown)))
            places = unproject(depth[-1], cameras.K[frame], cameras.c2w[frame])
            for other, move in zip(others, drawn[..., labels.shape[1] :].split(3, -1), strict=True):
                there = (places + move / alpha[..., None].clamp_min(1e-6)).reshape(-1, 3)
                uv, _ = project(there, viewmats[other], cameras.K[other])
                steps[frame, other] = uv.view(*places.shape[:2], 2) - centres
            bar.advance()
    return SceneViews(cameras, torch.stack(depth), torch.stack(things), steps)


def _size(cameras: PinholeCameras) -> tuple[int, int]:
    return cameras.width, cameras.height


def _moves(gaussians: DynamicGaussians, now: GaussiansAtTime, time: float, other: float) -> Float[Tensor, "m 3"]:
    """Way of the Gaussians alive at `time` to `other`, beyond their lives as if they went on."""
    before, at, after = gaussians.interval[now.index].unbind(-1)
    velocities = gaussians.velocities[now.index]

    def place(moment: float) -> Float[Tensor, "m 3"]:
        later = moment > at
        gap = torch.where(later, after - at, at - before)
        velocity = torch.where(later[:, None], velocities[:, 0], velocities[:, 1])
        return ((moment - at).abs() / gap)[:, None] * velocity

    return torch.where(gaussians.dynamic[now.index, None], place(other) - place(time), 0.0)


def _draw_values(
    values: Float[Tensor, "m d"],
    now: GaussiansAtTime,
    viewmats: Float[Tensor, "1 4 4"],
    Ks: Float[Tensor, "1 3 3"],
    width: int,
    height: int,
) -> tuple[
    Float[Tensor, "h w d"],  # values, weighted by contribution
    Float[Tensor, "h w"],  # opacity
]:
    drawn, alpha, _ = rasterize(
        now.means, now.quats, now.scales, now.opacities, values, viewmats, Ks, width, height, render_mode="RGB"
    )
    return drawn[0].cpu(), alpha[0, ..., 0].cpu()
