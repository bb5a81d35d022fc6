"""When a run ends before its last step, by itself and inside nerfstudio's trainer loop."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from nerfstudio.engine.callbacks import TrainingCallbackAttributes, TrainingCallbackLocation

from neoverse_ns.errors import SettingsError
from neoverse_ns.optimise.early_stop import EarlyStop, EarlyStopConfig
from tests.plugin.tiny_scene import HEIGHT, WIDTH, tiny_model


def watcher(improvement: float, steps: int) -> EarlyStop:
    """For a clip of two training frames."""
    return EarlyStop(EarlyStopConfig(improvement, steps), frames=2)


def stops_at(losses: list[float], watch: EarlyStop) -> int | None:
    """First step after which it says stop."""
    for step, loss in enumerate(losses):
        watch.update(torch.tensor(loss))
        if watch.stalled:
            return step
    return None


def test_it_stops_at_the_end_of_the_first_block_that_is_not_better_enough() -> None:
    # Means of blocks of four: 8, 4, 3.9; differences inside a block do not matter.
    losses = [10.0, 6.0, 10.0, 6.0, 1.0, 7.0, 1.0, 7.0, 3.9, 3.9, 3.9, 3.9, 0.0, 0.0, 0.0, 0.0]
    # Blocks are whole passes: of at least three steps, two passes of two.
    for steps in (3, 4):
        assert stops_at(losses, watcher(0.05, steps)) == 11
        assert stops_at(losses, watcher(0.6, steps)) == 7
        assert stops_at(losses, watcher(0.02, steps)) is None
    assert stops_at([1.0] * 50, watcher(0.0, 4)) is None


def test_a_resumed_run_stops_where_an_uninterrupted_one_does() -> None:
    losses = [8.0] * 4 + [4.0] * 4 + [3.99] * 4
    first, again = watcher(0.05, 4), watcher(0.05, 4)
    assert stops_at(losses[:6], first) is None
    again.load_state_dict(first.state_dict())
    assert stops_at(losses[6:], again) == 11 - 6


@pytest.mark.parametrize(("changes", "name"), [({"improvement": -0.1}, "improvement"), ({"steps": 0}, "steps")])
def test_senseless_settings_are_named(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        EarlyStopConfig(**changes).validate()


def test_the_model_tells_the_trainer() -> None:
    model = tiny_model(early_stop=EarlyStopConfig(improvement=0.5, steps=2))
    trainer: Any = SimpleNamespace(stop_training=False)
    callbacks = model.get_training_callbacks(TrainingCallbackAttributes(None, None, None, trainer))
    model.train()
    stopped = []
    # Seven training frames, so a block has seven steps.
    for step in range(14):
        for callback in callbacks:
            callback.run_callback_at_location(step, TrainingCallbackLocation.BEFORE_TRAIN_ITERATION)
        assert model.step == step
        outputs = model.get_outputs(model.train_cameras()[:1])
        model.get_loss_dict(outputs, {"image": torch.zeros(HEIGHT, WIDTH, 3), "image_idx": 0})
        for callback in callbacks:
            callback.run_callback_at_location(step, TrainingCallbackLocation.AFTER_TRAIN_ITERATION)
        stopped.append(trainer.stop_training)
    assert stopped == [False] * 13 + [True]
