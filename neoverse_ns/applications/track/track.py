"""Points of a clip in 3D through all its frames."""

from __future__ import annotations

import torch
from jaxtyping import Int64
from torch import Tensor

from neoverse_ns.applications.track.config import TrackConfig
from neoverse_ns.applications.track.follow import follow
from neoverse_ns.applications.track.pair_motion import PairMotion, measure_pairs
from neoverse_ns.applications.track.queries import Queries
from neoverse_ns.applications.track.surfaces import lifted, moving_points, still_points
from neoverse_ns.applications.track.templates import cut_templates
from neoverse_ns.applications.track.tracks import Tracks
from neoverse_ns.applications.track.views import SceneViews, scene_views
from neoverse_ns.errors import RunError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.reconstruct.bundle.flow.dense_flow import to_gray
from neoverse_ns.reconstruct.scene import Scene


def track(scene: ExportScene, queries: Queries, config: TrackConfig | None = None) -> Tracks:
    """Follow points through a scene.

    A point that is given on something still stays where it is in the world. One on a moving thing goes with it: from
    keyframe to keyframe as the Gaussians drawn around it move, made exact on the clip's frames as far as
    `config.anchor` allows.

    Args:
        scene: With what it was made from.
        queries: The points.
        config: See :class:`TrackConfig`.

    Raises:
        SettingsError: A setting is out of range, or a point lies outside the pictures.
        RunError: Only Gaussians are known of the scene.
    """
    config = config or TrackConfig()
    config.validate()
    if scene.source is None:
        raise RunError("this scene does not know the frames that points lie in: load it from its run")
    cameras = scene.cameras
    queries = queries.checked(len(cameras), cameras.width, cameras.height)
    views = scene_views(scene)
    thing = thing_at(queries, views)
    xy, moving = queries.xy.double(), thing > 0
    uv, place, visible = still_points(xy, queries.frame, views, config.tolerance)
    world = place.expand(len(views), -1, -1).clone()
    if bool(moving.any()):
        rows = moving.nonzero()[:, 0]
        chosen = Queries(xy[rows], queries.frame[rows])
        found = _moving(scene.source, chosen, thing[rows], views, config)
        uv[:, rows], world[:, rows], visible[:, rows] = found
    return Tracks(queries, uv, world, visible, moving, views.cameras, scene.seconds)


def thing_at(queries: Queries, views: SceneViews) -> Int64[Tensor, " p"]:
    """What each point is a part of; 0 for what is still."""
    column = queries.xy[:, 0].long().clamp(max=views.cameras.width - 1)
    row = queries.xy[:, 1].long().clamp(max=views.cameras.height - 1)
    return views.things[queries.frame, row, column]


def _moving(
    source: Scene, queries: Queries, thing: Int64[Tensor, " p"], views: SceneViews, config: TrackConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Places in the picture, in the world, and when they are seen."""
    frames = source.clip.frames.numpy()
    usable = {"video": range(len(views)), "training": source.split.train, "scene": ()}[config.anchor]
    motion = measure_pairs(views, frames, usable) if len(usable) else PairMotion(views)
    xy, frame, number = queries.xy.numpy(), queries.frame.numpy(), thing.numpy()
    templates = None
    if len(usable):
        # Patches are cut from, and looked for in, frames that may be measured on alone.
        templates = cut_templates(to_gray(frames), queries, views.things.numpy(), number, set(usable))
    paths = follow(xy, frame, number, motion, templates)
    depth, visible = moving_points(paths, frame, number, views)
    uv, z = torch.from_numpy(paths.uv), torch.from_numpy(depth)
    cameras = views.cameras
    world = lifted(uv, z, cameras.c2w.to(uv), cameras.K.to(uv))
    return uv, world, torch.from_numpy(visible)
