"""Known cameras and depth in the network's own units."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from neoverse_ns.errors import SettingsError
from neoverse_ns.networks.neoverse.prior_tokens import (
    Priors,
    normalize_depth,
    normalize_intrinsics,
    normalize_poses,
)
from tests.networks.neoverse.fixtures import frames, lively


def poses(positions: torch.Tensor, seed: int = 0) -> torch.Tensor:
    c2w = torch.eye(4).repeat(*positions.shape[:2], 1, 1)
    rotations = Rotation.random(positions[..., 0].numel(), random_state=seed).as_matrix()
    c2w[..., :3, :3] = torch.from_numpy(rotations).float().reshape(*positions.shape[:2], 3, 3)
    c2w[..., :3, 3] = positions
    return c2w


def test_poses_fill_the_unit_cube_but_for_its_border() -> None:
    positions = torch.tensor([[[1.0, 2.0, 3.0], [5.0, 2.0, 4.0], [2.0, 3.0, 3.5]], [[0.0, 0, 0], [0, 0, 8], [0, 2, 0]]])
    values = normalize_poses(poses(positions))
    # x spans four, the largest extent, hence 0.1 to 0.9; the others keep their proportion around the centre.
    np.testing.assert_allclose(values[0, :, 0], [0.1, 0.9, 0.3], atol=1e-6)
    np.testing.assert_allclose(values[0, :, 1], [0.4, 0.4, 0.6], atol=1e-6)
    np.testing.assert_allclose(values[0, :, 2], [0.4, 0.6, 0.5], atol=1e-6)
    np.testing.assert_allclose(values[1, :, 2], [0.1, 0.9, 0.1], atol=1e-6)
    quaternions = Rotation.random(6, random_state=0).as_quat(canonical=True).reshape(2, 3, 4)
    np.testing.assert_allclose(values[..., 3:], quaternions, atol=1e-6)


def test_one_clip_does_not_move_another() -> None:
    one, other = poses(torch.rand(1, 4, 3)), poses(50 + torch.rand(1, 4, 3), seed=1)
    torch.testing.assert_close(normalize_poses(torch.cat([one, other]))[:1], normalize_poses(one))


def test_outliers_of_many_poses_are_clamped() -> None:
    positions = torch.rand(1, 40, 3, generator=torch.Generator().manual_seed(0))
    positions[0, 7] = torch.tensor([500.0, -500.0, 0.5])
    values = normalize_poses(poses(positions))[0, :, :3]
    low, high = np.percentile(positions[0].numpy(), [5, 95], axis=0)
    scale = (high - low).max() / 0.8
    expected = np.clip((positions[0].numpy() - (low + high) / 2) / scale + 0.5, 0, 1)
    np.testing.assert_allclose(values, expected, atol=1e-5)
    assert values[7, :2].tolist() == [1, 0]


def test_a_camera_that_stands_still_sits_in_the_middle() -> None:
    values = normalize_poses(poses(torch.full((1, 3, 3), 7.0)))
    np.testing.assert_allclose(values[..., :3], 0.5, atol=1e-6)


def test_poses_that_are_not_finite_are_told() -> None:
    c2w = poses(torch.rand(1, 2, 3))
    c2w[0, 1, 0, 3] = torch.nan
    with pytest.raises(SettingsError, match="not finite"):
        Priors(c2w=c2w).tokens(28, 42)


def test_rays_are_fractions_of_the_image() -> None:
    K = torch.tensor([[[[300.0, 0, 140], [0, 250, 90], [0, 0, 1]]]])
    assert normalize_intrinsics(K, 200, 400).flatten().tolist() == pytest.approx([0.75, 1.25, 0.35, 0.45])


def test_depth_is_stretched_between_percentiles_of_what_was_measured() -> None:
    depth = 2 + 5 * torch.rand(1, 2, 28, 42, generator=torch.Generator().manual_seed(0))
    depth[0, 0, :10] = 0
    depth[0, 0, 10, 0] = torch.nan
    depth[0, 1] *= 1000
    values = normalize_depth(depth)
    for frame in range(2):
        image = depth[0, frame].nan_to_num(0).numpy()
        low, high = np.percentile(image[image > 0], [1, 99])
        np.testing.assert_allclose(values[0, frame], np.clip((image - low) / (high - low), 0, 1), atol=1e-5)


def test_few_measured_pixels_use_their_extremes_and_none_are_no_error() -> None:
    depth = torch.zeros(1, 2, 14, 14)
    depth[0, 0, 3, :3] = torch.tensor([1.0, 2.0, 3.0])
    values = normalize_depth(depth)
    np.testing.assert_allclose(values[0, 0, 3, :3], [0, 0.5, 1], atol=1e-5)
    assert not values[0, 1].any()


def test_depth_of_another_size_is_resized() -> None:
    ramp = torch.linspace(1, 2, 21).expand(1, 1, 14, 21)
    values = Priors(depth=ramp).tokens(28, 42).depth
    assert values is not None
    assert values.shape == (1, 1, 28, 42)
    assert bool((values.diff(dim=-1) >= 0).all())


def test_each_prior_enters_where_it_belongs() -> None:
    """Tokens in front of the blocks: camera, registers, pose, rays, patches."""
    network = lively()
    trunk = network.visual_geometry_transformer
    images = frames(3)
    K = torch.tensor([[40.0, 0, 21], [0, 41, 14], [0, 0, 1]]).expand(1, 3, 3, 3)
    priors = Priors(poses(torch.rand(1, 3, 3)), K, 1 + torch.rand(1, 3, 28, 42)).tokens(28, 42)
    assert priors.pose is not None
    assert priors.rays is not None
    assert priors.depth is not None
    with torch.no_grad():
        patches = trunk.patch_embed(images[0])[None]
        tokens = trunk._with_special_tokens(patches, priors)
        assert tokens.shape[2] == 7 + 6
        for frame in range(3):
            variant = min(frame, 1)
            torch.testing.assert_close(tokens[0, frame, 0], trunk.cam_token[0, variant, 0])
            torch.testing.assert_close(tokens[0, frame, 1:5], trunk.reg_token[0, variant])
            torch.testing.assert_close(tokens[0, frame, 5], trunk.pose_embed(priors.pose[0, frame]))
            torch.testing.assert_close(tokens[0, frame, 6], trunk.ray_embed(priors.rays[0, frame]))
            added = trunk.depth_embed(priors.depth[0, frame, None])[0]
            torch.testing.assert_close(tokens[0, frame, 7:], patches[0, frame] + added)
        bare = trunk._with_special_tokens(patches, Priors().tokens(28, 42))
        assert not bare[0, :, 5:7].any()
        assert torch.equal(bare[:, :, 7:], patches)


@pytest.mark.parametrize("which", ["c2w", "K", "depth"])
def test_each_prior_changes_what_is_predicted(which: str) -> None:
    network, images = lively(), frames(2)
    given = {
        "c2w": poses(torch.rand(1, 2, 3)),
        "K": torch.tensor([[40.0, 0, 21], [0, 41, 14], [0, 0, 1]]).expand(1, 2, 3, 3),
        "depth": 1 + torch.rand(1, 2, 28, 42),
    }
    with torch.no_grad():
        plain = network(images)
        assert torch.equal(plain.gs_params, network(images, Priors()).gs_params)
        informed = network(images, Priors(**{which: given[which]}))
    for name in ("camera_params", "depth", "velocity_fwd", "gs_params"):
        assert (informed.tensors()[name] - plain.tensors()[name]).abs().max() > 1e-4, name
