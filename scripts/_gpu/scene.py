"""The synthetic clip as a scene, lifted from its true cameras, depth and flow: the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow
from neoverse_ns.reconstruct.bundle.lifting.scene_layers import scene_layers
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import FrameSplit
from neoverse_ns.reconstruct.store import is_saved_scene, load_scene, save_scene

SCENE, ASIDE = "scene", "aside.pt"


@dataclass(frozen=True)
class KnownScene:
    """A scene, and what a second camera saw at the same times, which it was not made from.

    Attributes:
        scene: Every frame is a keyframe, so that the true flow from each to the next can be used.
        aside: The second camera, in the scene's world.
        images: What it saw.
    """

    scene: Scene
    aside: PinholeCameras
    images: UInt8[Tensor, "n h w 3"]


def known_scene(folder: Path, frames: int, width: int, height: int) -> KnownScene:
    """The scene kept in `folder`; made and kept there where it is not."""
    if not is_saved_scene(folder / SCENE) or not (folder / ASIDE).is_file():
        made = make_scene(frames, width, height)
        save_scene(made.scene, folder / SCENE)
        torch.save({"c2w": made.aside.c2w, "images": made.images}, folder / ASIDE)
    scene = load_scene(folder / SCENE)
    seen = torch.load(folder / ASIDE, weights_only=True)
    cameras = scene.geometry.cameras
    return KnownScene(scene, PinholeCameras(seen["c2w"], cameras.K, cameras.width, cameras.height), seen["images"])


def make_scene(frames: int, width: int, height: int) -> KnownScene:
    """Render and lift it."""
    truth = render_synthetic(frames, width, height)
    clip, keyframes = truth.as_clip(), list(range(frames))
    geometry = true_geometry(truth)
    flows = {(frame, frame + 1): KeyframeFlow(flow, torch.ones(height, width)) for frame, flow in enumerate(truth.flow)}
    gaussians = scene_layers(clip, geometry, flows, LiftConfig())
    nothing = torch.zeros(0, height, width, dtype=torch.bool)
    scene = Scene(clip, FrameSplit(keyframes, [], keyframes), geometry, gaussians, nothing)
    aside = PinholeCameras(_in_world(truth, truth.right_cameras.c2w), geometry.cameras.K, width, height)
    return KnownScene(scene, aside, truth.right_frames)


def true_geometry(truth: SyntheticClip) -> SceneGeometry:
    """Cameras and depth as a reconstruction would have them: the first camera is the world, the median depth 1."""
    cameras = truth.cameras
    c2w = _in_world(truth, cameras.c2w)
    c2w[0] = torch.eye(4)
    return SceneGeometry(
        cameras=PinholeCameras(c2w, cameras.K.float(), cameras.width, cameras.height),
        keyframes=list(range(len(truth.frames))),
        depth=truth.depth / truth.depth.median(),
        confidence=torch.ones_like(truth.depth),
        dynamic=truth.dynamic,
        report={"kind": "true"},
    )


def _in_world(truth: SyntheticClip, c2w: Float[Tensor, "n 4 4"]) -> Float[Tensor, "n 4 4"]:
    """Cameras of the clip's own world in the scene's."""
    moved = torch.linalg.inv(truth.cameras.c2w[0]) @ c2w
    moved[:, :3, 3] /= truth.depth.median()
    return moved.float()
