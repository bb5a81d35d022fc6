"""What the refiners' benchmark computes, on scenes small enough to know the answer."""

from __future__ import annotations

import math

import pytest
import torch
from _benchmark.columns import REFINE_SECTIONS
from _benchmark.refinement import Contest, aside, measure_refiners
from _benchmark.report import to_markdown

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.generate.base import DEFAULT_PROMPT, Conditions, Refiner
from neoverse_ns.generate.refiners.none import AsDrawn
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.reconstruct.scene import Scene
from tests.reconstruct.small_scene import sideways_cameras, small_scene


def sample_of(scene: Scene) -> BenchmarkClip:
    """A clip of which nothing is known but its frames."""
    return BenchmarkClip("small", scene.clip.source, ClipConfig(), scene.clip, None, None, None, None, None)


class Truth(Refiner):
    """Knows the answer, and notes what it was allowed to learn from."""

    def __init__(self, image: torch.Tensor) -> None:
        self.image, self.learned = image.float() / 255, 0

    def adapt(self, source: SourceScene, seed: int = 0) -> None:
        self.learned = len(source)

    def refine(self, conditions: Conditions, prompt: str = DEFAULT_PROMPT, seed: int = 0) -> torch.Tensor:
        return self.image.expand(len(conditions), -1, -1, -1).clone()


def test_refiners_are_scored_beside_the_drawing_and_learn_from_training_frames_alone() -> None:
    image = torch.randint(0, 256, (16, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    scene = small_scene(image=image, step=0.0)
    truth, drawn = Truth(image), AsDrawn()
    contest = Contest({"truth": truth, "drawn": drawn}, lpips=None, seeds=(1, 2))
    result = measure_refiners(sample_of(scene), scene, contest, seed=0)
    assert truth.learned == len(scene.split.train) == 8
    degraded = result["simulated"]
    assert degraded["truth"]["psnr"] == math.inf
    assert degraded["drawn"] == pytest.approx(degraded["render"], nan_ok=True)
    assert degraded["render"]["psnr"] < 60
    assert degraded["truth_seconds_per_frame"] < 1
    steadiness = result["steadiness"]
    assert steadiness["truth"] == {"change_error": 0.0, "path_flicker": pytest.approx(0, abs=1e-4), "path_change": 0.0}
    assert steadiness["render"]["change_error"] == pytest.approx(steadiness["drawn"]["change_error"])
    assert "right" not in result


def test_the_path_aside_ends_where_it_should() -> None:
    cameras = sideways_cameras(5, 32, 16, step=0.0)
    moved = aside(cameras, 0.4).c2w
    assert torch.allclose(moved[:, 0, 3], torch.tensor([0.0, 0.1, 0.2, 0.3, 0.4]))
    assert torch.equal(moved[:, 1:], cameras.c2w[:, 1:])


def test_tables_have_a_column_for_every_method() -> None:
    row = {"clip": "a", "simulated": {"render": {"psnr": 20.0}, "internal": {"psnr": 30.0, "lpips": 0.1}}}
    table = to_markdown([row], {}, REFINE_SECTIONS, "Refiners")
    assert "| clip | render dB | internal dB | internal LPIPS |" in table
    assert "| a | 20.00 | 30.00 | 0.100 |" in table
