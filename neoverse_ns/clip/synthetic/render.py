"""Ray casting of the synthetic scene into frames, depth, motion masks and flow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Float32, Float64, Int64, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.synthetic.alter import Alter
from neoverse_ns.clip.synthetic.path import beside, camera_path
from neoverse_ns.clip.synthetic.scene import build_scene
from neoverse_ns.clip.synthetic.solids import Solid, intersect, normals_at
from neoverse_ns.clip.synthetic.textures import random_lattice, texture_colours
from neoverse_ns.console import progress
from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras

SUPERSAMPLING = 2
"""Rays per pixel along each axis."""

SUN = (-0.45, -0.75, -0.48)
"""Unit direction toward the light (y is down)."""

AMBIENT = 0.55
"""Share of light that does not depend on the normal."""


@dataclass(frozen=True)
class SyntheticClip:
    """A rendered clip with everything there is to know about it.

    Attributes:
        frames: RGB of the moving camera, the only thing a reconstructor may see.
        cameras: Exact cameras of `frames`, float64, OpenCV axes.
        depth: Exact z-depth at pixel centres.
        things: Number of the moving thing that the pixel's centre shows, 0 for what is still.
        flow: Exact optical flow in pixels (x, y) from each frame to the next, occluded or not.
        right_frames: RGB of a second camera at the same times, held out.
        right_cameras: Exact cameras of `right_frames`.
        right_things: As `things`, of `right_frames`.
        seconds: Time of every frame.
    """

    frames: UInt8[Tensor, "n h w 3"]
    cameras: PinholeCameras
    depth: Float32[Tensor, "n h w"]
    things: UInt8[Tensor, "n h w"]
    flow: Float32[Tensor, "n-1 h w 2"]
    right_frames: UInt8[Tensor, "n h w 3"]
    right_cameras: PinholeCameras
    right_things: UInt8[Tensor, "n h w"]
    seconds: Float64[Tensor, " n"]

    @property
    def dynamic(self) -> Bool[Tensor, "n h w"]:
        """Pixels whose centre shows something that moves."""
        return self.things > 0

    def as_clip(self) -> Clip:
        """The frames as a reconstructor gets them, without the loss of a video codec."""
        return Clip(self.frames, torch.arange(len(self.frames)), self.seconds, Path("synthetic"))


@dataclass(frozen=True)
class Hits:
    """First surface along each ray: z-depth, and which solid of the scene it is."""

    depth: Float[Tensor, " n"]
    solid: Int64[Tensor, " n"]


def render_synthetic(
    num_frames: int = 25,
    width: int = 384,
    height: int = 224,
    fps: float = 8.0,
    seed: int = 0,
    alter: Alter | None = None,
) -> SyntheticClip:
    """Render the courtyard with its moving objects from a hand-held camera and from one held out beside it.

    Objects and camera cover the same paths for any number of frames. There are no cast shadows, so that everything
    outside `dynamic` is truly static.

    Args:
        num_frames: Frames of the clip.
        width: Of every frame, in pixels.
        height: Of every frame, in pixels.
        fps: Frames per second, which sets `seconds` only.
        seed: Draws textures, small shifts of the static objects and the phase of the camera's shake.
        alter: Changes what stands and moves there, and nothing else; see :mod:`neoverse_ns.clip.synthetic.alter`.

    Raises:
        SettingsError: A size, count or rate is not positive.
    """
    if min(num_frames, width, height) < 1 or not 0 < fps < float("inf"):
        raise SettingsError(
            "a synthetic clip needs num_frames, width, height and fps above zero, "
            f"got {num_frames}, {width}, {height} and {fps}"
        )
    generator = torch.Generator().manual_seed(seed)
    lattice = random_lattice(generator)
    scene = build_scene(generator)
    if alter is not None:
        scene = alter(scene)
    return render_world(scene, lattice, camera_path(num_frames, width, height, generator), fps)


def render_world(
    scene: list[Solid], lattice: Float[Tensor, " cells"], cameras: PinholeCameras, fps: float
) -> SyntheticClip:
    """Render any solids from one camera per frame, and from one held out beside it.

    Args:
        scene: Their time runs from 0 at the first frame to 1 at the last.
        lattice: Of their textures; see :func:`neoverse_ns.clip.synthetic.textures.random_lattice`.
        cameras: In float64.
        fps: Frames per second.
    """
    count, right_cameras = len(cameras), beside(cameras)
    times = [i / max(count - 1, 1) for i in range(count)]
    frames, right_frames, right_things, depth, things, flow = [], [], [], [], [], []
    with progress("rendering the synthetic clip", count) as steps:
        for i, time in enumerate(times):
            own, right = cameras[i : i + 1], right_cameras[i : i + 1]
            frames.append(render_colour(scene, lattice, time, own))
            right_frames.append(render_colour(scene, lattice, time, right))
            right_things.append(_things_hit(scene, _cast_pixels(scene, time, right), right))
            hits = _cast_pixels(scene, time, own)
            depth.append(hits.depth.view(own.height, own.width).float())
            things.append(_things_hit(scene, hits, own))
            if i + 1 < count:
                origin, directions = camera_rays(own)
                moved = _move_points(scene, hits, origin + directions * hits.depth[:, None], time, times[i + 1])
                flow.append(_flow_to(moved, cameras[i + 1 : i + 2]).float())
            steps.advance()
    return SyntheticClip(
        frames=torch.stack(frames),
        cameras=cameras,
        depth=torch.stack(depth),
        things=torch.stack(things),
        flow=torch.stack(flow) if flow else torch.zeros(0, cameras.height, cameras.width, 2),
        right_frames=torch.stack(right_frames),
        right_cameras=right_cameras,
        right_things=torch.stack(right_things),
        seconds=torch.arange(count, dtype=torch.float64) / fps,
    )


def render_truth(
    scene: list[Solid], time: float, camera: PinholeCameras
) -> tuple[
    Float32[Tensor, "h w"],  # z-depth at pixel centres
    UInt8[Tensor, "h w"],  # number of the thing seen there
]:
    """What one camera sees, without its colours."""
    hits = _cast_pixels(scene, time, camera)
    return hits.depth.view(camera.height, camera.width).float(), _things_hit(scene, hits, camera)


def _things_hit(scene: list[Solid], hits: Hits, camera: PinholeCameras) -> UInt8[Tensor, "h w"]:
    """Number of the thing at every pixel."""
    numbers = torch.tensor([solid.thing for solid in scene], dtype=torch.uint8)
    return numbers[hits.solid].view(camera.height, camera.width)


def _cast_pixels(scene: list[Solid], time: float, camera: PinholeCameras) -> Hits:
    return cast(scene, time, *camera_rays(camera))


def camera_rays(camera: PinholeCameras, per_pixel: int = 1) -> tuple[Float64[Tensor, "3"], Float64[Tensor, "rays 3"]]:
    """Origin and world directions of one camera's rays, row by row; a direction times z-depth leads to the surface."""
    c2w, K = camera.c2w[0], camera.K[0]
    x = (torch.arange(camera.width * per_pixel, dtype=torch.float64) + 0.5) / per_pixel
    y = (torch.arange(camera.height * per_pixel, dtype=torch.float64) + 0.5) / per_pixel
    rows, columns = torch.meshgrid((y - K[1, 2]) / K[1, 1], (x - K[0, 2]) / K[0, 0], indexing="ij")
    directions = torch.stack([columns, rows, torch.ones_like(rows)], dim=-1).view(-1, 3)
    return c2w[:3, 3], directions @ c2w[:3, :3].T


