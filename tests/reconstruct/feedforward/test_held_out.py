"""Frames that only lend their cameras."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.networks.neoverse.prior_tokens import Priors
from neoverse_ns.reconstruct.feedforward.unit_ratio import scale_ratio
from tests.networks.neoverse.fixtures import frames, lively
from tests.networks.neoverse.held_out_reference import predict_held_out


def test_two_runs_in_one_scale() -> None:
    network, images, context = lively(), frames(4, batch=2), [0, 2]
    with torch.no_grad():
        result = predict_held_out(network, images, context)
        alone = network(images[:, context])
        together = network(images, use_motion=False)
    assert torch.equal(result.context.gs_params, alone.gs_params)
    assert torch.equal(result.context.velocity_fwd, alone.velocity_fwd)
    torch.testing.assert_close(result.every.depth, together.depth)
    assert result.every.gs_params is None
    for clip in range(2):
        norms = [
            p.c2w[clip, frame, :3, 3].norm() for p, picked in ((alone, (0, 1)), (together, context)) for frame in picked
        ]
        scale = (norms[0] + norms[1]) / (norms[2] + norms[3])
        assert float(result.scale[clip]) == pytest.approx(float(scale), rel=1e-4)
        assert abs(float(scale) - 1) > 1e-4
        moved, original = result.every.c2w[clip], together.c2w[clip]
        torch.testing.assert_close(moved[:, :3, 3], scale * original[:, :3, 3], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(moved[:, :3, :3], original[:, :3, :3])


def test_context_defines_the_world_wherever_it_lies() -> None:
    """The first context frame goes first, and results come back in the clip's order."""
    network, images = lively(), frames(4)
    with torch.no_grad():
        result = predict_held_out(network, images, [2, 0])
        together = network(images[:, [2, 0, 1, 3]], use_motion=False)
    torch.testing.assert_close(result.every.camera_params[:, [2, 0, 1, 3]], together.camera_params)
    torch.testing.assert_close(result.every.pts3d[:, [2, 0, 1, 3]], together.pts3d)
    assert result.context.c2w.shape[1] == 2


def test_pose_priors_are_normalised_over_all_frames() -> None:
    network, images = lively(), frames(3)
    c2w = torch.eye(4).repeat(1, 3, 1, 1)
    c2w[0, :, 0, 3] = torch.tensor([0.0, 1.0, 4.0])
    tokens = Priors(c2w=c2w).tokens(28, 42)
    with torch.no_grad():
        result = predict_held_out(network, images, [0, 1], Priors(c2w=c2w))
        expected = network(images[:, :2], tokens.frames([0, 1]))
        other = network(images[:, :2], Priors(c2w=c2w[:, :2]))
    assert torch.equal(result.context.gs_params, expected.gs_params)
    assert not torch.equal(result.context.gs_params, other.gs_params)


@pytest.mark.parametrize("context", [[], [0, 0], [0, 3], [-1]])
def test_impossible_context_is_told(context: list[int]) -> None:
    with pytest.raises(SettingsError, match="context frames"):
        predict_held_out(lively(), frames(3), context)


def test_ratio_of_worlds_that_differ_by_a_factor() -> None:
    c2w = torch.eye(4).repeat(2, 3, 1, 1)
    c2w[..., :3, 3] = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(0))
    twice = c2w.clone()
    twice[..., :3, 3] *= 2
    assert scale_ratio(twice, c2w).tolist() == pytest.approx([2, 2], rel=1e-5)
    # Cameras that all stand at the origin have no unit to compare.
    assert scale_ratio(torch.eye(4).repeat(1, 2, 1, 1), torch.eye(4).repeat(1, 2, 1, 1)).tolist() == [0]
