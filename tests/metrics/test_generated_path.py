"""Camera accuracy of videos against loops, and where parts of it do not exist."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.se3 import so3_exp
from neoverse_ns.metrics.generated_path import (
    PATH_ACCURACY,
    PathAccuracy,
)
from tests.metrics.path import recorded_case

Accuracy = Callable[[Tensor, Tensor], PathAccuracy]
F64 = torch.float64


def world() -> Sim3:
    turn = so3_exp(torch.tensor([1.0, 2.0, -0.5], dtype=F64))
    return Sim3(torch.tensor(4.2, dtype=F64), turn, torch.tensor([3.0, 1.0, -9.0], dtype=F64))


def angle(R: np.ndarray) -> float:
    return math.acos(max(-1, min(1, (np.trace(R) - 1) / 2)))


def from_first(path: Tensor) -> list[np.ndarray]:
    return [np.linalg.inv(path[0].numpy()) @ c2w.numpy() for c2w in path]


@pytest.mark.parametrize("measure", PATH_ACCURACY.values(), ids=PATH_ACCURACY)
def test_the_path_itself_in_any_world_and_unit_is_perfect(measure: Accuracy) -> None:
    estimate, reference = recorded_case()
    same = measure(world().apply_c2w(reference), reference)
    assert (same.rotation, same.translation) == pytest.approx((0, 0), abs=1e-9)
    assert same.reason is None
    once, moved = measure(estimate, reference), measure(world().apply_c2w(estimate), reference)
    assert (moved.rotation, moved.translation) == pytest.approx((once.rotation, once.translation), abs=1e-9)
    assert min(once.rotation, once.translation) > 1e-3


def test_redirectors_is_that_of_loops() -> None:
    estimate, reference = recorded_case()
    angles, distances = [], []
    for i in range(10):
        for j in range(10):
            if i != j:
                relative = [c2w[i, :3, :3].numpy().T @ c2w[j, :3, :3].numpy() for c2w in (reference, estimate)]
                angles.append(math.degrees(angle(relative[0].T @ relative[1])))
            distances.append(float((reference[i, :3, 3] - reference[j, :3, 3]).norm()))
    p, q = estimate[:, :3, 3].numpy(), reference[:, :3, 3].numpy()
    U, D, Vt = np.linalg.svd((q - q.mean(0)).T @ (p - p.mean(0)) / 10)
    S = np.diag([1, 1, np.linalg.det(U @ Vt)])
    s = np.trace(np.diag(D) @ S) / p.var(0).sum()
    off = np.linalg.norm(s * (p - p.mean(0)) @ (U @ S @ Vt).T + q.mean(0) - q, axis=1)
    found = PATH_ACCURACY["camera-redirector"](estimate, reference)
    assert found.rotation == pytest.approx(np.mean(angles), abs=1e-6)
    assert found.translation == pytest.approx(off.mean() / (max(distances) + 1e-6), abs=1e-9)
    assert found.motion is None


def test_cami2vs_is_that_of_loops() -> None:
    estimate, reference = recorded_case()
    a, b = from_first(estimate), from_first(reference)
    for path in (a, b):
        longest = max(np.linalg.norm(T[:3, 3]) for T in path)
        for T in path:
            T[:3, 3] /= longest
    found = PATH_ACCURACY["camera-cami2v"](estimate, reference)
    pairs = list(zip(a, b, strict=True))
    assert found.rotation == pytest.approx(sum(angle(x[:3, :3] @ y[:3, :3].T) for x, y in pairs), abs=1e-6)
    assert found.translation == pytest.approx(sum(np.linalg.norm(x[:3, 3] - y[:3, 3]) for x, y in pairs), abs=1e-9)
    assert found.motion == pytest.approx(sum(np.linalg.norm((x - y)[:3]) for x, y in pairs), abs=1e-9)


def test_camctrls_is_that_of_loops() -> None:
    estimate, reference = recorded_case()
    pairs = list(zip(from_first(estimate), from_first(reference), strict=True))
    s = sum(x[:3, 3] @ y[:3, 3] for x, y in pairs) / sum(x[:3, 3] @ x[:3, 3] for x, _ in pairs)
    found = PATH_ACCURACY["camera-camctrl"](estimate, reference)
    assert found.rotation == pytest.approx(sum(angle(x[:3, :3] @ y[:3, :3].T) for x, y in pairs), abs=1e-6)
    assert found.translation == pytest.approx(sum(np.linalg.norm(y[:3, 3] - s * x[:3, 3]) for x, y in pairs), abs=1e-9)


def test_every_other_frame_turned_by_a_degree() -> None:
    _, reference = recorded_case()
    turned = reference.clone()
    turned[1::2, :3, :3] = so3_exp(torch.tensor([0, math.radians(1), 0], dtype=F64)) @ turned[1::2, :3, :3]
    # Of 45 pairs 25 are of a turned and an unturned frame; those of two turned alike show nothing.
    assert PATH_ACCURACY["camera-redirector"](turned, reference).rotation == pytest.approx(25 / 45, abs=1e-9)
    assert PATH_ACCURACY["camera-cami2v"](turned, reference).rotation == pytest.approx(math.radians(5), abs=1e-9)


@pytest.mark.parametrize("measure", PATH_ACCURACY.values(), ids=PATH_ACCURACY)
def test_what_does_not_move_has_turns_alone(measure: Accuracy) -> None:
    estimate, reference = recorded_case()
    still = reference.clone()
    still[:, :3, 3] = torch.tensor([1.0, 2.0, 3.0], dtype=F64)
    error = measure(estimate, still)
    assert error.rotation == pytest.approx(measure(estimate, reference).rotation, abs=1e-9)
    assert math.isnan(error.translation)
    assert "does not move" in (error.reason or "")
    # An estimate that stands still is simply wrong.
    assert measure(still, reference).translation > 0.1
    broken = measure(estimate * math.nan, reference)
    assert math.isnan(broken.rotation)
    assert broken.reason
    assert measure(estimate[:0], reference[:0]).reason
