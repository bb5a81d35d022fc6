"""Cameras judged: right ones of any world, missing ones, and solvers over the frames that all of them placed."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import PackageError, ReconstructionError, SettingsError
from neoverse_ns.evaluation.judges.cameras.judge import judge_cameras, over_common_frames
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod, CamerasFound, CameraTask
from neoverse_ns.evaluation.methods.camera_methods import camera_method
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import so3_exp
from tests.evaluation.memory_scene import MemoryScene, room_scene

METRICS = ("ate", "rpe-t", "rpe-r", "auc3", "auc30", "ate-percent", "turn", "focal-percent", "solved")
ELSEWHERE = Sim3(
    torch.tensor(0.2, dtype=torch.float64),
    so3_exp(torch.tensor([0.3, -0.1, 0.6], dtype=torch.float64)),
    torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64),
)


def given(scene: Any) -> Choice:
    return Choice(tuple(scene.camera("0")), ())


PROTOCOL = Protocol("room@1", "cameras", "memory", "room-1", None, "all", given, "none", METRICS)


class Told(CameraMethod):
    """Answers with the cameras that it is made with; remembers what it was asked."""

    name = solver = "told"

    def __init__(self, c2w: Float64[Tensor, "n 4 4"] | None, name: str = "told", longer: float = 1.0) -> None:
        self._c2w, self.name, self._longer = c2w, name, longer
        self.asked: list[CameraTask] = []

    def solve(self, task: CameraTask) -> CamerasFound:
        self.asked.append(task)
        if self._c2w is None:
            raise ReconstructionError("nothing is seen")
        K = torch.tensor([[76.8, 0, 48], [0, 76.8, 32], [0, 0, 1]], dtype=torch.float64).repeat(len(self._c2w), 1, 1)
        K[:, 0, 0] *= self._longer
        return CamerasFound(PinholeCameras(self._c2w, K, 96, 64), {"all": 2.0}, 1.5, {"why": math.nan})


@pytest.fixture(scope="module")
def scene() -> MemoryScene:
    return room_scene()


def truth(scene: MemoryScene) -> Float64[Tensor, "n 4 4"]:
    return torch.stack([frame.c2w for frame in scene.camera("0") if frame.c2w is not None])


def test_right_cameras_of_another_world_have_no_error(scene: MemoryScene, tmp_path: Path) -> None:
    method = Told(ELSEWHERE.apply_c2w(truth(scene)), longer=1.1)
    result = judge_cameras(PROTOCOL, scene, given(scene), method, work=tmp_path)
    values = {name: next(iter(found.values())) for name, found in result.values.items()}
    assert values["ate"] == pytest.approx(0, abs=1e-9)
    assert values["rpe-t"] == pytest.approx(0, abs=1e-9)
    assert values["rpe-r"] == pytest.approx(0, abs=1e-5)
    assert (values["auc3"], values["auc30"]) == (1.0, 1.0)
    assert values["focal-percent"] == pytest.approx(10)
    assert len(result.values["solved"]) == result.attempted["solved"] == 6
    assert (result.seconds, result.peak_gb, result.report["why"]) == ({"all": 2.0}, 1.5, None)
    (task,) = method.asked
    assert task.known_K is None
    assert len(list(task.write(tmp_path / "pictures").iterdir())) == 6


def test_a_frame_without_a_camera_is_a_failure_and_not_left_out(scene: MemoryScene, tmp_path: Path) -> None:
    c2w = ELSEWHERE.apply_c2w(truth(scene))
    c2w[2] = math.nan
    result = judge_cameras(PROTOCOL, scene, given(scene), Told(c2w), work=tmp_path)
    # Five of fifteen pairs have that frame.
    assert result.values["auc30"]["scene"] == pytest.approx(10 / 15)
    assert len(result.values["solved"]) == 5
    assert any("5 of 15 pairs lack a camera" in note for note in result.skipped)
    assert result.values["ate"]["scene"] == pytest.approx(0, abs=1e-9)
    failed = judge_cameras(PROTOCOL, scene, given(scene), Told(None), work=tmp_path)
    assert failed.failed == "nothing is seen"
    assert failed.values == {}
    assert failed.attempted["solved"] == 6


def test_solvers_are_compared_over_the_frames_that_all_placed(scene: MemoryScene, tmp_path: Path) -> None:
    good, partial, nothing = truth(scene), truth(scene).clone(), truth(scene).clone()
    good[5, 0, 3] += 4.0
    partial[5] = math.nan
    nothing[:] = math.nan
    results = [
        judge_cameras(PROTOCOL, scene, given(scene), Told(c2w, name), work=tmp_path)
        for name, c2w in (("good", good), ("partial", partial))
    ]
    assert results[0].values["ate"]["scene"] > 0.1
    assert over_common_frames(results) == pytest.approx({"good": 0, "partial": 0}, abs=1e-9)
    assert over_common_frames([judge_cameras(PROTOCOL, scene, given(scene), Told(None), work=tmp_path)]) == {}


def test_a_solver_is_told_the_focal_length_where_it_asks(scene: MemoryScene, tmp_path: Path) -> None:
    method = Told(truth(scene))
    method.focal_given = True
    judge_cameras(PROTOCOL, scene, given(scene), method, work=tmp_path)
    known = method.asked[0].known_K
    assert known is not None
    assert known[0, 0] == pytest.approx(76.8)


def test_the_bundle_solves_a_room(scene: MemoryScene, tmp_path: Path) -> None:
    protocol = replace(PROTOCOL, metrics=("ate-percent", "solved"))
    result = judge_cameras(protocol, scene, given(scene), camera_method("bundle:focal=given"), work=tmp_path)
    assert result.failed is None
    assert result.method == "bundle:focal=given"
    assert result.values["ate-percent"]["scene"] < 5
    assert len(result.values["solved"]) == 6


def test_names_of_solvers(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="no method named 'slam' finds cameras; there are bundle, network"):
        camera_method("slam")
    with pytest.raises(SettingsError, match="openmvg cannot be told the focal length"):
        camera_method("openmvg:focal=given")
    with pytest.raises(SettingsError, match="one setting"):
        camera_method("bundle:steps=3")
    monkeypatch.setitem(__import__("sys").modules, "openmvg_rs", None)
    with pytest.raises(PackageError, match="pip install openmvg-rs"):
        camera_method("openmvg").settings()
