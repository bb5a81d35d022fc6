"""Which clip is learned from when, and what happens where one cannot be used."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.errors import ClipError, RunError
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.split import split_frames
from neoverse_ns.training.control.clips import find_clips
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.pairs import Draw, PairStream
from neoverse_ns.training.control.sources import FolderSource, ManifestSource, chosen_frames
from neoverse_ns.training.control.visits import context_frames, stretch, visit_at
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.worlds import WorldRows
from neoverse_ns.training.data.sources import open_clip
from neoverse_ns.training.data.tally import Tally, TallyConfig
from tests.training.control.small_run import WallScenes, small_config, write_clips


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_clips(tmp_path_factory.mktemp("clips"), 4, broken=frozenset({2}))
    (folder / "000.txt").write_text("the street\n at night")
    return folder


def stream(clips: Path, config: ControlTrainingConfig, **settings) -> tuple[PairStream, WallScenes, Tally]:
    scenes = settings.pop("scenes", WallScenes())
    tally = settings.pop("tally", Tally())
    source = FolderSource(find_clips(clips), config.scene.clip, "cpu")
    return PairStream(source, config, scenes, tally, **settings), scenes, tally


def same(a: Draw, b: Draw) -> bool:
    alike = a.name == b.name and a.prompt == b.prompt and a.pair.choices == b.pair.choices
    drawn = torch.equal(a.pair.conditions.rgb, b.pair.conditions.rgb)
    return alike and drawn and torch.equal(a.pair.target, b.pair.target)


def test_every_number_from_11_to_21_comes_equally_often() -> None:
    generator, config = torch.Generator().manual_seed(0), ControlTrainingConfig()
    counted = Counter(context_frames(config, generator) or 0 for _ in range(3300))
    assert sorted(counted) == list(range(11, 22))
    assert 220 < min(counted.values()) <= max(counted.values()) < 380
    fixed = ControlTrainingConfig(scene=SceneConfig(num_keyframes=7))
    assert {context_frames(fixed, generator) for _ in range(20)} == {7}
    assert context_frames(ControlTrainingConfig(context=None), generator) is None


def test_context_is_spread_evenly_over_the_clip_with_both_ends() -> None:
    for count in range(11, 22):
        split = split_frames(81, count, held_out_every=0)
        assert (split.keyframes[0], split.keyframes[-1], len(split.keyframes)) == (0, 80, count)
        gaps = torch.tensor(split.keyframes).diff()
        assert int(gaps.max() - gaps.min()) <= 1


@pytest.mark.parametrize(
    ("frames", "fps", "step"), [(401, 24, 5), (10_000, 24, 5), (400, 20, 4), (321, 24, 4), (161, 10, 2), (81, 5, 1)]
)
def test_frames_are_as_far_apart_as_fits_and_begin_anywhere(frames: int, fps: float, step: int) -> None:
    row = ManifestRow("a", "own", {"path": "a"}, frames, float(fps))
    found = [chosen_frames(row, 81, 5, offset, shorten=False) for offset in (0.0, 0.5, 0.999999)]
    for chosen in found:
        assert len(chosen) == 81
        assert {b - a for a, b in itertools.pairwise(chosen)} == {step}
    left_over = frames - 80 * step - 1
    assert (found[0][0], found[2][-1]) == (0, frames - 1)
    assert found[1][0] == pytest.approx(left_over / 2, abs=1)


def test_short_clips_are_left_out_or_taken_as_they_are() -> None:
    # At 24 frames a second, int(0.2 x 24) = 4 from one frame to the next: 321 are the least.
    row = ManifestRow("a", "own", {"path": "a"}, 320, 24.0)
    with pytest.raises(ClipError, match="too short: 320 frames at 24 a second, 321 are the least"):
        chosen_frames(row, 81, 5, 0.0, shorten=False)
    assert chosen_frames(row, 81, 5, 0.0, shorten=True)[1] == 3
    few = ManifestRow("a", "own", {"path": "a"}, 7, 24.0)
    assert chosen_frames(few, 81, 5, 0.7, shorten=True) == list(range(7))


def test_rows_of_a_manifest_are_read_scaled_and_cut(tmp_path: Path) -> None:
    rows = WorldRows(2, width=64, height=28, frames=9)
    source = ManifestSource(rows, tmp_path, ClipConfig(num_frames=5, spacing=5), (32, 16), shorten=True)
    clip = source.read(1, 0.999)
    # One in two fits, and nothing is left over.
    assert clip.frame_indices.tolist() == [0, 2, 4, 6, 8]
    assert clip.frames.shape == (5, 16, 32, 3)
    world = open_clip(tmp_path, rows[1])
    frame = world.frame(4).rgb.numpy()
    # 64x28 shrinks by 16/28 and loses what is left at both sides.
    whole = cv2.resize(frame, (37, 16), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(clip.frames[2].numpy(), whole[:, 2:34])
    assert source.name(1).endswith(rows[1].id)


@pytest.mark.parametrize(
    ("available", "wanted", "count"), [(1, 81, 1), (4, 81, 1), (25, 81, 25), (27, 81, 25), (90, 9, 9)]
)
def test_stretches_are_of_4k_plus_1_frames(available: int, wanted: int, count: int) -> None:
    begins = set()
    for seed in range(40):
        frames = stretch(available, wanted, torch.Generator().manual_seed(seed))
        assert frames == list(range(frames[0], frames[0] + count))
        begins.add(frames[0])
    assert min(begins) == 0
    assert max(begins) <= available - count
    assert len(begins) > 1 or available == count


def test_every_clip_comes_once_before_any_comes_again() -> None:
    config = ControlTrainingConfig(seed=3)
    found = [visit_at(config, 7, position) for position in range(70)]
    orders = [[visit.clip for visit in found[epoch * 7 : epoch * 7 + 7]] for epoch in range(10)]
    assert all(sorted(order) == list(range(7)) for order in orders)
    assert len({tuple(order) for order in orders}) > 5
    assert len({visit.offset for visit in found}) == 70
    assert 0 <= min(visit.offset for visit in found) < 0.1
    assert visit_at(config, 7, 12) == found[12]
    assert {visit_at(config, 7, 5, attempt).clip for attempt in range(1, 8)} == set(range(7))


def test_pairs_are_a_function_of_seed_step_and_process(clips: Path, tmp_path: Path) -> None:
    config = small_config(tmp_path, accumulate=2)
    whole, scenes, _ = stream(clips, config)
    draws = [next(whole) for _ in range(8)]
    assert all(2 <= (asked[1] or 0) <= 4 for asked in scenes.asked)
    later, _, _ = stream(clips, config, first_step=2)
    assert all(same(next(later), draw) for draw in draws[4:])
    ahead, _, _ = stream(clips, small_config(tmp_path, accumulate=2, workers=2), first_step=2)
    assert all(same(next(ahead), draw) for draw in draws[4:])
    # Two processes share out the visits of one; what each draws beyond the clip is its own.
    both = [stream(clips, config, rank=rank, processes=2)[0] for rank in (0, 1)]
    shared = [next(side).name for _ in range(4) for side in both]
    assert shared == [draw.name for draw in draws]
    assert draws[0].unit == 1.0
    assert {"the street at night", ""} >= {draw.prompt for draw in draws if draw.name == "000.mp4"}


def test_bad_clips_are_told_listed_and_replaced_and_leave_the_others_as_they_were(clips: Path, tmp_path: Path) -> None:
    config = small_config(tmp_path)
    tally = Tally(TallyConfig(share=0.9), tmp_path)
    bad, _, _ = stream(clips, config, tally=tally, scenes=WallScenes(frozenset({"001.mp4"})))
    draws = [next(bad) for _ in range(8)]
    assert {draw.name for draw in draws} == {"000.mp4", "003.mp4"}
    assert tally.tries == 8 + tally.failures
    listed = [json.loads(line) for line in (tmp_path / "bad_clips.jsonl").read_text().splitlines()]
    assert len(listed) == tally.failures >= 4
    assert {entry["clip"] for entry in listed} == {"001.mp4", "002.mp4"}
    assert tally.reasons["ReconstructionError: nothing holds still"] >= 2
    good, _, _ = stream(clips, config)
    untouched = [(a, b) for a, b in zip(draws, (next(good) for _ in range(8)), strict=True) if a.name == b.name]
    assert len(untouched) >= 4
    assert all(same(a, b) for a, b in untouched)


def test_a_folder_of_nothing_but_bad_clips_ends_the_run(tmp_path: Path) -> None:
    folder = write_clips(tmp_path / "clips", 3, broken=frozenset({0, 1, 2}))
    bad, _, tally = stream(folder, small_config(tmp_path))
    with pytest.raises(RunError, match="50 clips in a row could not be used"):
        next(bad)
    assert tally.failures == 50


def test_several_pairs_of_one_scene(clips: Path, tmp_path: Path) -> None:
    config = small_config(tmp_path, pairs_per_scene=3)
    pairs, scenes, tally = stream(clips, config)
    draws = [next(pairs) for _ in range(6)]
    assert len(scenes.asked) == 2
    assert len({draw.name for draw in draws[:3]}) == 1
    assert len({draw.pair.choices for draw in draws[:3]}) == 3
    assert tally.tries - tally.failures == 2
    amid, _, late = stream(clips, config, first_step=4)
    assert same(next(amid), draws[4])
    assert late.tries == 0
