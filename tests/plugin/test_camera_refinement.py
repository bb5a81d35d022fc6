"""Refined cameras: who follows whom, and that every place that applies a correction applies the same one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from neoverse_ns.plugin.camera_refinement import CameraRefinement, CameraRefinementConfig
from neoverse_ns.plugin.world import opengl_to_viewmats, to_nerfstudio_cameras
from tests.plugin.tiny_scene import tiny_cameras

TRAIN, HELD_OUT = [0, 1, 3, 4, 5, 7, 8], [2, 6]


def refinement(mode: str = "SE3", train: list[int] = TRAIN, held_out: list[int] = HELD_OUT) -> CameraRefinement:
    module = CameraRefinementConfig(mode=mode).setup(num_cameras=len(train), device="cpu")  # type: ignore[arg-type]
    module.setup_frames(train, held_out)
    if mode != "off":
        module.pose_adjustment.data = 0.05 * torch.randn(len(train), 6, generator=torch.Generator().manual_seed(1))
    return module


def all_cameras():
    return to_nerfstudio_cameras(tiny_cameras(), torch.linspace(0, 1, 9), list(range(9)))


def test_held_out_frames_follow_their_neighbours_in_proportion() -> None:
    module = refinement(train=[0, 3, 4, 8], held_out=[1, 2, 5, 6, 7])
    expected = np.zeros((9, 4))
    between_0_and_3 = [(0, 0, 0.0), (0, 1, 1 / 3), (0, 1, 2 / 3), (1, 1, 0.0)]
    between_4_and_8 = [(2, 2, 0.0), (2, 3, 1 / 4), (2, 3, 2 / 4), (2, 3, 3 / 4), (3, 3, 0.0)]
    for frame, (a, b, share) in enumerate(between_0_and_3 + between_4_and_8):
        expected[frame, a] += 1 - share
        expected[frame, b] += share
    np.testing.assert_allclose(module.weights.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("train", "held_out", "frame", "follows"), [([1, 2], [0], 0, 0), ([0, 1], [2], 2, 1), ([0], [], 0, 0)]
)
def test_frames_outside_the_training_frames_follow_the_nearest(
    train: list[int], held_out: list[int], frame: int, follows: int
) -> None:
    module = refinement(train=train, held_out=held_out)
    torch.testing.assert_close(module.twists()[frame], module.pose_adjustment[follows])


def test_correction_is_the_matrix_exponential_from_the_left() -> None:
    module, cameras = refinement(), all_cameras()
    result = module.refined_viewmats(cameras).detach().double().numpy()
    before = opengl_to_viewmats(cameras.camera_to_worlds).double().numpy()
    for place, frame in enumerate(TRAIN):
        x, y, z, a, b, c = module.pose_adjustment[place].detach().double().tolist()
        twist = np.array([[0, -c, b, x], [c, 0, -a, y], [-b, a, 0, z], [0, 0, 0, 0]])
        np.testing.assert_allclose(result[frame], expm(twist) @ before[frame], atol=1e-6)


def test_exported_and_displayed_cameras_equal_the_drawn_ones() -> None:
    module, cameras = refinement(), all_cameras()
    drawn = module.refined_viewmats(cameras)
    exported = module.apply_to_camera(cameras)
    torch.testing.assert_close(opengl_to_viewmats(exported), drawn, atol=1e-6, rtol=0)
    # The viewer multiplies training cameras from the right with what `forward` gives.
    estimated = torch.cat([cameras.camera_to_worlds, torch.tensor([[[0.0, 0, 0, 1]]]).expand(9, 1, 4)], dim=1)[TRAIN]
    delta = module(torch.arange(len(TRAIN)))
    shown = estimated @ torch.cat([delta, torch.tensor([[[0.0, 0, 0, 1]]]).expand(len(TRAIN), 1, 4)], dim=1)
    torch.testing.assert_close(shown[:, :3], exported[TRAIN], atol=1e-6, rtol=0)


@pytest.mark.parametrize("how", ["off", "free", "no metadata"])
def test_nothing_is_corrected_where_nothing_is_known(how: str) -> None:
    module, cameras = refinement("off" if how == "off" else "SE3"), all_cameras()
    if how != "off":
        cameras.metadata = {} if how == "free" else None
    torch.testing.assert_close(module.refined_viewmats(cameras), opengl_to_viewmats(cameras.camera_to_worlds))
    torch.testing.assert_close(module.apply_to_camera(cameras), cameras.camera_to_worlds, atol=1e-6, rtol=0)
    if how == "off":
        torch.testing.assert_close(module(torch.tensor([0, 1])), torch.eye(4)[:3].expand(2, 3, 4))


def test_gradients_reach_the_neighbours_of_the_frame_drawn() -> None:
    module, cameras = refinement(), all_cameras()
    module.refined_viewmats(cameras[2:3])[0, :3].sum().backward()
    touched = module.pose_adjustment.grad.abs().sum(dim=1) > 0
    assert touched.tolist() == [frame in (1, 3) for frame in TRAIN]
