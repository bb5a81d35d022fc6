"""The synthetic clip's camera: a hand-held walk past the scene, with sway and a bit of shake."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras

FOCAL_OVER_WIDTH = 0.85
"""Focal length over image width: about 61 degrees of horizontal field of view."""

BASELINE = 0.5
"""Distance of the second camera to the right, in scene units: 8-9 % of the median depth."""

SHAKE = math.radians(0.35)
"""Amplitude of the rotational shake."""


def look_at(eye: Float[Tensor, "3"], target: Float[Tensor, "3"]) -> Float[Tensor, "4 4"]:
    """Camera-to-world matrix (OpenCV axes) of a camera at `eye` that looks at `target`, without roll (y is down)."""
    forward = torch.nn.functional.normalize(target - eye, dim=0)
    right = torch.nn.functional.normalize(torch.linalg.cross(eye.new_tensor([0.0, 1.0, 0.0]), forward), dim=0)
    pose = torch.eye(4, dtype=eye.dtype)
    pose[:3, :3] = torch.stack([right, torch.linalg.cross(forward, right), forward], dim=1)
    pose[:3, 3] = eye
    return pose


def camera_path(
    num_frames: int, width: int, height: int, generator: torch.Generator, shaking: float = 1.0
) -> PinholeCameras:
    """Cameras in float64. They walk about 3.4 units sideways and a little ahead while looking at the scene's middle.

    Args:
        num_frames: How many.
        width: Of their pictures, in pixels.
        height: Of their pictures, in pixels.
        generator: Draws the phases of footsteps and shake.
        shaking: Factor on footsteps and shake; 0 is the same walk on rails.
    """
    phase = 2 * math.pi * torch.rand(6, generator=generator, dtype=torch.float64)
    poses = []
    for index in range(num_frames):
        time = index / max(num_frames - 1, 1)
        ease = time + 0.06 * math.sin(2 * math.pi * time)
        step = shaking * 0.035 * math.sin(2 * math.pi * 5 * time + phase[0].item())  # Five footsteps.
        eye = torch.tensor([-1.6 + 3.2 * ease, step - 0.15 * ease, 0.9 * ease * ease], dtype=torch.float64)
        target = torch.tensor([-0.5 + 0.9 * time, 0.35 + 0.1 * time, 6.5], dtype=torch.float64)
        pose = look_at(eye, target)
        pose[:3, :3] = pose[:3, :3] @ _shake(time, phase[1:], shaking)
        poses.append(pose)
    K = torch.eye(3, dtype=torch.float64).repeat(num_frames, 1, 1)
    K[:, 0, 0] = K[:, 1, 1] = FOCAL_OVER_WIDTH * width
    K[:, 0, 2], K[:, 1, 2] = width / 2, height / 2
    return PinholeCameras(torch.stack(poses), K, width, height)


def beside(cameras: PinholeCameras, distance: float = BASELINE) -> PinholeCameras:
    """The same cameras moved to their right by `distance`: a rectified stereo pair."""
    c2w = cameras.c2w.clone()
    c2w[:, :3, 3] += distance * c2w[:, :3, 0]
    return PinholeCameras(c2w, cameras.K.clone(), cameras.width, cameras.height)


def _shake(time: float, phase: Float[Tensor, "5"], shaking: float) -> Float[Tensor, "3 3"]:
    """Small rotation whose three angles follow incommensurable sines."""
    rates = (3.1, 4.3, 2.3)
    x, y, z = (shaking * SHAKE * math.sin(2 * math.pi * rate * time + phase[i].item()) for i, rate in enumerate(rates))
    skew = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
    return torch.linalg.matrix_exp(skew)
