"""Checkpoints are whole or not there, and old ones go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neoverse_ns.errors import RunError
from neoverse_ns.training.runs.checkpoints import (
    begin_checkpoint,
    checkpoint_step,
    finish_checkpoint,
    finished_checkpoints,
)


def save(output: Path, step: int, content: str = "", **keeping) -> Path:
    unfinished = begin_checkpoint(output, step)
    (unfinished / "weights").write_text(content)
    return finish_checkpoint(unfinished, **{"keep": 2, **keeping})


def steps(output: Path) -> list[int]:
    return [checkpoint_step(folder) for folder in finished_checkpoints(output)]


def test_newest_ones_stay_in_the_order_of_their_steps(tmp_path):
    for step in (8, 999_999, 1_000_000):
        save(tmp_path, step)
    assert steps(tmp_path) == [999_999, 1_000_000]


def test_every_so_many_steps_one_stays(tmp_path):
    for step in range(5, 35, 5):
        save(tmp_path, step, keep=1, keep_every=10)
    assert steps(tmp_path) == [10, 20, 30]


def test_what_is_half_written_is_no_checkpoint_and_does_not_mix_with_the_next(tmp_path):
    save(tmp_path, 1)
    half = begin_checkpoint(tmp_path, 2)
    (half / "leftover").write_text("half")
    assert steps(tmp_path) == [1]
    again = save(tmp_path, 2)
    assert steps(tmp_path) == [1, 2]
    assert sorted(path.name for path in again.iterdir()) == ["progress.json", "weights"]


def test_a_checkpoint_of_an_earlier_run_is_replaced(tmp_path):
    save(tmp_path, 1, "old")
    folder = save(tmp_path, 1, "new")
    assert (folder / "weights").read_text() == "new"
    assert steps(tmp_path) == [1]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(RunError, match=r"cannot write to .*step-000001"):
            begin_checkpoint(tmp_path, 1)
    finally:
        tmp_path.chmod(0o700)


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(RunError, match=r"cannot write to .*step-000001"):
        begin_checkpoint(tmp_path, 1)


def test_a_damaged_one_is_named(tmp_path):
    folder = save(tmp_path, 1)
    (folder / "progress.json").write_text("{")
    with pytest.raises(RunError, match="step-000001 is damaged"):
        finished_checkpoints(tmp_path)
