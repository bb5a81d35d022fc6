"""Terms of the loss against loops over pixels, their gradients, and that they are blind to what is masked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry import se3
from neoverse_ns.networks.neoverse.camera_head import camera_matrices
from neoverse_ns.training.reconstructor.losses.camera import camera_loss, camera_vectors, scaled_to_prediction
from neoverse_ns.training.reconstructor.losses.colour import colour_loss, opacity_loss
from neoverse_ns.training.reconstructor.losses.config import LossConfig
from neoverse_ns.training.reconstructor.losses.motion import REWARDED_CONFIDENCE, motion_loss
from neoverse_ns.training.reconstructor.losses.robust import regression
from tests.training.reconstructor import loop_losses


@dataclass
class Case:
    predicted: Tensor
    confidence: Tensor
    truth: Tensor
    mask: Tensor

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        return tuple(value.detach().numpy() for value in (self.predicted, self.confidence, self.truth, self.mask))  # type: ignore[return-value]


def case(channels: int, frames: int = 4, height: int = 5, width: int = 7, seed: int = 0, kept: float = 0.85) -> Case:
    """Random maps in float64, with errors far beyond the clamp among them."""
    random = torch.Generator().manual_seed(seed)
    size = (frames, height, width)
    truth = torch.randn(*size, channels, generator=random, dtype=torch.float64)
    predicted = truth + 0.5 * torch.randn(*size, channels, generator=random, dtype=torch.float64)
    predicted[0, 0, :2] += 300
    confidence = 1 + torch.randn(*size, generator=random, dtype=torch.float64).exp()
    return Case(predicted, confidence, truth, torch.rand(*size, generator=random) < kept)


@pytest.mark.parametrize(("channels", "gradients"), [(1, "depth"), (3, "normals"), (3, None)])
@pytest.mark.parametrize("size", [(4, 5, 7), (1, 34, 40)])
@pytest.mark.parametrize("confident", [True, False])
def test_regression_is_the_loop_over_pixels(
    channels: int, gradients: str | None, size: tuple[int, int, int], confident: bool
) -> None:
    # Over 1,000 pixels of the larger maps are valid, so that the quantile cuts.
    c = case(channels, *size)
    mine = regression(c.predicted, c.truth, c.mask, c.confidence if confident else None, gradients)  # type: ignore[arg-type]
    predicted, confidence, truth, mask = c.arrays()
    expected = loop_losses.regression(predicted, truth, mask, confidence if confident else None, gradients)
    assert float(mine) == pytest.approx(expected, rel=1e-9)


def test_what_is_left_of_the_quantile_must_be_over_a_thousand() -> None:
    for count in (1000, 1010, 1021, 1030):
        c = case(1, 1, 1, count, kept=2.0)
        predicted, confidence, truth, mask = c.arrays()
        expected = loop_losses.regression(predicted, truth, mask, confidence, None)
        assert float(regression(c.predicted, c.truth, c.mask, c.confidence)) == pytest.approx(expected, rel=1e-9)


def test_few_pixels_say_nothing() -> None:
    c = case(1, kept=2.0)
    c.mask.flatten()[99:] = False
    assert regression(c.predicted, c.truth, c.mask, c.confidence, "depth") == 0
    c.mask.flatten()[99] = True
    assert regression(c.predicted, c.truth, c.mask, c.confidence, "depth") > 0


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("balance", [True, False])
@pytest.mark.parametrize("size", [(4, 5, 7), (2, 40, 40)])
def test_motion_is_the_loop_over_pixels(plain: bool, balance: bool, size: tuple[int, int, int]) -> None:
    c = case(3, *size)
    c.truth[:, :, 2:] = 0
    c.truth[1] = 0.005
    predicted, confidence, truth, valid = c.arrays()
    expected = loop_losses.motion(predicted, confidence, truth, valid, plain, balance)
    form = "plain" if plain else "robust"
    mine = motion_loss(c.predicted, c.confidence, c.truth, c.mask, form, balance)
    assert float(mine) == pytest.approx(expected, rel=1e-9)


def test_moving_pixels_count_half_however_few_they_are() -> None:
    truth = torch.zeros(1, 20, 20, 3)
    truth[0, 0, :4] = 1.0
    mask, confidence = torch.ones(1, 20, 20, dtype=torch.bool), torch.ones(1, 20, 20)
    said_still = torch.zeros_like(truth)
    assert float(motion_loss(said_still, confidence, truth, mask, "plain")) == pytest.approx(3**0.5 / 2)
    assert float(motion_loss(said_still, confidence, truth, mask, "plain", False)) == pytest.approx(3**0.5 / 100)
    smooth = motion_loss(said_still, confidence, truth, mask, "plain", smooth=0.5)
    assert float(smooth) == pytest.approx(((3 + 0.25) ** 0.5 - 0.5) / 2)
    assert motion_loss(truth, confidence, truth, mask) == 0


def test_being_right_about_what_stands_still_is_rewarded_to_a_limit() -> None:
    truth = torch.zeros(1, 10, 11, 3)
    mask = torch.ones(1, 10, 11, dtype=torch.bool)
    pushed = []
    for height in (10.0, REWARDED_CONFIDENCE + 1):
        confidence = torch.full((1, 10, 11), height, requires_grad=True)
        motion_loss(truth, confidence, truth, mask).backward()
        assert confidence.grad is not None
        pushed.append(float(confidence.grad.sum()))
    assert pushed[0] == pytest.approx(-0.2 / 10)
    assert pushed[1] == 0


def cameras(count: int = 4) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(3)
    twists = torch.randn(count, 6, generator=random, dtype=torch.float64)
    K = torch.tensor([[30.0, 0, 21], [0, 35, 14], [0, 0, 1]], dtype=torch.float64).repeat(count, 1, 1)
    return se3.se3_exp(twists), K


def test_camera_vectors_are_what_the_head_means() -> None:
    c2w, K = cameras()
    vectors = camera_vectors(c2w, K, 28, 42)
    back, intrinsics = camera_matrices(vectors[None], 28, 42)
    torch.testing.assert_close(back[0], c2w)
    torch.testing.assert_close(intrinsics[0], K)
    assert (vectors[:, 6] >= 0).all()
    torch.testing.assert_close(vectors[:, 3:7].norm(dim=-1), torch.ones(4, dtype=torch.float64))


@pytest.mark.parametrize("pose_known", [True, False])
def test_camera_loss_is_the_loop_over_rounds(pose_known: bool) -> None:
    truth = camera_vectors(*cameras(), 28, 42)
    rounds = truth + 0.3 * torch.randn(4, 4, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rounds[1, 2, 0] += 500
    expected = loop_losses.camera(rounds.numpy(), truth.numpy(), pose_known)
    assert float(camera_loss(rounds, truth, pose_known)) == pytest.approx(expected, rel=1e-9)
    assert camera_loss(truth.expand(4, -1, -1), truth) == 0


def test_poses_without_unit_take_that_of_the_prediction() -> None:
    c2w, _ = cameras()
    c2w = torch.linalg.inv(c2w[0]) @ c2w
    said = camera_vectors(c2w, cameras()[1], 28, 42)
    smaller = c2w.clone()
    smaller[:, :3, 3] /= 7
    torch.testing.assert_close(scaled_to_prediction(smaller, said), c2w)
    standing = se3.assemble(c2w[:, :3, :3], torch.zeros(4, 3, dtype=torch.float64))
    assert torch.equal(scaled_to_prediction(standing, said), standing)


def test_colour_and_opacity() -> None:
    random = torch.Generator().manual_seed(0)
    drawn, truth = torch.rand(2, 3, 5, 7, generator=random), torch.rand(2, 3, 5, 7, generator=random)
    mask = torch.rand(2, 5, 7, generator=random) < 0.6
    expected = loop_losses.colour(drawn.numpy(), truth.numpy(), mask.numpy())
    assert float(colour_loss(drawn, truth, mask)) == pytest.approx(expected, rel=1e-5)
    assert float(opacity_loss(drawn[:, 0], mask)) == pytest.approx(float((1 - drawn[:, 0][mask]).mean()), rel=1e-5)
    nothing = torch.zeros_like(mask)
    assert colour_loss(drawn, truth, nothing) == 0
    assert opacity_loss(drawn[:, 0], nothing) == 0


Term = Callable[[Tensor, Tensor], Tensor]


def terms() -> dict[str, tuple[Case, Term]]:
    """Each as a function of predictions and confidences at 5 x 7 pixels."""
    depth, points, motion = (case(channels, 4, 5, 7, seed) for seed, channels in enumerate((1, 3, 3)))
    motion.truth[:, :, 3:] = 0
    pictures = case(3)
    return {
        "depth": (depth, lambda p, c: regression(p, depth.truth, depth.mask, c, "depth")),
        "drawn depth": (depth, lambda p, c: regression(p, depth.truth, depth.mask, None, "depth")),
        "points": (points, lambda p, c: regression(p, points.truth, points.mask, c, "normals")),
        "motion": (motion, lambda p, c: motion_loss(p, c, motion.truth, motion.mask)),
        "plain motion": (motion, lambda p, c: motion_loss(p, c, motion.truth, motion.mask, "plain")),
        "colour": (
            pictures,
            lambda p, c: colour_loss(p.permute(0, 3, 1, 2), pictures.truth.permute(0, 3, 1, 2), pictures.mask),
        ),
        "opacity": (pictures, lambda p, c: opacity_loss(p[..., 0].sigmoid(), pictures.mask)),
    }


@pytest.mark.parametrize("name", terms())
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    c, term = terms()[name]
    inputs = (c.predicted.requires_grad_(), c.confidence.requires_grad_())
    assert torch.autograd.gradcheck(term, inputs, eps=1e-6, atol=1e-6)


def test_the_last_round_alone_counts_whole_and_small_errors_by_their_squares() -> None:
    truth = camera_vectors(*cameras(), 28, 42)
    rounds = truth + torch.tensor([9.0, -5.0, 7.0, 1e-3], dtype=truth.dtype)[:, None, None]
    # Translation, rotation, and half of the field of view.
    assert float(camera_loss(rounds, truth, judged="last")) == pytest.approx(2.5e-3, rel=1e-9)
    assert float(camera_loss(rounds, truth, judged="last", smooth=0.1)) == pytest.approx(2.5 * 1e-6 / 0.2, rel=1e-3)
    far = camera_loss(rounds[:1], truth, judged="last", smooth=0.1)
    assert float(far) == pytest.approx(2.5 * (9 - 0.1), rel=1e-3)


def test_camera_gradients_are_those_of_finite_differences() -> None:
    truth = camera_vectors(*cameras(), 28, 42)
    noise = torch.randn(4, 4, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda rounds: camera_loss(rounds, truth), ((truth + noise).requires_grad_(),))


@pytest.mark.parametrize("name", terms())
@pytest.mark.parametrize("junk", [1e3, float("inf"), float("nan")])
def test_masked_pixels_reach_neither_value_nor_gradient(name: str, junk: float) -> None:
    c, term = terms()[name]
    results = []
    for change in (False, True):
        predicted, confidence = c.predicted.detach().clone(), c.confidence.detach().clone()
        if change:
            predicted[~c.mask] = junk if junk == junk and junk < 1e9 else -7.0
            confidence[~c.mask] = 50.0
            c.truth[~c.mask] = junk
        inputs = (predicted.requires_grad_(), confidence.requires_grad_())
        value = term(*inputs)
        gradients = torch.autograd.grad(value, inputs, materialize_grads=True, allow_unused=True)
        results.append((value.detach(), *gradients))
    for before, after in zip(*results, strict=True):
        assert torch.equal(before, after)
    assert not results[1][1][~c.mask].any()


def test_settings_out_of_range_are_told() -> None:
    for change in ({"rgb": -1.0}, {"camera": float("nan")}, {"moving_threshold": -0.1}, {"camera_smooth": -1.0}):
        with pytest.raises(SettingsError, match=next(iter(change))):
            LossConfig(**change).validate()  # type: ignore[arg-type]
