"""An edited scene as a scene: to be saved, exported, rendered, or finished like any other."""

from __future__ import annotations

import dataclasses

import torch
from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.applications.edit.apply import EditedScene
from neoverse_ns.applications.edit.composite import EditedFrames
from neoverse_ns.errors import RunError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.scene import Scene

_HALF = 0.5


def as_scene(
    scene: ExportScene, edited: EditedScene, composed: EditedFrames, frames: UInt8[Tensor, "f h w 3"]
) -> ExportScene:
    """The scene with its edits, whose clip is the edited one.

    Args:
        scene: Before the edits, with what it was made from.
        edited: After them.
        composed: What the clip's own cameras see of the edits.
        frames: The finished frames, of all sampled frames.

    Raises:
        RunError: Only Gaussians are known of the scene.
    """
    origin = scene.source
    if origin is None:
        raise RunError("this scene has no frames: load it from its run to edit its clip")
    gaussians = edited.gaussians.detach().to("cpu")
    geometry = _geometry(origin.geometry, composed)
    changed, arrived = composed.weight[origin.split.held_out] > _HALF, composed.arrived[origin.split.held_out] > _HALF
    source = dataclasses.replace(
        origin,
        clip=dataclasses.replace(origin.clip, frames=frames, tracking=None),
        geometry=dataclasses.replace(geometry, cameras=_kept(scene)),
        gaussians=gaussians,
        held_out_dynamic=(origin.held_out_dynamic & ~changed) | arrived,
        folder=None,
    )
    return dataclasses.replace(scene, gaussians=gaussians, source=source)


def saved(scene: ExportScene) -> Scene:
    """What :func:`neoverse_ns.reconstruct.store.save_scene` takes of an edited scene.

    Raises:
        RunError: Only Gaussians are known of it.
    """
    if scene.source is None:
        raise RunError("this scene has no frames: it can be exported, but not saved as a scene")
    return scene.source


def _kept(scene: ExportScene) -> PinholeCameras:
    return dataclasses.replace(scene.cameras, c2w=scene.cameras.c2w.detach().cpu(), K=scene.cameras.K.detach().cpu())


def _geometry(geometry: SceneGeometry, composed: EditedFrames) -> SceneGeometry:
    """Depth, moving pixels and things where the edits changed what the keyframes show."""
    here = geometry.keyframes
    changed, arrived = composed.weight[here] > _HALF, composed.arrived[here] > _HALF
    drawn = composed.depth[here].to(geometry.depth)
    things = geometry.things
    if things is not None:
        number = int(things.max()) + 1
        things = torch.where(arrived, torch.full_like(things, number), things.masked_fill(changed, 0))
    return dataclasses.replace(
        geometry,
        depth=torch.where(changed & (drawn > 0), drawn, geometry.depth),
        dynamic=(geometry.dynamic & ~changed) | arrived,
        things=things,
    )
