"""Frames that are finished while they are taken: the same ones, with the time that they took."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import RefinementError
from neoverse_ns.generate.base import DEFAULT_PROMPT, Conditions, ConditionSource, Refiner, StreamingRefiner
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import FrameStream, refine_along
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.generate.report import write_report
from neoverse_ns.generate.timing import PARTS, GenerationSeconds, describe_time, time_report
from neoverse_ns.trajectory.files import preset_move
from tests.generate.layered import layered_source

SOURCE = layered_source()
PATH = preset_move("move_right", 19).follow(SOURCE.cameras, SOURCE.times)


class Altogether(Refiner):
    """Knows nothing of streams."""

    def refine(self, conditions: Conditions, prompt: str = DEFAULT_PROMPT, seed: int = 0) -> torch.Tensor:
        return 1 - conditions.rgb


class Miscounting(StreamingRefiner):
    """Gives as many frames as it likes."""

    def __init__(self, count: int) -> None:
        self.count = count

    def stream(
        self, conditions: ConditionSource, prompt: str = DEFAULT_PROMPT, seed: int = 0
    ) -> Iterator[torch.Tensor]:
        for frame in range(self.count):
            yield conditions[frame % len(conditions) :][:1].rgb


def streamed(refiner: Refiner, name: str = "telea") -> FrameStream:
    return refine_along(refiner, SOURCE, SOURCE.gaussians, PATH, RefinerConfig(refiner=name))


@pytest.mark.parametrize("name", ["none", "telea"])
def test_a_stream_gives_the_frames_that_there_are_at_once(name: str) -> None:
    made = streamed(get_refiner(RefinerConfig(refiner=name)), name)
    taken = list(made.frames)
    assert [len(piece) for piece in taken] == [8, 8, 3]
    assert all(piece.dtype == torch.uint8 for piece in taken)
    whole = streamed(get_refiner(RefinerConfig(refiner=name)), name).whole()
    assert torch.equal(torch.cat(taken), whole.frames)
    # Conditions of a video are drawn again, and are the same.
    assert torch.equal(whole.conditions.alpha, made.drawn[:].alpha)


def test_a_refiner_that_takes_all_at_once_streams_too() -> None:
    made = streamed(Altogether())
    taken = list(made.frames)
    assert [len(piece) for piece in taken] == [19]
    assert torch.equal(taken[0], ((1 - made.drawn[:].rgb) * 255).round().to(torch.uint8))


@pytest.mark.parametrize("count", [18, 21])
def test_another_number_of_frames_is_an_error(count: int) -> None:
    with pytest.raises(RefinementError, match="instead of 19"):
        list(streamed(Miscounting(count)).frames)


def test_time_is_told_apart(tmp_path: Path) -> None:
    made = streamed(Altogether())
    list(made.frames)
    assert list(made.timing.parts) == list(PARTS)
    assert all(value >= 0 for value in made.timing.parts.values())
    assert made.timing.parts["drawing"] == pytest.approx(made.drawn.seconds)
    known = {"seconds": {"decode": 1.5, "reconstruct_total": 20.0}}
    config = RefinerConfig(refiner="telea", prompt="a wall")
    written = write_report(tmp_path / "out.mp4", made, config, known, Path("runs/a"), "orbit_left")
    assert written.file == tmp_path / "out_report.json"
    content = json.loads(written.file.read_text("utf8"))
    assert content["frames"] == 19
    assert (content["run"], content["trajectory"], content["refiner"]) == (str(Path("runs/a")), "orbit_left", "telea")
    seconds = content["seconds"]
    assert seconds["reconstruction"] == 21.5
    assert seconds["generation"] == pytest.approx(sum(seconds["generation_parts"].values()))
    assert seconds["total"] == pytest.approx(21.5 + seconds["generation"])
    assert written.time.startswith("reconstruction, when the scene was made: 21.5 s; generation ")


def test_a_scene_from_elsewhere_took_nobody_knows_how_long() -> None:
    seconds = GenerationSeconds()
    with seconds.counting("refining"):
        pass
    seconds.move("refining", "drawing", -1.0)
    report = time_report({}, seconds)
    assert report["reconstruction"] is None
    assert report["total"] is None
    assert report["generation_parts"]["drawing"] == -1.0
    assert describe_time(report).startswith("generation ")
