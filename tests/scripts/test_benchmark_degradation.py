"""The benchmark of degradation measures all its parts and refuses in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import benchmark_degradation
import pytest
from benchmark_degradation import measure

from tests.generate.layered import layered_source


def test_every_part_takes_time() -> None:
    seconds = measure(layered_source(), 2)
    assert list(seconds) == ["culling", "culling and geometry filter", "drawing and masks"]
    assert all(0 < value < 60 for value in seconds.values())


@pytest.mark.parametrize(
    ("arguments", "reason"), [(["absent.mp4"], "absent.mp4"), (["absent.mp4", "--repeats", "0"], "repeats")]
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmark_degradation.py", *arguments])
    assert benchmark_degradation.main() == 1
    assert reason in capsys.readouterr().out
