"""Optical and scene flow of Virtual KITTI 2, by which its poses can be checked; training needs neither."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float32
from torch import Tensor

from neoverse_ns.datafiles.reading import read_deep_png, read_table
from neoverse_ns.errors import ClipError
from neoverse_ns.geometry.se3 import so3_log
from neoverse_ns.training.data.sets.virtual_kitti2 import CAMERA, VirtualKittiClip, rotations

_MOST = 65535
_SCENE_FLOW_METRES = 10.0
_NEAR = 50.0
"""Metres up to which still surfaces are compared: beyond, a step of the encoding is more than they move."""
_AGREE_METRES, _AGREE_DEGREES = 0.05, 1.0


def read_flow(
    path: Path,
) -> tuple[
    Float32[Tensor, "h w 2"],  # displacement in pixels (x, y)
    Bool[Tensor, "h w"],  # it is known
]:
    """Optical flow: x in red from -(W - 1) to W - 1, y in green from -(H - 1) to H - 1, blue 0 where unknown.

    Raises:
        ClipError: It cannot be read.
    """
    values = read_deep_png(path, channels=3)
    height, width = values.shape[:2]
    share = 2 * values[..., :2].astype(np.float64) / _MOST - 1
    flow = share * np.array([width - 1, height - 1])
    return torch.from_numpy(flow.astype(np.float32)), torch.from_numpy(values[..., 2] > 0)


def read_scene_flow(path: Path) -> Float32[Tensor, "h w 3"]:
    """Displacement in metres along the camera's axes, from -10 to 10.

    Raises:
        ClipError: It cannot be read.
    """
    values = read_deep_png(path, channels=3)
    return torch.from_numpy(((2 * values.astype(np.float64) / _MOST - 1) * _SCENE_FLOW_METRES).astype(np.float32))


@dataclass(frozen=True)
class SceneFlowVerdict:
    """What scene flow says about surfaces that stand still.

    Attributes:
        still: Median length of scene flow there, in metres: near 0 if it holds only what moves.
        with_camera: Median distance to the change of their camera coordinates: near 0 if it holds the camera's motion.
    """

    still: float
    with_camera: float

    @property
    def holds_camera(self) -> bool:
        return self.with_camera < self.still


def judge_scene_flow(clip: VirtualKittiClip, index: int) -> SceneFlowVerdict:
    """Whether forward scene flow of a frame holds the camera's own motion, which its description leaves open.

    Raises:
        ClipError: Its files cannot be read, or nothing near stands still.
    """
    path = _scene_flow_file(clip, index)
    flow = read_scene_flow(path).double()
    view = clip.view(index)
    near = view.known & (view.depth < _NEAR) & (clip.instances(index) == 0)
    if not near.any():
        raise ClipError(f"{path}: nothing within {_NEAR:g} m stands still in this frame; take another")
    later = torch.linalg.inv(clip.view(index + 1).c2w)
    before = torch.linalg.inv(view.c2w)
    change = later - before
    points = view.points[near]
    moved = points @ change[:3, :3].T + change[:3, 3]
    return SceneFlowVerdict(_median(flow[near]), _median(flow[near] - moved))


@dataclass(frozen=True)
class PoseDisagreement:
    """How far vehicles' poses in camera axes are from their poses in the world seen by the camera; medians.

    Attributes:
        metres: Near 0 where `extrinsic.txt` is of the same world and direction.
        degrees: Near 0 where, beside that, the three angles are applied in the right order.
    """

    metres: float
    degrees: float


def pose_disagreement(clip: VirtualKittiClip) -> PoseDisagreement:
    """Hold the poses of vehicles, which `pose.txt` lists in both axes, against the cameras.

    Raises:
        ClipError: The files cannot be read.
    """
    table = read_table(clip.folder / "pose.txt", 19, header=1)
    table = table[(table[:, 1] == CAMERA) & (table[:, 0] < clip.info.frames)]
    if not len(table):
        raise ClipError(f"{clip.folder / 'pose.txt'}: lists no vehicle for camera {CAMERA}")
    values = torch.from_numpy(table)
    w2c = clip.w2c[values[:, 0].long()]
    seen = (w2c[:, :3, :3] @ values[:, 7:10, None]).squeeze(-1) + w2c[:, :3, 3]
    turned = rotations(values[:, 16:19]).mT @ w2c[:, :3, :3] @ rotations(values[:, 10:13])
    return PoseDisagreement(_median(seen - values[:, 13:16]), math.degrees(_median(so3_log(turned))))


def remarks_on(clip: VirtualKittiClip) -> list[str]:
    """Whether vehicles and cameras agree, and what scene flow holds, where the files for it are there.

    Raises:
        ClipError: One of them cannot be read.
    """
    said = []
    if (clip.folder / "pose.txt").is_file():
        apart = pose_disagreement(clip)
        agree = "agree" if apart.metres < _AGREE_METRES and apart.degrees < _AGREE_DEGREES else "DISAGREE"
        said.append(f"vehicles and cameras {agree}: {apart.metres:.3f} m and {apart.degrees:.2f} degrees apart")
    if clip.info.frames > 1 and _scene_flow_file(clip, 0).is_file() and "motion" in clip.info.has:
        verdict = judge_scene_flow(clip, 0)
        held = "holds" if verdict.holds_camera else "does not hold"
        said.append(
            f"scene flow {held} the camera's own motion: what stands still is {verdict.still:.3f} m from rest and "
            f"{verdict.with_camera:.3f} m from where the camera's motion takes it; motion is taken of vehicles' poses"
        )
    return said


def _scene_flow_file(clip: VirtualKittiClip, index: int) -> Path:
    return clip.folder / "frames/forwardSceneFlow" / f"Camera_{CAMERA}" / f"sceneFlow_{index:05d}.png"


def _median(vectors: Tensor) -> float:
    return float(vectors.norm(dim=-1).median())
