"""Training pairs, steps, stopping and going on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import RefinementError, RunError, SettingsError
from neoverse_ns.gaussians.layers import BACKGROUND, FRAMES, LayeredGaussians
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.generate.refiners.internal.network_inputs import PackedInputs
from neoverse_ns.generate.refiners.internal.reference_lookup import References
from neoverse_ns.generate.refiners.internal.settings import InternalSettings
from neoverse_ns.generate.refiners.internal.state import FILE, TrainingState, origin_of
from neoverse_ns.generate.refiners.internal.training import rate_at, train
from neoverse_ns.generate.refiners.internal.training_pairs import (
    TrainingPairs,
    crop_sides,
    make_training_pairs,
    mirror,
    without_references,
)
from tests.generate.layered import layered_source
from tests.generate.refiners.internal.inputs_of import random_inputs

SETTINGS = InternalSettings(
    widths=(8, 8, 8),
    steps=12,
    batch=2,
    crop=24,
    rounds=1,
    pairs=4,
    degradation=DegradationSettings(distance=(0.05, 0.1)),
)


@pytest.fixture(scope="module")
def pairs() -> TrainingPairs:
    source = layered_source(count=5)
    return make_training_pairs(source, References.of(source), 2.0, SETTINGS, seed=3)


def start(seed: int = 0) -> TrainingState:
    return TrainingState.start(SETTINGS, seed, torch.device("cpu"))


def weights(state: TrainingState) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in state.network.parameters()])


def test_equal_seeds_give_equal_pairs(pairs: TrainingPairs) -> None:
    source = layered_source(count=5)
    again = make_training_pairs(source, References.of(source), 2.0, SETTINGS, seed=3)
    other = make_training_pairs(source, References.of(source), 2.0, SETTINGS, seed=4)
    # Four of worn scenes, and every frame as the others show it.
    assert (len(pairs), pairs.plain) == (9, 5)
    assert all(torch.equal(a.bytes_, b.bytes_) for a, b in zip(pairs.inputs, again.inputs, strict=True))
    assert not all(torch.equal(a.bytes_, b.bytes_) for a, b in zip(pairs.inputs, other.inputs, strict=True))


def test_a_frame_is_never_looked_up_in_itself() -> None:
    source = layered_source(count=5)
    references = References.of(source)
    settings = dataclasses.replace(SETTINGS, pairs=5)
    marked = dataclasses.replace(
        references, images=torch.arange(5.0)[:, None, None, None].expand_as(references.images) / 8
    )
    # Every reference is of one colour of its own, which therefore shows wherever it is used alone.
    pairs = make_training_pairs(source, marked, 2.0, settings, seed=0)
    assert len(pairs) == 10
    for frame, packed in enumerate(pairs.inputs):
        nearest = packed.bytes_[3:9].float() / 255 * 8
        assert not ((nearest - frame % 5).abs() < 0.1).any()


def test_pairs_of_the_scene_as_it_is_have_their_share() -> None:
    # Pictures that tell which kind they are: black from worn scenes, white as other frames show them.
    blank = make_training_pairs(layered_source(5), References.of(layered_source(5)), 2.0, SETTINGS, seed=0)
    targets = [torch.full_like(target, 255 * (i >= 4)) for i, target in enumerate(blank.targets)]
    marked = dataclasses.replace(blank, targets=targets)
    for share in (0.0, 0.4, 1.0):
        settings = dataclasses.replace(SETTINGS, plain=share, batch=200, crop=16)
        _, target = marked.batch(settings, torch.Generator().manual_seed(0))
        assert float(target.mean()) == pytest.approx(share, abs=0.1)
    none = make_training_pairs(
        layered_source(5), References.of(layered_source(5)), 2.0, dataclasses.replace(SETTINGS, plain=0.0), seed=0
    )
    assert (len(none), none.plain) == (4, 0)


def test_crops_are_cut_from_the_same_place_of_evidence_and_target(pairs: TrainingPairs) -> None:
    inputs, target = pairs.batch(SETTINGS, torch.Generator().manual_seed(0))
    assert inputs.base.shape == target.shape == (2, 3, 24, 24)
    # The degraded drawing resembles the frame that it is to become.
    right = (inputs.base - target).abs().mean()
    assert right < 0.6 * (inputs.base - target.flip(0)).abs().mean()


def test_crops_fit_small_frames() -> None:
    assert crop_sides(112, 40, 300) == (40, 112)
    assert crop_sides(50, 100, 100) == (48, 48)
    assert crop_sides(112, 6, 20) == (6, 16)


def test_blind_and_mirrored_evidence() -> None:
    inputs = random_inputs()
    blind = without_references(inputs)
    assert not blind.trust.any()
    assert torch.equal(blind.candidates(), inputs.base[:, None].expand(-1, 4, -1, -1, -1))
    assert torch.equal(mirror(mirror(inputs)).channels(), inputs.channels())
    assert torch.equal(mirror(inputs).base, inputs.base.flip(-1))


def test_teaching_finds_what_the_frames_have_in_common() -> None:
    # Nothing was drawn, and the truth is the negative of what holes were filled with.
    bytes_ = torch.randint(0, 256, (17, 24, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    bytes_[15] = 0
    packed = PackedInputs(bytes_, torch.zeros(1, 24, 24).half(), torch.eye(3), torch.eye(4))
    negatives = TrainingPairs([packed], [255 - bytes_[:3]])
    settings = dataclasses.replace(SETTINGS, steps=60, batch=4, blind=0.0, learning_rate=1e-2)
    state = TrainingState.start(settings, 0, torch.device("cpu"))
    inputs, target = negatives.batch(settings, torch.Generator().manual_seed(9))
    with torch.no_grad():
        before = (state.network(inputs) - target).abs().mean()
    train(state, negatives, settings)
    with torch.no_grad():
        after = (state.network(inputs) - target).abs().mean()
    assert after < 0.8 * before


def test_a_stopped_training_goes_on_as_if_it_had_not_been_stopped(
    pairs: TrainingPairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = start()
    train(whole, pairs, SETTINGS)
    file = tmp_path / "run" / FILE
    stopped = start()
    take, taken = TrainingPairs.batch, []

    def interrupted(*arguments: object) -> object:
        taken.append(1)
        if len(taken) == 6:
            raise KeyboardInterrupt
        return take(*arguments)  # pyright: ignore

    monkeypatch.setattr(TrainingPairs, "batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(stopped, pairs, SETTINGS, file, "origin")
    monkeypatch.undo()
    gone_on = start(seed=8)
    assert gone_on.load(file, "origin")
    assert gone_on.step == 5
    train(gone_on, pairs, SETTINGS, file, "origin")
    assert gone_on.step == SETTINGS.steps
    assert torch.equal(weights(gone_on), weights(whole))
    assert not torch.equal(weights(gone_on), weights(stopped))


def test_a_file_of_another_origin_is_left_alone_and_a_damaged_one_reported(tmp_path: Path) -> None:
    file = tmp_path / FILE
    state = start()
    assert not state.load(file, "a")
    state.save(file, "a")
    other = start(seed=1)
    before = weights(other)
    assert not other.load(file, "b")
    assert torch.equal(weights(other), before)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(RunError, match="damaged"):
        other.load(file, "a")
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_origin_changes_with_everything_that_changes_the_training() -> None:
    source = layered_source(count=3)
    origin = origin_of(source, SETTINGS, 0)
    assert origin == origin_of(layered_source(count=3), dataclasses.replace(SETTINGS, save_every=1.0), 0)
    shifted = source.gaussians.map(lambda layer: layer.with_(means=layer.means + 1e-3))
    moved = dataclasses.replace(source, gaussians=shifted)
    assert origin != origin_of(moved, SETTINGS, 0)
    # The same Gaussians as another layer are another scene.
    behind = LayeredGaussians({FRAMES: source.gaussians.frames[:0], BACKGROUND: source.gaussians.frames})
    assert origin != origin_of(dataclasses.replace(source, gaussians=behind), SETTINGS, 0)
    assert origin != origin_of(source, dataclasses.replace(SETTINGS, steps=13), 0)
    assert origin != origin_of(source, SETTINGS, 1)


def test_the_rate_rises_then_falls_to_nothing() -> None:
    settings = InternalSettings(steps=100, learning_rate=1.0)
    rates = [rate_at(step, settings) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == rates[4]
    assert rates[50] == pytest.approx(0.5)
    assert rates[-1] < 1e-3


def test_a_loss_that_is_no_number_ends_the_training(pairs: TrainingPairs) -> None:
    state = start()
    with torch.no_grad():
        state.network.head.bias.fill_(float("nan"))  # pyright: ignore
    with pytest.raises(RefinementError, match="no longer finite at step 0"):
        train(state, pairs, SETTINGS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"crop": 8},
        {"learning_rate": float("nan")},
        {"blind": 1.5},
        {"widths": (0, 1, 1)},
        {"save_every": -1.0},
    ],
)
def test_settings_out_of_range_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        InternalSettings(**wrong).validate()  # pyright: ignore
