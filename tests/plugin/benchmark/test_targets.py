"""Targets in a run's folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import RunError
from neoverse_ns.evaluation.judges.views.task import Target
from neoverse_ns.plugin.benchmark.targets import RunTargets, Truth, are_saved_targets, load_targets, save_targets
from tests.plugin.tiny_scene import tiny_cameras

POSE = torch.tensor(
    [[0.6, 0.0, 0.8, 1 / 3], [0.0, 1.0, 0.0, 1e-9], [-0.8, 0.0, 0.6, 1e4], [0, 0, 0, 1]], dtype=torch.float64
)


def some_targets() -> RunTargets:
    known = Target("rgb/1_00003.png", 1.25, POSE, torch.eye(3, dtype=torch.float64), 6, 4, 2, "1")
    unknown = Target("rgb/2_00004.png", -0.1, None, None, 6, 4)
    return RunTargets(
        alias="made-up@1",
        id="made-up/id",
        note="None.",
        placing="sim3-context",
        mask="covis",
        metrics=("psnr", "mpsnr"),
        scene="apple",
        inputs=("rgb/0_00001.png",),
        targets=(known, unknown),
        skipped=("one is missing",),
        input_cameras=("0",),
        cameras=tiny_cameras(1),
    )


def truth(index: int) -> Truth:
    generator = torch.Generator().manual_seed(index)
    rgb = torch.randint(0, 256, (4, 6, 3), generator=generator, dtype=torch.uint8)
    return Truth(rgb, torch.rand(4, 6, generator=generator) < 0.5 if index == 0 else None)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    written = save_targets(some_targets(), tmp_path / "targets", truth)
    read = load_targets(tmp_path / "targets")
    for name in ("alias", "id", "placing", "mask", "metrics", "inputs", "skipped", "input_cameras", "folder"):
        assert getattr(read, name) == getattr(written, name), name
    assert read.targets[1] == written.targets[1]
    assert read.targets[0].beside == 2
    assert read.targets[0].true_c2w is not None
    assert torch.equal(read.targets[0].true_c2w, POSE)
    assert read.cameras is not None
    assert torch.equal(read.cameras.c2w, tiny_cameras(1).c2w.double())
    assert read.joint is None
    for index in range(2):
        found, expected = read.truth(index), truth(index)
        assert torch.equal(found.rgb, expected.rgb)
        assert (found.mask is None) == (expected.mask is None)
        assert found.mask is None or expected.mask is None or torch.equal(found.mask, expected.mask)


def test_half_written_and_damaged_targets_are_none(tmp_path: Path) -> None:
    def fails(index: int) -> Truth:
        if index:
            raise OSError("full")
        return truth(index)

    with pytest.raises(OSError, match="full"):
        save_targets(some_targets(), tmp_path / "targets", fails)
    assert not are_saved_targets(tmp_path / "targets")
    saved = save_targets(some_targets(), tmp_path / "targets", truth)
    assert are_saved_targets(tmp_path / "targets")
    saved.picture_file(1).unlink()
    with pytest.raises(RunError, match="00001"):
        saved.truth(1)
    (tmp_path / "targets" / "targets.json").write_text("{")
    with pytest.raises(RunError, match="train again"):
        load_targets(tmp_path / "targets")
