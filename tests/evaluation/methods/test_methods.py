"""Methods on a small room: simple ones against what they must show, ours under every placing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import ReconstructionError, SettingsError
from neoverse_ns.evaluation.judges.views.judge import judge_views
from neoverse_ns.evaluation.judges.views.make_task import view_task
from neoverse_ns.evaluation.methods.flow_interpolation import FlowInterpolation, interpolate_along_flow
from neoverse_ns.evaluation.methods.ours import Ours, OursConfig
from neoverse_ns.evaluation.methods.registry import view_method
from neoverse_ns.evaluation.methods.repeat import Repeat
from neoverse_ns.evaluation.protocol.protocol import Cameras
from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.reconstruct.bundle.config import BundleConfig, field_of_view
from neoverse_ns.reconstruct.config import SceneConfig
from tests.evaluation.memory_scene import FOCAL, MemoryScene, even_to_odd, protocol, room_scene, to_second


@pytest.fixture(scope="module")
def room() -> MemoryScene:
    return room_scene(frames=6, width=96, height=64, move=0.15)


@pytest.fixture(scope="module")
def feed_forward() -> Ours:
    """With the field of view told: so small a room hardly tells it."""
    bundle = BundleConfig(fov_degrees=field_of_view(FOCAL))
    method = view_method("ours:reconstructor=bundle,steps=0", base=OursConfig(scene=SceneConfig(bundle=bundle)))
    assert isinstance(method, Ours)
    return method


def _mean(result: SceneResult) -> float:
    values = list(result.values["psnr"].values())
    assert len(values) == result.attempted["psnr"], result.skipped
    return sum(values) / len(values)


def test_repeat_shows_the_nearest_input_at_the_targets_size(room: MemoryScene, tmp_path: Path) -> None:
    task = view_task(protocol(), room, even_to_odd(room), tmp_path)
    task = replace(task, targets=(replace(task.targets[0], time=0.4, width=48, height=32), *task.targets[1:]))
    views = list(Repeat().answer(task).views)
    assert views[0].rgb.shape == (32, 48, 3)
    small = task.clip.frames[1].float().reshape(32, 2, 48, 2, 3).mean((1, 3))
    assert float((views[0].rgb.float() - small).abs().max()) <= 1
    # As near to the input before as to that after: the earlier one.
    assert torch.equal(views[1].rgb, task.clip.frames[1])


def test_flow_stays_between_the_inputs_of_its_own_camera(room: MemoryScene, tmp_path: Path) -> None:
    task = view_task(protocol(), room, even_to_odd(room), tmp_path)
    views = list(FlowInterpolation().answer(task).views)
    frames = task.clip.frames.numpy()
    between = torch.from_numpy(interpolate_along_flow(frames[1], frames[2], 0.5))
    assert int((views[1].rgb.int() - between.int()).abs().max()) <= 1
    with pytest.raises(ReconstructionError, match="not applicable"):
        FlowInterpolation().answer(view_task(protocol(), room, to_second(room), tmp_path))
    with pytest.raises(ReconstructionError, match="before or after"):
        FlowInterpolation().answer(replace(task, targets=(replace(task.targets[0], time=1.2),)))
    flow = judge_views(protocol(), room, even_to_odd(room), FlowInterpolation(), work=tmp_path)
    assert _mean(flow) > _mean(judge_views(protocol(), room, even_to_odd(room), Repeat(), work=tmp_path)) + 3


@pytest.mark.parametrize(("placing", "more"), [("given", 3.0), ("sim3-context", 0.5), ("predict-all", 3.0)])
def test_ours_shows_a_second_camera_however_it_is_placed(
    room: MemoryScene, feed_forward: Ours, placing: Cameras, more: float, tmp_path: Path
) -> None:
    """So small and short a clip leaves the path turned by a pixel against the pictures, which sim3-context shows."""
    choice = to_second(room)
    result = judge_views(protocol(placing), room, choice, feed_forward, work=tmp_path)
    repeated = judge_views(protocol(placing), room, choice, Repeat(), work=tmp_path)
    assert _mean(result) > _mean(repeated) + more
    assert result.report["solver"] == "bundle"
    assert result.report["looks_at_targets"] == (placing == "predict-all")
    assert {"inputs", "reconstruct", "cameras", "draw"} <= set(result.seconds)


def test_frames_between_inputs_are_shown_and_improved_cameras_show_them_better(
    room: MemoryScene, feed_forward: Ours, tmp_path: Path
) -> None:
    choice = even_to_odd(room)
    plain = judge_views(protocol("given"), room, choice, feed_forward, work=tmp_path)
    better = judge_views(protocol("given", tto=4), room, choice, feed_forward, work=tmp_path)
    assert _mean(plain) > 20
    assert _mean(better) > _mean(plain) - 0.2
    told = better.report["tto"]
    assert told["loss"] == "mse"
    assert len(told["steps"]) == len(choice.targets)
    assert all(last <= first for first, last in zip(told["first"], told["last"], strict=True))


def test_optimisation_and_refiners_are_switches(room: MemoryScene, tmp_path: Path) -> None:
    method = view_method("ours:reconstructor=bundle,steps=3,refiner=telea,keyframes=2")
    assert isinstance(method, Ours)
    assert method.name == "ours(bundle, 3 steps, telea)"
    assert method.config.scene.num_keyframes == 2
    result = judge_views(protocol("given"), room, even_to_odd(room), method, work=tmp_path)
    assert _mean(result) > 15
    assert {"optimise", "finish"} <= set(result.seconds)


def test_words_that_are_none_are_named() -> None:
    for word, said in (("theirs", "no method"), ("ours:speed=3", "no option 'speed'"), ("repeat:x=1", "no options")):
        with pytest.raises(SettingsError, match=said):
            view_method(word)
    with pytest.raises(SettingsError, match="whole number"):
        view_method("ours:steps=many")
    elsewhere = view_method("ours:steps=7,device=cpu")
    assert isinstance(elsewhere, Ours)
    assert elsewhere.settings()["optimise"]["steps"] == 7
    assert elsewhere.settings()["device"] == elsewhere.device == "cpu"
    json.dumps(elsewhere.settings(), allow_nan=False)
    assert elsewhere.weights() == {}
    assert view_method("ours", base=OursConfig()).name == f"ours({Ours().solver}, 500 steps)"
