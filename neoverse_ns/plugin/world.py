"""Between this package's world (OpenCV axes, first camera at the origin) and nerfstudio's (z up, OpenGL cameras)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from nerfstudio.cameras.cameras import Cameras, CameraType
from torch import Tensor

from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras

# The first camera looks along +z with y down; nerfstudio's viewer wants z up, so it shall look along +y.
TO_NERFSTUDIO = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Rotation from this package's world to nerfstudio's."""

_FLIP = torch.tensor([1.0, -1.0, -1.0])

FRAME_KEY = "neoverse_frame"
"""Key in `Cameras.metadata` that tells which sampled frame a camera belongs to; free cameras lack it."""

TARGET_KEY = "neoverse_target"
"""Key in `Cameras.metadata` that tells which of a protocol's targets a camera belongs to."""

VIEW_KEY = "neoverse_refined_view"
"""Key in `Cameras.metadata` of refined training views: drawn with everything that free cameras see."""


def world_to_nerfstudio() -> Sim3:
    """The same rotation as a similarity."""
    return Sim3(torch.ones((), dtype=torch.float64), TO_NERFSTUDIO.double(), torch.zeros(3, dtype=torch.float64))


def dataparser_transform() -> Float[Tensor, "3 4"]:
    """What nerfstudio's outputs carry to be able to go back."""
    return torch.cat([TO_NERFSTUDIO, torch.zeros(3, 1)], dim=1)


def nerfstudio_to_world() -> Sim3:
    """The way back."""
    there = world_to_nerfstudio()
    return Sim3(there.scale, there.R.mT, there.t)


def to_nerfstudio_c2w(c2w: Float[Tensor, "n 4 4"]) -> Float[Tensor, "n 3 4"]:
    """OpenGL camera-to-world matrices in nerfstudio's world, of OpenCV ones in this package's."""
    turn = TO_NERFSTUDIO.to(c2w)
    rotation = turn @ c2w[:, :3, :3] * _FLIP.to(c2w)
    return torch.cat([rotation, (c2w[:, :3, 3] @ turn.T)[..., None]], dim=-1)


def opencv_to_opengl(c2w: Float[Tensor, "n 4 4"]) -> Float[Tensor, "n 3 4"]:
    """The same cameras with OpenGL axes (right, up, back), in the world that they are in."""
    return torch.cat([c2w[:, :3, :3] * _FLIP.to(c2w), c2w[:, :3, 3:]], dim=-1)


def to_nerfstudio_cameras(cameras: PinholeCameras, times: Float[Tensor, " n"], frames: list[int]) -> Cameras:
    """Cameras of the sampled frames `frames`, with their times.

    Args:
        cameras: All sampled frames' cameras, in this package's world.
        times: All sampled frames' normalised times.
        frames: Which of them to take.
    """
    chosen = cameras[frames]
    return Cameras(
        camera_to_worlds=to_nerfstudio_c2w(chosen.c2w),
        fx=chosen.K[:, 0, 0].contiguous(),
        fy=chosen.K[:, 1, 1].contiguous(),
        cx=chosen.K[:, 0, 2].contiguous(),
        cy=chosen.K[:, 1, 2].contiguous(),
        width=cameras.width,
        height=cameras.height,
        times=times[frames].reshape(-1, 1),
        camera_type=CameraType.PERSPECTIVE,
        metadata={FRAME_KEY: torch.tensor(frames).reshape(-1, 1)},
    )


def opengl_to_viewmats(camera_to_worlds: Float[Tensor, "n 3 4"]) -> Float[Tensor, "n 4 4"]:
    """OpenCV world-to-camera matrices of nerfstudio's OpenGL camera-to-world ones (a rigid inverse, exact)."""
    rotation = (camera_to_worlds[:, :3, :3] * _FLIP.to(camera_to_worlds)).mT
    translation = -rotation @ camera_to_worlds[:, :3, 3:]
    bottom = camera_to_worlds.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(len(camera_to_worlds), 1, 4)
    return torch.cat([torch.cat([rotation, translation], dim=-1), bottom], dim=1)


def viewmats_to_opengl(viewmats: Float[Tensor, "n 4 4"]) -> Float[Tensor, "n 3 4"]:
    """The inverse of :func:`opengl_to_viewmats`."""
    rotation = viewmats[:, :3, :3].mT
    centre = -rotation @ viewmats[:, :3, 3:]
    return torch.cat([rotation * _FLIP.to(viewmats), centre], dim=-1)