def cast(scene: list[Solid], time: float, origin: Float[Tensor, "3"], directions: Float[Tensor, "n 3"]) -> Hits:
    """Nearest surface along every ray, at the precision of the rays."""
    depth = torch.full_like(directions[:, 0], torch.inf)
    nearest = torch.zeros(len(directions), dtype=torch.int64)
    for index, solid in enumerate(scene):
        pose = solid.pose(time).to(directions.dtype)
        found = intersect(solid, pose[:3, :3].T @ (origin - pose[:3, 3]), directions @ pose[:3, :3])
        closer = found < depth
        depth = torch.where(closer, found, depth)
        nearest.masked_fill_(closer, index)
    return Hits(depth, nearest)


def render_colour(
    scene: list[Solid], lattice: Float[Tensor, " cells"], time: float, camera: PinholeCameras
) -> UInt8[Tensor, "h w 3"]:
    """One antialiased frame: Lambert shading, averaged over the rays of each pixel."""
    origin, directions = (value.float() for value in camera_rays(camera, SUPERSAMPLING))
    hits = cast(scene, time, origin, directions)
    pixel_angle = 1 / camera.K[0, 0, 0].item()
    colours = torch.empty_like(directions)
    for index, solid in enumerate(scene):
        rays = (hits.solid == index).nonzero()[:, 0]
        if not len(rays):
            continue
        pose = solid.pose(time).float()
        depth, direction = hits.depth[rays], directions[rays]
        points = (origin + direction * depth[:, None] - pose[:3, 3]) @ pose[:3, :3]
        normals = normals_at(solid, points)
        world_normals = normals @ pose[:3, :3].T
        facing = (world_normals * torch.nn.functional.normalize(direction, dim=1)).sum(dim=1).abs()
        # Geometric mean of the footprint's two axes: one of them is stretched where the surface is seen at a slant.
        footprint = depth * pixel_angle / facing.clamp_min(0.05).sqrt()
        albedo = texture_colours(solid.texture, points, normals, footprint, lattice)
        light = AMBIENT + (1 - AMBIENT) * (world_normals @ world_normals.new_tensor(SUN)).clamp_min(0)
        colours[rays] = albedo * light[:, None]
    image = colours.view(camera.height, SUPERSAMPLING, camera.width, SUPERSAMPLING, 3).mean(dim=(1, 3))
    return (image * 255).round().clamp(0, 255).to(torch.uint8)


def _move_points(
    scene: list[Solid], hits: Hits, points: Float64[Tensor, "n 3"], time: float, later: float
) -> Float64[Tensor, "n 3"]:
    """World positions at `later` of the surface points seen at `time`."""
    moves = torch.stack([solid.pose(later) @ torch.linalg.inv(solid.pose(time)) for solid in scene])[hits.solid]
    return (moves[:, :3, :3] @ points[:, :, None])[:, :, 0] + moves[:, :3, 3]


def _flow_to(points: Float64[Tensor, "n 3"], camera: PinholeCameras) -> Float64[Tensor, "h w 2"]:
    """Displacement in pixels from each pixel's centre to the projection of its point in `camera`."""
    w2c = camera.viewmats[0]
    seen = (points @ w2c[:3, :3].T + w2c[:3, 3]) @ camera.K[0].T
    pixels = (seen[:, :2] / seen[:, 2:]).view(camera.height, camera.width, 2)
    x = torch.arange(camera.width, dtype=torch.float64) + 0.5
    y = torch.arange(camera.height, dtype=torch.float64) + 0.5
    return pixels - torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
