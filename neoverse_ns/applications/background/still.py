"""The Gaussians of what stands still, as one constant surface."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.applications.witnesses import EDGE, Witnesses, margin_of, widened
from neoverse_ns.errors import RunError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, concatenate
from neoverse_ns.gaussians.layers import BACKGROUND, FRAMES, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project
from neoverse_ns.rasterize.drawing import draw
from neoverse_ns.reconstruct.base import SceneGeometry

BEHIND = 0.1
"""What is already there may lie so much farther, relatively, before a keyframe's pixel is taken for another surface."""

THROUGH = 0.06
"""What a frame sees must lie so much farther, relatively, for it to have looked through a point."""
OTHER, SURE = 0.35, 4
"""Difference of colour, of 1, from what most frames see at a point from which on it is another thing's, and how many
must see it: a rim that a mask has missed may lie at the depth of what is behind it."""


@torch.no_grad()
def still_scene(scene: ExportScene, witnesses: Witnesses) -> LayeredGaussians:
    """A scene without anything that moves: constant Gaussians, then what was inpainted and the far field.

    Every keyframe's optimised Gaussians hold all that it shows, over and over. Keyframes are visited from the middle of
    the clip outwards, and each adds what stands still where those before it left a hole, or something clearly farther.
    What other frames see through stood there for a while only, be it the rim of something that a mask cuts too short,
    and is left out.

    Args:
        scene: With what it was made from, which says what moves.
        witnesses: Its frames.

    Raises:
        RunError: Only Gaussians are known of the scene.
    """
    origin = scene.source
    if origin is None:
        raise RunError("this scene does not say what of it moves: load it from its run")
    geometry, rows = origin.geometry, scene.gaussians.frames.detach()
    middle = len(geometry.keyframes) // 2
    guessed = set(geometry.report.get("unlinked_frames", []))
    placed = [number for number, frame in enumerate(geometry.keyframes) if frame not in guessed]
    parts: list[DynamicGaussians] = []
    for number in sorted(placed, key=lambda number: abs(number - middle)):
        camera = scene.cameras[[geometry.keyframes[number]]]
        own = torch.nonzero(rows.keyframe == number)[:, 0]
        pixels, inside = _pixels(rows.means[own], camera)
        wanted = _still(geometry, number).to(own.device)
        if parts:
            depth = geometry.depth[number].to(own.device)
            wanted = wanted & _missing(concatenate(parts), camera, depth)
        chosen = own[inside & wanted.reshape(-1)[pixels]]
        rgb = 0.5 + SH_C0 * rows.sh[chosen, 0]
        chosen = chosen[~for_a_while(rows.means[chosen], rgb, witnesses).to(chosen.device)]
        if len(chosen):
            parts.append(_constant(rows[chosen]))
    earlier = scene.gaussians.detach().layer(BACKGROUND)
    layers = {name: layer.detach() for name, layer in scene.gaussians.items() if name not in (FRAMES, BACKGROUND)}
    return LayeredGaussians({FRAMES: rows[:0], BACKGROUND: concatenate(parts) if parts else earlier} | layers)


def for_a_while(means: Float[Tensor, "m 3"], rgb: Float[Tensor, "m 3"], witnesses: Witnesses) -> Bool[Tensor, " m"]:
    """Which points stood there for a while at most: more frames look through them than see them, or most of those that
    see something there see another colour.

    Args:
        means: World points.
        rgb: Their colours, in [0, 1].
        witnesses: Frames with their depth; what moves before a point says nothing about it.
    """
    through, there = (torch.zeros(len(means), dtype=torch.long) for _ in range(2))
    points, colours = means.detach().cpu().double()[None], []
    for number in witnesses.lenders:
        x, y, z = witnesses.places(number, points)
        inside = (x >= 0) & (x < witnesses.cameras.width) & (y >= 0) & (y < witnesses.cameras.height)
        row, column = (np.where(inside, value, 0).astype(np.int64)[0] for value in (y, x))
        depth, moves = witnesses.depth[number][row, column], witnesses.moving[number][row, column]
        told = torch.from_numpy(inside[0] & (z[0] > 0) & (depth > 0) & ~moves)
        beyond = torch.from_numpy(depth / np.maximum(z[0], 1e-9))
        here = told & ((beyond - 1).abs() <= THROUGH)
        through += told & (beyond > 1 + THROUGH)
        there += here
        shown = torch.from_numpy(witnesses.images[number][row, column])
        colours.append(torch.where(here[:, None], shown, torch.nan))
    middle = torch.stack(colours).nanmedian(dim=0).values
    other = (middle - rgb.detach().cpu().clamp(0, 1)).abs().amax(dim=1) > OTHER
    return ((through >= 2) & (2 * through > there)) | (other & (there >= SURE))


def _pixels(means: Float[Tensor, "m 3"], camera: PinholeCameras) -> tuple[Int64[Tensor, " m"], Bool[Tensor, " m"]]:
    """Pixel of a camera, counted row by row, in which every mean lies, and whether it lies in the picture."""
    uv, z = project(means, camera.viewmats[0].to(means), camera.K[0].to(means))
    column, row = uv.floor().clamp(-1, 1 << 20).long().unbind(-1)
    inside = (z > 0) & (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    return torch.where(inside, row * camera.width + column, 0), inside


def _still(geometry: SceneGeometry, number: int) -> Bool[Tensor, "h w"]:
    """Pixels of a keyframe that neither move nor lie beside what moves, nor on an edge of depth."""
    near = 1 / geometry.depth[number]
    moving = widened(geometry.dynamic[number].numpy(), margin_of(near.shape[1]))
    # The inverse depth of a plane is linear in the picture, however slanted it is.
    padded = torch.nn.functional.pad(near[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    across = (padded[1:-1, 2:] + padded[1:-1, :-2] - 2 * near).abs()
    down = (padded[2:, 1:-1] + padded[:-2, 1:-1] - 2 * near).abs()
    return (torch.maximum(across, down) < EDGE * near) & ~torch.from_numpy(moving)


def _missing(collected: DynamicGaussians, camera: PinholeCameras, depth: Float[Tensor, "h w"]) -> Bool[Tensor, "h w"]:
    """Where what was collected has a hole, or only something clearly farther away."""
    viewmats, K = camera.viewmats.to(collected.means), camera.K.to(collected.means)
    seen = draw(collected, 0.0, viewmats, K, camera.width, camera.height)
    return (seen.alpha[0, ..., 0] < 0.5) | (seen.depth[0, ..., 0] > (1 + BEHIND) * depth)


def _constant(gaussians: DynamicGaussians) -> DynamicGaussians:
    """The same, standing still for ever."""
    return gaussians.with_(
        velocities=torch.zeros_like(gaussians.velocities),
        angular_velocities=torch.zeros_like(gaussians.angular_velocities),
        dynamic=torch.zeros_like(gaussians.dynamic),
    )
