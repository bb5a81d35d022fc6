"""Our reconstructors on a task's inputs, and on inputs and targets together for their cameras alone."""

from __future__ import annotations

import dataclasses
import json

import numpy as np

from neoverse_ns.evaluation.judges.views.task import ViewTask
from neoverse_ns.evaluation.placing.placed import known_inputs
from neoverse_ns.evaluation.placing.predict_all import Together
from neoverse_ns.export.camera_files import cameras_json
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.cameras.state import to_cameras
from neoverse_ns.reconstruct.bundle.config import BundleConfig, field_of_view
from neoverse_ns.reconstruct.bundle.solve import find_cameras
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.registry import choose_reconstructor, get_reconstructor, settled
from neoverse_ns.reconstruct.scene import Scene, scene_of
from neoverse_ns.reconstruct.split import FrameSplit, split_frames

GIVEN_FILE = "given_cameras.json"
"""Under which a task's true cameras are handed to a reconstructor, as a user would."""


def chained(config: SceneConfig) -> bool:
    """Whether the reconstructor follows frames from one to the next."""
    return choose_reconstructor(config).name == "bundle"


def input_scene(task: ViewTask, config: SceneConfig) -> tuple[Scene, list[int]]:
    """The scene of a task's inputs, all of which train, and which inputs are in it.

    Frames that show nothing the others show are left out, as of every clip.

    Args:
        task: Its true cameras are told to the reconstructor where its protocol says `given`.
        config: See :class:`SceneConfig`.

    Raises:
        ReconstructionError: The clip cannot be reconstructed.
        SettingsError: The protocol gives cameras that the data set does not tell.
    """
    config = dataclasses.replace(config, held_out_every=0)
    if task.placing == "given":
        config = dataclasses.replace(config, priors=_told(task))
    config = settled(config)
    scene = scene_of(task.clip, config, get_reconstructor(config))
    return scene, scene.clip.frame_indices.tolist()


def solve_together(joint: Together, config: SceneConfig, scene: SceneGeometry) -> PinholeCameras:
    """Cameras of inputs and targets, by the solver of the scene; whatever else it makes of them is thrown away.

    Args:
        joint: Their clip.
        config: As for the scene; what is known beforehand is of no use here.
        scene: What was found of the inputs alone.
    """
    config = settled(dataclasses.replace(config, held_out_every=0, priors=PriorsConfig()))
    clip = joint.clip
    if chained(config):
        solved = find_cameras(clip, split_frames(len(clip), held_out_every=0), _with_lens_of(scene, config.bundle))
        return to_cameras(solved.groups.state, clip.height, clip.width, 1.0)
    reconstructor = get_reconstructor(config)
    inputs = sorted(joint.inputs)
    wanted = reconstructor.keyframes_wanted(config.num_keyframes, len(inputs)) or (len(inputs) + 2) // 2
    places = np.unique(np.linspace(0, len(inputs) - 1, min(wanted, len(inputs))).round().astype(int))
    split = FrameSplit(inputs, sorted(joint.targets), [inputs[place] for place in places])
    return reconstructor.reconstruct(clip, split).cameras


def _with_lens_of(scene: SceneGeometry, config: BundleConfig) -> BundleConfig:
    """Settings that keep the focal length which the scene was made with, where it is one.

    Depth has made up for what is wrong with it: drawn with another one, however right, the scene would only be zoomed.
    """
    if scene.report.get("lens") != "pinhole":
        return config
    focal = float(scene.cameras.K[:, 0, 0].median()) / scene.cameras.width
    return dataclasses.replace(config, lens="pinhole", fov_degrees=field_of_view(focal))


def _told(task: ViewTask) -> PriorsConfig:
    """The true cameras as a file beside what else the method keeps."""
    cameras, clip = known_inputs(task), task.clip
    task.work.mkdir(parents=True, exist_ok=True)
    file = task.work / GIVEN_FILE
    document = cameras_json(cameras, clip.frame_indices, clip.seconds, [], {})
    file.write_text(json.dumps(document), "utf8")
    return PriorsConfig(cameras=file, match="number")
