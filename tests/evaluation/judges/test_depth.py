"""Depth judged at the truth's size, with every alignment, and only where it counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import ClipError, ReconstructionError, SettingsError
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod, CamerasFound, CameraTask
from neoverse_ns.evaluation.judges.depth import at_source_size, judge_depth, limits_of
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.depth import DepthLimits
from neoverse_ns.reconstruct.base import SceneGeometry

METRICS = ("absrel-none", "absrel-median", "absrel-scale", "delta1-scale", "absrel-shift")


def everything(scene: Any) -> Choice:
    return Choice(scene.frames, ())


PROTOCOL = Protocol("wall@1", "depth", "memory", "wall-1", None, "all", everything, "none", METRICS, mask="below-70")


class Wall(BenchmarkScene):
    """Slanted walls, one nearer than the other, with a hole and something far away in the truth."""

    name, folder = "wall", Path("nowhere")

    def __init__(self, known: bool = True) -> None:
        self.frames = tuple(BenchmarkFrame(f"{n}.png", "0", n, n / 10, 96, 64) for n in range(2))
        slant = torch.linspace(2, 6, 96).expand(64, 96)
        self._depth = [slant.clone(), slant + 1]
        self._depth[0][10:20, 10:20] = 0
        self._depth[1][:, :8] = 90
        self._known = known

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        depth = self._depth[frame.time] if self._known and "depth" in what else None
        return BenchmarkPixels(torch.zeros(64, 96, 3, dtype=torch.uint8), depth)


class Half(CameraMethod):
    """Sees everything at half its distance, and a constant on top."""

    name = solver = "half"

    def __init__(self, more: float = 0.0, frames: int = 2) -> None:
        self._more, self._frames = more, frames

    def solve(self, task: CameraTask) -> CamerasFound:
        assert task.every_depth
        slant = torch.linspace(2, 6, 96).expand(64, 96)
        depth = torch.stack([slant, slant + 1])[: self._frames] / 2 + self._more
        cameras = PinholeCameras(torch.eye(4).repeat(2, 1, 1), torch.eye(3).repeat(2, 1, 1), 96, 64)
        moving = torch.zeros(depth.shape, dtype=torch.bool)
        geometry = SceneGeometry(cameras, list(range(self._frames)), depth, torch.ones_like(depth), moving)
        return CamerasFound(cameras, {"all": 1.0}, geometry=geometry)


class Blind(CameraMethod):
    name = solver = "blind"

    def solve(self, task: CameraTask) -> CamerasFound:
        return CamerasFound(None, {})


def values(method: CameraMethod, protocol: Protocol = PROTOCOL) -> dict[str, float]:
    scene = Wall()
    result = judge_depth(protocol, scene, everything(scene), method, work=Path())
    return {name: next(iter(found.values())) for name, found in result.values.items()}


def test_every_alignment_and_only_what_counts() -> None:
    found = values(Half())
    assert found["absrel-none"] == pytest.approx(0.5)
    assert found["absrel-scale"] == pytest.approx(0, abs=1e-6)
    assert found["absrel-median"] == pytest.approx(0, abs=1e-6)
    assert found["delta1-scale"] == 1.0
    # Without the hole, and without what is 70 and more away.
    assert found["valid-pixels"] == 2 * 64 * 96 - 100 - 64 * 8
    shifted = values(Half(more=0.5))
    assert shifted["absrel-scale"] > 0.01
    assert shifted["absrel-shift"] == pytest.approx(0, abs=1e-6)


def test_what_cannot_be_judged_is_said() -> None:
    scene = Wall()
    with pytest.raises(ReconstructionError, match="blind finds cameras, and no depth"):
        judge_depth(PROTOCOL, scene, everything(scene), Blind(), work=Path())
    with pytest.raises(ReconstructionError, match="1 of 2 frames"):
        judge_depth(PROTOCOL, scene, everything(scene), Half(frames=1), work=Path())
    with pytest.raises(ClipError, match=r"0\.png: has no true depth"):
        judge_depth(PROTOCOL, Wall(known=False), everything(scene), Half(), work=Path())
    with pytest.raises(SettingsError, match="'psnr' is no depth metric"):
        values(Half(), replace(PROTOCOL, metrics=("psnr",)))


def test_words_for_what_counts() -> None:
    assert limits_of("own") == DepthLimits(None, 1e-5, None)
    assert limits_of("below-70") == DepthLimits(70.0, 1e-5, None)
    assert limits_of("clip-70") == DepthLimits(70.0, 1e-5, 70.0)
    for wrong in ("covis", "below-", "below-far", "clip--3", "own-3"):
        with pytest.raises(SettingsError, match="masked by own"):
            limits_of(wrong)


def test_cut_borders_count_nowhere() -> None:
    # 100x70 becomes 96x64: 96 of 100 columns and 64 of 67.2 rows are kept at scale 0.96.
    depth: Float[Tensor, "n h w"] = torch.linspace(1, 2, 96).expand(1, 64, 96).contiguous()
    whole, covered = at_source_size(depth, 100, 70)
    assert whole.shape == covered.shape == (1, 70, 100)
    rows, columns = covered[0].any(dim=1), covered[0].any(dim=0)
    assert (int(rows.sum()), int(columns.sum())) == (67, 100)
    assert not bool(covered[0, 0].any())
    assert float(whole[0, 35, 50]) == pytest.approx(1.5, abs=0.01)
    same, everywhere = at_source_size(depth, 96, 64)
    assert torch.equal(same, depth)
    assert bool(everywhere.all())
