"""Between the package's world and nerfstudio's: checked against matrices written out by hand and by scipy."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from neoverse_ns.gaussians.transform import transform
from neoverse_ns.plugin.world import (
    FRAME_KEY,
    dataparser_transform,
    opengl_to_viewmats,
    to_nerfstudio_cameras,
    viewmats_to_opengl,
    world_to_nerfstudio,
)
from tests.plugin.tiny_scene import HEIGHT, WIDTH, tiny_cameras, tiny_gaussians, tiny_scene

# A quarter turn about x brings y (down) to z's opposite (up is +z) and the viewing direction to +y.
QUARTER = Rotation.from_euler("x", -90, degrees=True).as_matrix()


def test_first_camera_looks_along_y_with_z_up() -> None:
    cameras = to_nerfstudio_cameras(tiny_cameras(), torch.linspace(0, 1, 9), [0])
    right, up, back = cameras.camera_to_worlds[0, :, :3].T.tolist()
    assert right == [1, 0, 0]
    assert up == [0, 0, 1]
    assert back == [0, -1, 0]
    assert cameras.camera_to_worlds[0, :, 3].tolist() == [0, 0, 0]


def test_cameras_equal_explicit_matrices() -> None:
    cameras, times, frames = tiny_cameras(), tiny_scene().clip.times, [1, 4, 8]
    result = to_nerfstudio_cameras(cameras, times, frames)
    world, axes = np.eye(4), np.diag([1.0, -1.0, -1.0, 1.0])
    world[:3, :3] = QUARTER
    for place, frame in enumerate(frames):
        expected = world @ cameras.c2w[frame].double().numpy() @ axes
        np.testing.assert_allclose(result.camera_to_worlds[place].numpy(), expected[:3], atol=1e-6)
    assert result.times is not None
    assert result.times.shape == (3, 1)
    np.testing.assert_allclose(result.times[:, 0].numpy(), [1 / 8, 4 / 8, 1], atol=1e-6)
    assert result.metadata is not None
    assert result.metadata[FRAME_KEY].reshape(-1).tolist() == frames
    assert (result.width == WIDTH).all()
    assert (result.height == HEIGHT).all()
    np.testing.assert_array_equal(result.get_intrinsics_matrices().numpy(), cameras.K[frames].numpy())


def test_viewmats_are_inverses_and_round_trip() -> None:
    cameras = tiny_cameras()
    opengl = to_nerfstudio_cameras(cameras, torch.zeros(9), list(range(9))).camera_to_worlds
    viewmats = opengl_to_viewmats(opengl)
    full = torch.cat([opengl * torch.tensor([1.0, -1, -1, 1]), torch.tensor([[[0.0, 0, 0, 1]]]).expand(9, 1, 4)], dim=1)
    np.testing.assert_allclose(viewmats.numpy(), np.linalg.inv(full.double().numpy()), atol=1e-6)
    np.testing.assert_allclose(viewmats_to_opengl(viewmats).numpy(), opengl.numpy(), atol=1e-6)


def test_a_point_projects_to_the_same_pixel_in_both_worlds() -> None:
    cameras, gaussians = tiny_cameras(), tiny_gaussians()
    opengl = to_nerfstudio_cameras(cameras, torch.zeros(9), list(range(9)))
    moved = transform(gaussians, world_to_nerfstudio())
    for frame in (0, 5):
        before = gaussians.means @ cameras.viewmats[frame, :3, :3].T + cameras.viewmats[frame, :3, 3]
        view = opengl_to_viewmats(opengl.camera_to_worlds)[frame]
        after = moved.means @ view[:3, :3].T + view[:3, 3]
        np.testing.assert_allclose(before.numpy(), after.numpy(), atol=1e-5)


def test_dataparser_transform_is_the_worlds_rotation() -> None:
    matrix = dataparser_transform()
    np.testing.assert_allclose(matrix[:, :3].numpy(), QUARTER, atol=1e-12)
    assert (matrix[:, 3] == 0).all()
    np.testing.assert_allclose(world_to_nerfstudio().R.numpy(), QUARTER, atol=1e-12)
