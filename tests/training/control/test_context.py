"""How many frames of a clip a training scene is made of: drawn anew at every visit, spread over the clip."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from neoverse_ns.generate.refiners.wan.config import WanSource
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import split_frames
from neoverse_ns.training.control import pairs as pairs_module
from neoverse_ns.training.control.clips import TrainingClip
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.pairs import PairStream, context_frames
from tests.reconstruct.small_scene import small_scene


def test_every_number_from_11_to_21_comes_equally_often() -> None:
    generator, config = torch.Generator().manual_seed(0), ControlTrainingConfig()
    counted = Counter(context_frames(config, generator) or 0 for _ in range(3300))
    assert sorted(counted) == list(range(11, 22))
    assert 220 < min(counted.values()) <= max(counted.values()) < 380


def test_a_scenes_own_number_is_kept() -> None:
    generator = torch.Generator().manual_seed(0)
    fixed = ControlTrainingConfig(scene=SceneConfig(num_keyframes=7))
    assert {context_frames(fixed, generator) for _ in range(20)} == {7}
    assert context_frames(ControlTrainingConfig(context=None), generator) is None


def test_context_is_spread_evenly_over_the_clip_with_both_ends() -> None:
    for count in range(11, 22):
        split = split_frames(81, count, held_out_every=0)
        assert (split.keyframes[0], split.keyframes[-1], len(split.keyframes)) == (0, 80, count)
        gaps = torch.tensor(split.keyframes).diff()
        assert int(gaps.max() - gaps.min()) <= 1


def test_every_visit_asks_for_its_own_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []

    def scene(path: Path, config: SceneConfig, device: str) -> Scene:
        asked.append(config.num_keyframes)
        assert config.held_out_every == 0
        return small_scene(count=7, width=32, height=16)

    monkeypatch.setattr(pairs_module, "cached_scene", scene)
    config = ControlTrainingConfig(context=(2, 4), frames=5, random_start=False, wan=WanSource(unit=2.0))
    stream = PairStream([TrainingClip(Path("street.mp4"))], config, torch.device("cpu"))
    draws = [stream.draw(torch.Generator().manual_seed(seed)) for seed in range(12)]
    # Each number once: its scene is held.
    assert sorted(asked, key=lambda number: number or 0) == [2, 3, 4]
    assert {draw.unit for draw in draws} == {2.0}
    again = stream.draw(torch.Generator().manual_seed(3))
    assert torch.equal(again.pair.conditions.rgb, draws[3].pair.conditions.rgb)
    assert len(asked) == 3


def test_every_visit_begins_elsewhere_and_the_seed_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[float] = []

    def scene(path: Path, config: SceneConfig, device: str) -> Scene:
        begun.append(config.clip.spacing_offset)
        return small_scene(count=7, width=32, height=16)

    monkeypatch.setattr(pairs_module, "build_scene", scene)
    monkeypatch.setattr(pairs_module, "cached_scene", lambda *_: pytest.fail("kept a scene that is never met again"))
    config = ControlTrainingConfig(context=(2, 4), frames=5)
    assert config.scene.clip.spacing == 5
    stream = PairStream([TrainingClip(Path("street.mp4"))], config, torch.device("cpu"))
    for seed in [*range(40), 7]:
        stream.draw(torch.Generator().manual_seed(seed))
    assert len(set(begun)) == 40
    assert begun[40] == begun[7]
    assert 0 <= min(begun) < 0.2
    assert 0.8 < max(begun) < 1


def test_a_clip_may_begin_at_its_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    def scene(path: Path, config: SceneConfig, device: str) -> Scene:
        assert config.clip.spacing_offset == 0
        return small_scene(count=7, width=32, height=16)

    monkeypatch.setattr(pairs_module, "cached_scene", scene)
    monkeypatch.setattr(pairs_module, "build_scene", lambda *_: pytest.fail("did not look at the cache"))
    config = ControlTrainingConfig(context=(2, 4), frames=5, random_start=False)
    PairStream([TrainingClip(Path("street.mp4"))], config, torch.device("cpu")).draw(torch.Generator().manual_seed(0))
