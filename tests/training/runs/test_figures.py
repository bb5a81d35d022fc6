"""Pace, means over processes, and bad steps."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator

import pytest
import torch

from neoverse_ns.errors import RunError
from neoverse_ns.training.runs.figures import Figures, mean_over_processes
from neoverse_ns.training.runs.non_finite import NonFiniteGuard
from neoverse_ns.training.runs.pace import Pace
from neoverse_ns.training.runs.processes import make_accelerator


@pytest.fixture
def accelerator(tmp_path):
    """accelerate keeps its settings for the life of a process: forget them, as a new one would have none."""
    from accelerate.state import AcceleratorState

    yield make_accelerator(tmp_path, "cpu", "no")
    AcceleratorState._reset_state(reset_partial_state=True)


def slow(seconds: float) -> Iterator[int]:
    while True:
        time.sleep(seconds)
        yield 1


def test_pace_tells_frames_and_waiting():
    pace = Pace()
    batches = slow(0.02)
    for _ in range(3):
        pace.waited(batches)
        time.sleep(0.02)
        pace.count(10)
    figures = pace.read()
    assert 0.3 < figures["waiting"] < 0.7
    assert 0.04 <= figures["seconds_per_step"] < 0.2
    assert figures["frames_per_second"] == pytest.approx(10 / figures["seconds_per_step"], rel=1e-6)
    # Since then there was nothing, but the whole run stays.
    assert pace.read()["frames_per_second"] == 0
    assert pace.whole()["frames_per_second"] > 0


def test_what_is_left_out_is_no_learning():
    pace = Pace()
    with pace.paused():
        time.sleep(0.05)
    pace.count(10)
    assert pace.read()["seconds_per_step"] < 0.04


def test_means_leave_out_what_is_no_number(accelerator):
    means = mean_over_processes(accelerator, {"a": [2.0, 4.0, math.nan], "b": [math.nan], "c": [math.inf], "d": []})
    assert means["a"] == 3
    assert math.isnan(means["b"])
    assert math.isnan(means["d"])
    assert means["c"] == math.inf


def test_figures_are_written_as_lines(accelerator, tmp_path, capsys):
    figures = Figures(accelerator, tmp_path, {"seed": 1, "nested": {}})
    figures.log(5, {"loss": 0.25, "none": math.nan}, "step 5")
    figures.log(5, {"psnr": [20.0, 30.0]}, "validation", "validation/")
    figures.picture(5, "picture", torch.rand(3, 8, 8))
    accelerator.end_training()
    lines = [json.loads(line) for line in (tmp_path / "figures.jsonl").read_text().splitlines()]
    assert lines == [{"step": 5, "loss": 0.25}, {"step": 5, "validation/psnr": 25.0}]
    assert "step 5: loss 0.25" in capsys.readouterr().out
    assert list(tmp_path.rglob("events.out.tfevents*"))


def test_bad_steps_are_named_and_end_the_run_at_last(accelerator, capsys):
    guard = NonFiniteGuard(accelerator, in_a_row=3)
    assert guard.good(1, {"loss": 1.0, "gradient": 2.0}, ["worlds/7"])
    assert not guard.good(2, {"loss": math.nan, "gradient": 2.0}, ["worlds/8"])
    assert not guard.good(3, {"loss": 1.0, "gradient": math.inf}, ["worlds/9"])
    # One good step forgives.
    assert guard.good(4, {"loss": 1.0, "gradient": 2.0}, [])
    assert not guard.good(5, {"loss": math.nan, "gradient": 2.0}, [])
    told = " ".join(capsys.readouterr().out.split())
    assert "step 2 is left out, its loss not finite (clips worlds/8)" in told
    assert "its gradient not finite (clips worlds/9)" in told
    # It survives a restart.
    again = NonFiniteGuard(accelerator, in_a_row=3)
    again.load_state_dict(guard.state_dict())
    assert not again.good(6, {"loss": math.nan}, [])
    with pytest.raises(RunError, match="3 steps in a row"):
        again.good(7, {"loss": math.nan}, [])
