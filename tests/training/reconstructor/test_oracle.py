"""Conventions in one blow: predictions filled with truth cost nothing and draw what will be seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.training.data.batch import TrainingBatch
from neoverse_ns.training.reconstructor.clip_terms import ClipTruth, Knowledge, clip_terms, one_of
from neoverse_ns.training.reconstructor.drawing.config import DrawingConfig
from neoverse_ns.training.reconstructor.drawing.draw_clip import Drawn, TrueCameras, draw_clip
from neoverse_ns.training.reconstructor.losses.config import LossConfig
from tests.training.reconstructor.batches import synthetic_batch, synthetic_sample
from tests.training.reconstructor.oracle import next_to_moving, true_predictions


@pytest.fixture(scope="module")
def batch() -> TrainingBatch:
    # Four frames a gap: what moves goes several pixels.
    return synthetic_batch(synthetic_sample(3, 42, 70, step=4), synthetic_sample(3, 42, 70, static=True))


def drawn(batch: TrainingBatch, predictions: NetworkPredictions, clip: int = 0) -> Drawn:
    sample = one_of(batch.tensors, clip)
    cameras = TrueCameras(sample.c2w, sample.K, sample.times)
    merge = bool(sample.static)
    return draw_clip(predictions, batch.tensors.inputs, clip, cameras, DrawingConfig(), merge, True)


@pytest.mark.parametrize("clip", [0, 1])
@pytest.mark.parametrize("pixel_centres", [True, False])
def test_truth_costs_nothing(batch: TrainingBatch, clip: int, pixel_centres: bool) -> None:
    predictions = true_predictions(batch, pixel_centres)
    truth = ClipTruth(clip, one_of(batch.tensors, clip), Knowledge(clip == 1, True, True, True))
    terms = clip_terms(truth, predictions, drawn(batch, predictions, clip), LossConfig(points=1.0), DrawingConfig())
    for name in ("camera", "depth", "gs_depth", "points", "motion"):
        assert abs(float(terms[name])) <= 1e-5, name
    assert float(terms["rgb"]) < 0.02
    assert float(terms["regular"]) < 0.1


def errors(batch: TrainingBatch, predictions: NetworkPredictions, where: Tensor) -> float:
    """Mean squared error of the intermediate frames there."""
    difference = drawn(batch, predictions).rgb - batch.tensors.rgb[0]
    return float(difference[3:].square().mean(1)[where].mean())


def test_true_motion_draws_what_is_seen_between_keyframes(batch: TrainingBatch) -> None:
    where, truth = next_to_moving(batch), true_predictions(batch)
    assert 40 < int(where.sum()) < 1200
    assert truth.velocity_fwd is not None
    assert truth.velocity_bwd is not None
    right = errors(batch, truth, where)
    none = torch.zeros_like(truth.velocity_fwd)
    still = errors(batch, replace(truth, velocity_fwd=none, velocity_bwd=none), where)
    exchanged = errors(batch, replace(truth, velocity_fwd=truth.velocity_bwd, velocity_bwd=truth.velocity_fwd), where)
    assert right < 0.5 * still
    assert right < 0.5 * exchanged


def test_motion_is_told_in_the_axes_of_its_camera() -> None:
    """The courtyard's cameras hardly turn: here each is rolled by a right angle, with its picture."""
    sample = synthetic_sample(3, 42, 42, step=4)
    turned = sample.c2w.clone()
    roll = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    turned[:, :3, :3] = sample.c2w[:, :3, :3] @ roll

    def rolled(maps: Tensor) -> Tensor:
        return torch.rot90(maps, 1, (-2, -1))

    own = replace(
        sample,
        inputs=rolled(sample.inputs),
        rgb=rolled(sample.rgb),
        depth=rolled(sample.depth),
        c2w=turned,
        v_fwd=rolled(sample.v_fwd.movedim(-1, 1)).movedim(1, -1) @ roll,
        v_bwd=rolled(sample.v_bwd.movedim(-1, 1)).movedim(1, -1) @ roll,
    )
    batch = synthetic_batch(own)
    where, truth = next_to_moving(batch), true_predictions(batch)
    right = errors(batch, truth, where)
    assert truth.velocity_fwd is not None
    assert truth.velocity_bwd is not None
    world = replace(truth, velocity_fwd=truth.velocity_fwd @ roll.T, velocity_bwd=truth.velocity_bwd @ roll.T)
    assert right < 0.5 * errors(batch, world, where)


def test_pixel_centres_draw_sharper_than_integer_pixels(batch: TrainingBatch) -> None:
    """Each keyframe drawn from its own camera: half a pixel off is told from none."""
    found = [
        float((drawn(batch, true_predictions(batch, centres)).rgb[:3] - batch.tensors.rgb[0, :3]).square().mean())
        for centres in (True, False)
    ]
    assert found[0] < 0.7 * found[1]
