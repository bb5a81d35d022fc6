"""Placing of judged cameras, where every answer is known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.judges.views.task import Target, ViewTask
from neoverse_ns.evaluation.placing.place import PLACINGS, looks_at_targets, place
from neoverse_ns.evaluation.placing.placed import Placed
from neoverse_ns.evaluation.placing.predict_all import Together, together, unit_ratio
from neoverse_ns.evaluation.protocol.protocol import Cameras
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp, so3_exp

WIDTH, HEIGHT = 40, 30


def _sim3(seed: int, scale: float) -> Sim3:
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(6, generator=generator, dtype=torch.float64)
    return Sim3(torch.tensor(scale, dtype=torch.float64), so3_exp(draw[:3]), 5 * draw[3:])


def _path(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return se3_exp(0.5 * torch.randn(count, 6, generator=generator, dtype=torch.float64))


def _K(count: int, scale: float = 1.0, focal: float = 35.0) -> torch.Tensor:
    K = torch.tensor([[focal, 0, WIDTH / 2], [0, focal, HEIGHT / 2], [0, 0, 1]], dtype=torch.float64)
    K[:2] *= scale
    return K.repeat(count, 1, 1)


def _task(placing: Cameras, inputs: int = 5, targets: int = 5, scale: float = 2.0, own: bool = False) -> ViewTask:
    """Random cameras; targets are `scale` times as large as the clip, and stand beside the inputs of their numbers."""
    judged = [
        Target(
            name=f"target {number}",
            time=number / max(targets - 1, 1),
            true_c2w=c2w,
            true_K=_K(1, scale)[0],
            width=round(WIDTH * scale),
            height=round(HEIGHT * scale),
            beside=number if number < inputs else None,
            camera="in" if own else "out",
        )
        for number, c2w in enumerate(_path(targets, 7))
    ]
    clip = Clip(
        torch.zeros(inputs, HEIGHT, WIDTH, 3, dtype=torch.uint8),
        torch.arange(inputs),
        torch.arange(inputs, dtype=torch.float64),
        Path("inputs"),
    )
    peek = None
    if PLACINGS[placing].looks_at_targets:

        def read(target: Target) -> torch.Tensor:
            return torch.full((target.height, target.width, 3), int(target.name.split()[1]) + 1, dtype=torch.uint8)

        peek = read
    return ViewTask(
        scene="made up",
        clip=clip,
        names=tuple(f"input {number}" for number in range(inputs)),
        cameras=PinholeCameras(_path(inputs, 3), _K(inputs), WIDTH, HEIGHT),
        targets=tuple(judged),
        work=Path("work"),
        placing=placing,
        peek=peek,
        input_cameras=("in",) * inputs,
    )


def _estimated(task: ViewTask, world: Sim3, focal: float = 35.0) -> PinholeCameras:
    assert task.cameras is not None
    return PinholeCameras(world.apply_c2w(task.cameras.c2w), _K(len(task.cameras), focal=focal), WIDTH, HEIGHT)


def _true_targets(task: ViewTask) -> torch.Tensor:
    return torch.stack([target.true_c2w for target in task.targets if target.true_c2w is not None])


def _solver(task: ViewTask, world: Sim3, focal: float = 35.0) -> Callable[[Together], PinholeCameras]:
    """Run B: every camera exactly, in a world of its own."""

    def solve(joint: Together) -> PinholeCameras:
        assert task.cameras is not None
        c2w = torch.empty(len(joint.clip), 4, 4, dtype=torch.float64)
        c2w[joint.inputs] = world.apply_c2w(task.cameras.c2w)
        c2w[joint.targets] = world.apply_c2w(_true_targets(task))
        return PinholeCameras(c2w, _K(len(c2w), focal=focal), WIDTH, HEIGHT)

    return solve


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(0.05, 20.0))
@pytest.mark.parametrize("placing", ["given", "sim3-context", "beside", "predict-all", "predict-all-signed"])
def test_an_exact_reconstruction_places_targets_exactly(placing: Cameras, seed: int, scale: float) -> None:
    """Whatever world and unit the scene has: every way finds where the targets truly stand in it."""
    task, world = _task(placing), _sim3(seed, scale)
    found = _estimated(task, world)
    placed = place(
        task, found, world if placing == "given" else None, _solver(task, _sim3(seed + 1, 0.3)), chained=True
    )
    tolerance = 2e-6 * (1 + float(world.apply_c2w(_true_targets(task)).abs().max()))
    torch.testing.assert_close(placed.c2w, world.apply_c2w(_true_targets(task)), atol=tolerance, rtol=0)
    torch.testing.assert_close(placed.K, _K(5, 2.0), atol=1e-4, rtol=0)


def test_a_network_that_was_told_cameras_is_placed_by_what_it_found() -> None:
    task, world = _task("given"), _sim3(1, 0.5)
    placed = place(task, _estimated(task, world))
    torch.testing.assert_close(placed.c2w, world.apply_c2w(_true_targets(task)), atol=1e-4, rtol=0)


def test_an_estimated_focal_length_is_kept_and_a_given_one_is_the_truth() -> None:
    task, world = _task("sim3-context"), _sim3(2, 1.5)
    placed = place(task, _estimated(task, world, focal=42.0))
    torch.testing.assert_close(placed.K, _K(5, 2.0, focal=42.0), atol=1e-4, rtol=0)
    joint = place(_task("predict-all"), _estimated(task, world), None, _solver(task, _sim3(3, 2.0), focal=50.0))
    torch.testing.assert_close(joint.K, _K(5, 2.0, focal=50.0), atol=1e-4, rtol=0)


def test_errors_of_the_path_count_in_sim3_context_and_not_beside() -> None:
    task, world = _task("sim3-context"), _sim3(4, 1.0)
    found = _estimated(task, world)
    slipped = found.c2w.clone()
    slipped[2, :3, 3] += 0.2
    found = PinholeCameras(slipped, found.K, WIDTH, HEIGHT)
    truth = world.apply_c2w(_true_targets(task))[2, :3, 3]
    aligned, beside = (placed.c2w[2, :3, 3] for placed in (place(task, found), place(_task("beside"), found)))
    # The slipped camera takes its target along where that stands beside it; the similarity hardly heeds it.
    slip = torch.full((3,), 0.2, dtype=torch.float64)
    assert float((beside - truth - slip).norm()) < 0.1
    assert float((aligned - truth).norm()) < 0.15 < float((aligned - truth - slip).norm())


def test_unit_ratios_in_closed_form() -> None:
    one, other = torch.eye(4).repeat(3, 1, 1), torch.eye(4).repeat(3, 1, 1)
    one[1, 0, 3], one[2, 1, 3] = 3.0, -6.0
    other[1, 0, 3], other[2, 1, 3] = 1.0, -0.5
    assert unit_ratio(one, other) == pytest.approx(9 / 1.5)
    assert unit_ratio(one, other, signed=True) == pytest.approx(-3 / 0.5)
    assert unit_ratio(one[:1].repeat(3, 1, 1), other) == 1.0
    moved = _sim3(5, 4.0).apply_c2w(one.double())
    assert unit_ratio(moved, one) == pytest.approx(4.0)


def test_frames_of_another_camera_are_walked_back_and_own_ones_put_between() -> None:
    joint = together(_task("predict-all", 3, 3), chained=True)
    assert (joint.inputs, joint.targets) == ([0, 1, 2], [5, 4, 3])
    assert joint.clip.frames[:, 0, 0, 0].tolist() == [0, 0, 0, 3, 2, 1]
    assert bool((joint.clip.seconds.diff() > 0).all())
    by_time = together(_task("predict-all", 3, 3), chained=False)
    assert (by_time.inputs, by_time.targets) == ([0, 2, 4], [1, 3, 5])
    own = together(_task("predict-all", 3, 5, own=True), chained=True)
    assert own.targets == [1, 2, 4, 5, 7]


def test_who_looks_at_targets_says_so() -> None:
    assert [name for name, placing in PLACINGS.items() if placing.looks_at_targets] == [
        "predict-all",
        "predict-all-signed",
    ]
    assert looks_at_targets("given", 100)
    assert not looks_at_targets("sim3-context", 0)


def test_what_is_missing_is_named() -> None:
    task = _task("beside", 3, 5)
    with pytest.raises(SettingsError, match="target 3"):
        place(task, _estimated(task, _sim3(0, 1.0)))
    alone = _task("predict-all")
    with pytest.raises(SettingsError, match="finds cameras"):
        place(alone, _estimated(alone, _sim3(0, 1.0)))
    with pytest.raises(SettingsError, match="4 cameras were found for 5"):
        place(alone, _estimated(alone, _sim3(0, 1.0))[[0, 1, 2, 3]])
    with pytest.raises(SettingsError, match="let anybody look"):
        together(_task("sim3-context"), chained=True)


def test_parts_of_a_task_keep_who_stands_beside_whom() -> None:
    part = _task("beside", 4, 4).part([0, 2, 3])
    assert part.names == ("input 0", "input 2", "input 3")
    assert [target.beside for target in part.targets] == [0, None, 1, 2]
    assert part.cameras is not None
    assert len(part.clip) == len(part.cameras) == 3


def test_a_placed_camera_has_its_targets_size() -> None:
    task = _task("given", 2, 2)
    camera = Placed(_true_targets(task), _K(2, 2.0)).camera(1, task.targets[1])
    assert (camera.width, camera.height, len(camera)) == (80, 60, 1)
