"""The whole step: gradients, what clips lack, and that parts can be computed again or left out."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pytest
import torch
from torch import Tensor

from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.training.data.batch import TrainingBatch
from neoverse_ns.training.data.sample import TrainingSample
from neoverse_ns.training.reconstructor.drawing.config import DrawingConfig
from neoverse_ns.training.reconstructor.losses.config import LossConfig
from neoverse_ns.training.reconstructor.objective import Objective, StepResult
from tests.networks.neoverse.fixtures import lively
from tests.training.reconstructor.batches import in_double, synthetic_batch, synthetic_sample

WITHOUT_LPIPS = LossConfig(lpips=0.0)
DRAWN = ("rgb", "lpips", "regular", "drawn_depth")


def objective(losses: LossConfig = WITHOUT_LPIPS, drawing: DrawingConfig | None = None, **options: bool) -> Objective:
    return Objective(lively(), losses, drawing, **options).train()  # type: ignore[arg-type]


@lru_cache
def mixed() -> TrainingBatch:
    return synthetic_batch()


def changed(sample: TrainingSample, **flags: bool) -> TrainingSample:
    return replace(sample, **{name: torch.tensor(value) for name, value in flags.items()})


def gradients(step: Objective, result: StepResult) -> dict[str, Tensor]:
    step.zero_grad()
    result.total.backward()
    found = {name: p.grad for name, p in step.named_parameters()}
    assert all(value is not None and bool(value.isfinite().all()) for value in found.values())
    return {name: value.clone() for name, value in found.items() if value is not None}


def test_every_parameter_has_a_gradient_whatever_the_batch_lacks() -> None:
    moving, still = synthetic_sample(), synthetic_sample(static=True, seed=1)
    poor = changed(moving, has_pose=False, has_motion=False)
    for samples in ((moving, still), (still,), (poor,)):
        step = objective()
        gradients(step, step(synthetic_batch(*samples)))
    for drawing in (DrawingConfig(motion=False), DrawingConfig(intermediates=False)):
        step = objective(drawing=drawing)
        gradients(step, step(synthetic_batch(moving)))


def test_what_learns_learns_from_all_terms() -> None:
    step = objective(LossConfig(points=1.0, lpips=0.0))
    found = gradients(step, step(mixed()))
    silent = {name.removeprefix("network.") for name, value in found.items() if not value.any()}
    priors = tuple(f"visual_geometry_transformer.{part}_embed" for part in ("pose", "ray", "depth"))
    # Of the first round's parameters only those that take an earlier round's cameras can be without influence.
    assert all(name.startswith(priors) for name in silent), silent


def test_a_batch_is_the_mean_of_its_clips() -> None:
    moving, still = synthetic_sample(), synthetic_sample(static=True, seed=1)
    step = objective()
    both = step(synthetic_batch(moving, still))
    ones = [step(synthetic_batch(sample)) for sample in (moving, still)]
    torch.testing.assert_close(both.total, (ones[0].total + ones[1].total) / 2, rtol=1e-5, atol=1e-6)
    for name, values in both.terms.items():
        expected = torch.cat([one.terms[name] for one in ones])
        torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-5)
    assert both.drawn.rgb.shape == (2, 5, 3, 28, 42)


def test_recomputation_changes_nothing() -> None:
    kept, again = objective(recompute=False), objective(recompute=True)
    results = [step(mixed()) for step in (kept, again)]
    assert torch.equal(results[0].total, results[1].total)
    first, second = (gradients(step, result) for step, result in zip((kept, again), results, strict=True))
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=1e-5, atol=1e-7, msg=name)


def test_directional_derivative_of_the_whole_step() -> None:
    """In float64, where plain torch draws: the slope along a random direction of all parameters at once."""
    step = objective(LossConfig(points=1.0, lpips=0.0), recompute=False).double()
    batch = in_double(mixed())
    found = gradients(step, step(batch))
    random = torch.Generator().manual_seed(0)
    parameters = dict(step.named_parameters())
    direction = {
        name: torch.randn(p.shape, generator=random, dtype=torch.float64) * p.detach().abs().mean()
        for name, p in parameters.items()
    }
    slope = sum(float((found[name] * direction[name]).sum()) for name in found)
    size, totals = 1e-6, []
    for sign in (1, -1):
        with torch.no_grad():
            for name, p in parameters.items():
                p.add_(sign * size * direction[name])
            totals.append(float(step(batch).total))
            for name, p in parameters.items():
                p.sub_(sign * size * direction[name])
    measured = (totals[0] - totals[1]) / (2 * size)
    assert abs(slope) > 0.1
    assert slope == pytest.approx(measured, rel=1e-3)


def test_colours_reach_no_camera() -> None:
    nothing = {name: 0.0 for name in ("lpips", "camera", "depth", "motion", "regular")}
    step = objective(LossConfig(**nothing))  # type: ignore[arg-type]
    found = gradients(step, step(mixed()))
    assert not any(value.any() for name, value in found.items() if ".cam_head." in name)
    assert any(value.any() for name, value in found.items() if ".gs_head." in name)


def without(name: str) -> StepResult:
    with torch.no_grad():
        return objective()(synthetic_batch(changed(synthetic_sample(), **{name: False})))


def test_a_clip_without_depth_has_no_terms_of_it() -> None:
    result = without("has_depth")
    zero = {name for name, value in result.terms.items() if not value.any()}
    assert zero == {"depth", "gs_depth", "points", "drawn_depth", "motion", "lpips"}
    # Its unit is unknown: truth that is ten times as large is the same truth.
    sample = changed(synthetic_sample(), has_depth=False)
    poses = sample.c2w.clone()
    poses[:, :3, 3] *= 10
    with torch.no_grad():
        larger = objective()(synthetic_batch(replace(sample, c2w=poses)))
    torch.testing.assert_close(larger.total, result.total, rtol=1e-3, atol=1e-4)


def test_a_clip_without_poses_is_drawn_keyframe_by_keyframe() -> None:
    sample = synthetic_sample()
    placeholder = torch.eye(4).expand(5, 4, 4)
    with torch.no_grad():
        result = objective()(synthetic_batch(changed(replace(sample, c2w=placeholder), has_pose=False)))
        alone = [objective()(synthetic_batch(changed(replace(sample, c2w=placeholder), has_pose=False, static=True)))]
    assert result.drawn.shown[0].tolist() == [True] * 3 + [False] * 2
    assert not result.terms["motion"].any()
    assert result.terms["depth"].all()
    assert result.terms["rgb"].all()
    assert alone[0].drawn.shown[0].tolist() == [True] * 3 + [False] * 2
    # The camera term knows the fields of view alone.
    full = objective()(synthetic_batch(sample))
    assert 0 < float(result.terms["camera"]) < float(full.terms["camera"].detach())


def test_a_clip_without_motion_learns_velocities_from_colours() -> None:
    step = objective()
    result = step(synthetic_batch(changed(synthetic_sample(), has_motion=False)))
    assert not result.terms["motion"].any()
    found = gradients(step, result)
    assert found["network.velocity_fwd_head.scratch.output_conv2.2.weight"].any()


def test_weights_of_a_clip() -> None:
    sample = synthetic_sample()
    plain = objective()(synthetic_batch(sample))
    for place, names in ((1, ("rgb", "regular")), (2, ("depth", "gs_depth", "drawn_depth")), (3, ("motion",))):
        weights = torch.ones(4)
        weights[place] = 0
        result = objective()(synthetic_batch(replace(sample, weights=weights)))
        factors = {"rgb": 1, "regular": 0.1, "depth": 1, "gs_depth": 0.1, "drawn_depth": 0.1, "motion": 1}
        less = sum(factors[name] * float(plain.terms[name].detach()) for name in names)
        assert float((plain.total - result.total).detach()) == pytest.approx(less, rel=1e-3)
    nothing = torch.tensor([0.0, 1, 1, 1])
    assert float(objective()(synthetic_batch(replace(sample, weights=nothing))).total) == 0


def test_validation_draws_all_frames_even_where_training_does_not() -> None:
    step = objective(drawing=DrawingConfig(intermediates=False))
    with torch.no_grad():
        assert step(mixed()).drawn.shown[0].tolist() == [True] * 3 + [False] * 2
        assert step.eval()(mixed()).drawn.shown.all()


def test_the_network_alone_is_in_the_state() -> None:
    step = objective()
    assert set(step.state_dict()) == {f"network.{name}" for name in NeoVerseNetwork(lively().architecture).state_dict()}
