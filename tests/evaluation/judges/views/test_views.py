"""Views judged on a scene whose every picture is known: what methods get, what is measured, what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import ClipError, LeakError, ReconstructionError, SettingsError
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, Known
from neoverse_ns.evaluation.judges.views.guard import GuardedScene
from neoverse_ns.evaluation.judges.views.judge import judge_views
from neoverse_ns.evaluation.judges.views.make_task import view_task
from neoverse_ns.evaluation.judges.views.targets import TargetJudge
from neoverse_ns.evaluation.judges.views.task import Answer, Shown, Target, ViewMethod, ViewTask
from neoverse_ns.evaluation.protocol.protocol import Choice
from neoverse_ns.metrics.image import psnr
from tests.evaluation.memory_scene import MemoryScene, even_to_odd, protocol, room_scene, to_second


class Painter(ViewMethod):
    """Shows whatever a function says."""

    name, solver = "painter", "none"

    def __init__(self, paint: Callable[[ViewTask, Target], torch.Tensor | None]) -> None:
        self._paint = paint
        self.task: ViewTask | None = None

    def answer(self, task: ViewTask) -> Answer:
        self.task = task

        def views() -> Iterator[Shown]:
            for target in task.targets:
                picture = self._paint(task, target)
                if picture is not None:
                    yield Shown(target.name, picture)

        return Answer(views(), {"paint": 1.0}, {"brush": "soft"})


def grey(task: ViewTask, target: Target) -> torch.Tensor:
    return torch.full((target.height, target.width, 3), 128, dtype=torch.uint8)


@pytest.fixture
def scene() -> MemoryScene:
    return room_scene(frames=5, width=48, height=32)


def test_values_are_those_of_the_metrics_and_targets_are_read_by_the_judge_alone(
    scene: MemoryScene, tmp_path: Path
) -> None:
    choice, painter = even_to_odd(scene), Painter(grey)
    result = judge_views(protocol(), scene, choice, painter, work=tmp_path, keep=tmp_path / "kept")
    assert result.values.keys() == {"psnr", "ssim-sk11"}
    for frame in choice.targets:
        truth = scene.read(frame).rgb
        assert truth is not None
        expected = psnr(torch.full(truth.shape, 128 / 255), truth.float() / 255)
        assert result.values["psnr"][frame.name] == pytest.approx(expected, abs=1e-4)
    assert result.inputs == [frame.name for frame in choice.inputs]
    assert result.attempted == {"psnr": 2, "ssim-sk11": 2}
    assert (result.failed, result.skipped) == (None, [])
    assert result.seconds["paint"] == 1.0
    assert result.report["brush"] == "soft"
    assert len(list((tmp_path / "kept").glob("*.png"))) == 2
    assert painter.task is not None
    assert painter.task.peek is None
    assert painter.task.clip.source != scene.folder


def test_no_target_is_read_before_a_method_has_answered(scene: MemoryScene, tmp_path: Path) -> None:
    choice = to_second(scene)
    view_task(protocol(), scene, choice, tmp_path)
    assert scene.reads == [frame.name for frame in choice.inputs]
    with pytest.raises(LeakError, match=r"1/000.png"):
        GuardedScene(scene, scene.reads, "a method's inputs").read(choice.targets[0])


def test_only_who_may_look_gets_a_way_to(scene: MemoryScene, tmp_path: Path) -> None:
    choice = even_to_odd(scene)
    assert view_task(protocol("given"), scene, choice, tmp_path).peek is None
    task = view_task(protocol("predict-all"), scene, choice, tmp_path)
    assert task.peek is not None
    truth = scene.read(choice.targets[0]).rgb
    assert truth is not None
    assert torch.equal(task.peek(task.targets[0]), truth)
    with pytest.raises(KeyError):
        task.peek(replace(task.targets[0], name=task.names[0]))
    assert view_task(protocol("given", tto=5), scene, choice, tmp_path).peek is not None


def test_a_picture_on_both_sides_is_refused(scene: MemoryScene, tmp_path: Path) -> None:
    inputs = even_to_odd(scene).inputs
    with pytest.raises(LeakError, match="both given and judged"):
        judge_views(protocol(), scene, Choice(inputs, inputs[:1]), Painter(grey), work=tmp_path)
    with pytest.raises(LeakError, match="twice"):
        judge_views(protocol(), scene, Choice((inputs[0], inputs[0]), ()), Painter(grey), work=tmp_path)


def test_tasks_tell_cameras_and_times_in_the_pixels_of_each_side(scene: MemoryScene, tmp_path: Path) -> None:
    choice = to_second(scene)
    task = view_task(protocol(size="24c"), scene, choice, tmp_path, longest=12)
    assert (task.clip.width, task.clip.height) == (12, 12)
    assert task.cameras is not None
    assert task.cameras.K[0, 0, 0] == pytest.approx(0.8 * 48 * 18 / 48)
    assert task.cameras.K[0, 0, 2] == pytest.approx(6.0)
    target = task.targets[3]
    assert (target.width, target.height, target.beside, target.camera) == (24, 24, 3, "1")
    assert target.time == pytest.approx(0.75)
    assert target.true_K is not None
    assert target.true_K[0, 0] == pytest.approx(0.8 * 48 * 36 / 48)
    assert torch.equal(task.cameras.c2w[2], torch.as_tensor(choice.inputs[2].c2w))


def test_masks_choose_the_pixels_that_count(scene: MemoryScene, tmp_path: Path) -> None:
    """The left quarter is wrong, and outside the mask."""
    choice = even_to_odd(scene)

    def half_right(task: ViewTask, target: Target) -> torch.Tensor:
        picture = scene.read(next(frame for frame in choice.targets if frame.name == target.name)).rgb
        assert picture is not None
        shown = (picture.int() + 1).clamp(0, 255).to(torch.uint8)
        shown[:, :12] = 0
        return shown

    chosen = protocol(mask="covis", metrics=("mpsnr", "psnr"))
    result = judge_views(chosen, scene, choice, Painter(half_right), work=tmp_path)
    for value in result.values["mpsnr"].values():
        assert value == pytest.approx(20 * math.log10(255), abs=0.3)
    assert max(result.values["psnr"].values()) < 25


def test_what_cannot_be_measured_is_told_and_counted(scene: MemoryScene, tmp_path: Path) -> None:
    choice = replace(even_to_odd(scene), skipped=("0/099.png is missing",))

    def truth_or_nothing(task: ViewTask, target: Target) -> torch.Tensor | None:
        if target.name == choice.targets[0].name:
            return None
        return scene.read(choice.targets[1]).rgb

    result = judge_views(protocol(), scene, choice, Painter(truth_or_nothing), work=tmp_path)
    assert result.values["psnr"] == {}
    assert result.attempted["psnr"] == 2
    assert list(result.values["ssim-sk11"]) == [choice.targets[1].name]
    said = "\n".join(result.skipped)
    for words in ("0/099.png is missing", "shows nothing of 0/001.png", "psnr is infinite"):
        assert words in said
    nowhere = TargetJudge(protocol(mask="dyn"), scene)
    assert nowhere.measure(choice.targets[0], torch.zeros(32, 48, 3, dtype=torch.uint8)) == {}
    assert "has no mask 'dyn'" in nowhere.skipped[0]


def test_a_method_that_fails_says_why_and_data_that_fails_stops(scene: MemoryScene, tmp_path: Path) -> None:
    class Lost(Painter):
        def answer(self, task: ViewTask) -> Answer:
            raise ReconstructionError("nothing to see")

    failed = judge_views(protocol(), scene, even_to_odd(scene), Lost(grey), work=tmp_path)
    assert failed.failed == "nothing to see"
    assert failed.values == {}
    assert failed.attempted["psnr"] == 2
    small = Painter(lambda task, target: torch.zeros(3, 3, 3, dtype=torch.uint8))
    with pytest.raises(ClipError, match="3x3"):
        judge_views(protocol(), scene, even_to_odd(scene), small, work=tmp_path)
    with pytest.raises(SettingsError, match="'own'"):
        judge_views(protocol(mask="own"), scene, even_to_odd(scene), Painter(grey), work=tmp_path)
    both = to_second(scene)
    with pytest.raises(ClipError, match="one view a time"):
        view_task(protocol(), scene, Choice((*both.inputs, both.targets[0]), ()), tmp_path)


def test_black_pixels_of_a_drawing_are_left_out_where_the_protocol_says_so(scene: MemoryScene) -> None:
    frame = even_to_odd(scene).targets[0]
    truth = scene.read(frame).rgb
    assert truth is not None
    shown = (truth.int() + 2).clamp(0, 255).to(torch.uint8)
    shown[:, :20] = 0
    seen = TargetJudge(protocol(mask="plain-seen", metrics=("mpsnr",)), scene).measure(frame, shown)
    assert seen["mpsnr"] == pytest.approx(20 * math.log10(255 / 2), abs=0.3)


def test_a_target_that_is_missing_or_damaged_costs_no_other_value(
    scene: MemoryScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = even_to_odd(scene)
    gone, kept = choice.targets
    monkeypatch.setattr(scene, "lacks", lambda frame, *what: [frame.name] if frame == gone else [], raising=False)
    painter = Painter(grey)
    result = judge_views(protocol(), scene, choice, painter, work=tmp_path)
    assert list(result.values["psnr"]) == [kept.name]
    assert result.attempted["psnr"] == 2
    assert result.skipped == [f"{gone.name}: not judged, since {gone.name} is not there"]
    assert painter.task is not None
    assert [target.name for target in painter.task.targets] == [kept.name]
    monkeypatch.undo()
    real = scene.read

    def damaged(frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        if frame == gone:
            raise ClipError("cannot be decoded")
        return real(frame, *what)

    monkeypatch.setattr(scene, "read", damaged)
    result = judge_views(protocol(), scene, choice, Painter(grey), work=tmp_path)
    assert list(result.values["psnr"]) == [kept.name]
    assert result.skipped == [f"{gone.name}: cannot be decoded"]


def test_pictures_smaller_than_the_id_says_are_told(scene: MemoryScene, tmp_path: Path) -> None:
    def note(size: str) -> str | None:
        return judge_views(protocol(size=size), scene, even_to_odd(scene), Painter(grey), work=tmp_path).report.get(
            "size_note"
        )

    assert note("560x560") == "judged at 48x32: the pictures are smaller than 560x560"
    assert note("48x32") is None
    assert note("40x40") is None
    assert note("1x") is None


def test_files_of_frames_are_looked_for_where_they_have_any(tmp_path: Path, scene: MemoryScene) -> None:
    frame, other = scene.frames[:2]
    assert scene.lacks(frame, "rgb") == []
    scene = room_scene(frames=2, width=16, height=8)
    scene.folder = tmp_path
    (tmp_path / other.name).parent.mkdir()
    (tmp_path / other.name).write_text("")
    assert scene.lacks(frame, "rgb") == [frame.name]
    assert scene.lacks(other, "rgb") == []
    assert scene.lacks(frame, "covis") == []
