"""Cameras of a protocol's targets in the world of a run."""

from __future__ import annotations

import torch
from nerfstudio.cameras.cameras import Cameras, CameraType

from neoverse_ns.evaluation.judges.views.task import ViewTask
from neoverse_ns.evaluation.placing.place import place
from neoverse_ns.evaluation.placing.placed import Placed
from neoverse_ns.evaluation.placing.predict_all import Together, place_predict_all
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.plugin.benchmark.targets import RunTargets
from neoverse_ns.plugin.world import TARGET_KEY, to_nerfstudio_c2w
from neoverse_ns.reconstruct.given_world import given_world
from neoverse_ns.reconstruct.scene import Scene


def place_targets(targets: RunTargets, scene: Scene, found: PinholeCameras) -> Placed:
    """Where a protocol puts its targets' cameras, for the cameras that inputs are found to have.

    Args:
        targets: What is judged; its `placing` decides.
        scene: Made of the inputs.
        found: Of the inputs, in this package's world: as reconstructed, or as refined since.

    Raises:
        SettingsError: They cannot be placed; says why.
    """
    task = ViewTask(
        scene=targets.scene,
        clip=scene.clip,
        names=targets.inputs,
        cameras=targets.cameras,
        targets=targets.targets,
        work=targets.folder,
        placing=targets.placing,
        input_cameras=targets.input_cameras,
    )
    if targets.joint is None:
        return place(task, found, given_world(scene.geometry.report))
    joint = Together(scene.clip, list(targets.joint_inputs), list(targets.joint_targets))
    return place_predict_all(task, found, joint, targets.joint, targets.placing == "predict-all-signed")


def target_cameras(targets: RunTargets, scene: Scene) -> Cameras:
    """All targets as nerfstudio's cameras, placed by the cameras as reconstructed."""
    placed = place_targets(targets, scene, scene.geometry.cameras)
    K = placed.K.float()
    return Cameras(
        camera_to_worlds=to_nerfstudio_c2w(placed.c2w).float(),
        fx=K[:, 0, 0].contiguous(),
        fy=K[:, 1, 1].contiguous(),
        cx=K[:, 0, 2].contiguous(),
        cy=K[:, 1, 2].contiguous(),
        width=torch.tensor([target.width for target in targets.targets]),
        height=torch.tensor([target.height for target in targets.targets]),
        times=torch.tensor([target.time for target in targets.targets]).reshape(-1, 1),
        camera_type=CameraType.PERSPECTIVE,
        metadata={TARGET_KEY: torch.arange(len(targets.targets)).reshape(-1, 1)},
    )
