"""What is measured of a finished run besides what ns-eval says, on scenes whose drawings are known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import benchmark
import pytest
import torch
from _benchmark.columns import SECTIONS
from _benchmark.report import Row, to_markdown

from neoverse_ns.clip.synthetic import render_synthetic, save_synthetic
from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.data.clips.demo import still_clip
from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip, load_benchmark_clip
from neoverse_ns.evaluation.data.clips.windows import TRACKING, choose_tracking, held_out_window
from neoverse_ns.evaluation.judges.runs import measure_run as module
from neoverse_ns.evaluation.judges.runs.keyframes import KeyframeDrawings, score_keyframes
from neoverse_ns.evaluation.judges.runs.things import score_depth
from neoverse_ns.evaluation.methods.baselines import baseline_pictures, score_baselines, score_inside
from neoverse_ns.evaluation.methods.train_run import TrainSettings, train_arguments
from neoverse_ns.metrics.image import psnr
from neoverse_ns.plugin.keyframe_drawings import draw_keyframes
from neoverse_ns.plugin.run import OpenRun
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import split_frames
from tests.plugin.tiny_scene import tiny_model, tiny_scene

PROTOCOL = held_out_window(2.0, 3.0, 25)


def tiny_run() -> tuple[OpenRun, Scene]:
    scene = tiny_scene()
    model = tiny_model(scene)
    return OpenRun(scene.clip, scene.split, scene.geometry.cameras, lambda views, times: [], model, scene), scene


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkClip:
    folder = tmp_path_factory.mktemp("clips") / "demo"
    save_synthetic(render_synthetic(9, 96, 64), folder)
    return load_benchmark_clip(folder, PROTOCOL, folder.parent)


def test_keyframes_are_drawn_from_their_own_cameras_at_their_own_times() -> None:
    run, scene = tiny_run()
    drawn = draw_keyframes(run)
    model, _ = run.loaded()
    assert drawn.rgb.shape == (len(scene.geometry.keyframes), 32, 48, 3)
    place = 2
    train = scene.split.train.index(scene.geometry.keyframes[place])
    outputs = model.get_outputs_for_camera(model.train_cameras()[train : train + 1])
    assert torch.equal(drawn.rgb[place], outputs["rgb"])
    assert torch.equal(drawn.depth[place], outputs["depth"][..., 0])


def test_the_worst_keyframe_and_the_mean_without_what_is_no_part_of_the_world() -> None:
    clip, keyframes = tiny_scene().clip, [0, 4, 8]
    off = torch.tensor([2.0, 4.0, 8.0]) / 255
    rgb = torch.stack([clip.frames[k].float() / 255 + error for k, error in zip(keyframes, off, strict=True)])
    scores = score_keyframes(KeyframeDrawings(rgb, rgb[..., 0]), clip, keyframes)
    expected = [-20 * math.log10(float(error)) for error in off]
    assert scores["psnr_each"] == pytest.approx(expected, abs=1e-3)
    assert scores["worst"] == pytest.approx(expected[2], abs=1e-3)
    assert scores["mean"] == pytest.approx(sum(expected) / 3, abs=1e-3)
    rgb[2, :10] = 0
    ignored = torch.zeros(len(clip), 32, 48, dtype=torch.bool)
    ignored[:, :10] = True
    again = score_keyframes(KeyframeDrawings(rgb, rgb[..., 0]), replace(clip, ignored=ignored), keyframes)
    assert again["worst"] == pytest.approx(expected[2], abs=1e-3)


def test_depth_of_each_thing_after_the_scale_of_what_is_still() -> None:
    truth = torch.full((2, 20, 30), 6.0)
    things = torch.zeros(2, 20, 30, dtype=torch.uint8)
    things[:, 2:8, 2:8], things[0, 10:16, 10:20] = 1, 2
    truth[things == 1], truth[things == 2] = 4.0, 3.0
    depth = 0.1 * truth
    # One thing lies on what is still behind it, the other is a tenth too far.
    depth[things == 1], depth[things == 2] = 0.6, 0.33
    scores = score_depth(depth, truth, things)
    assert scores["scale"] == pytest.approx(10)
    assert scores["mean"] == pytest.approx({"1": 0.5, "2": 0.1, "worst_frame": 0.5}, abs=1e-5)
    assert scores["typical"] == pytest.approx(scores["mean"], abs=1e-5)
    # Of a quarter of a thing's pixels one sees through to what is far behind, in one of its two frames.
    depth[1, 2:5, 2:5] = 30.0
    seen_through = score_depth(depth, truth, things)
    assert seen_through["mean"]["1"] == pytest.approx((0.5 + 0.75 * 0.5 + 0.25 * 74) / 2, rel=1e-5)
    assert seen_through["typical"]["1"] == pytest.approx(0.5, abs=1e-5)
    nothing = score_depth(depth, truth, torch.zeros_like(things))
    assert (nothing["mean"], nothing["typical"]) == ({}, {})


def test_baselines_are_scored_inside_the_masks_of_the_run() -> None:
    scene = tiny_scene()
    moving = scene.held_out_dynamic.clone()
    moving[1] = False
    result = score_baselines(scene.clip, scene.split, moving)["repeat_previous"]
    picture, frame = baseline_pictures(scene.clip, scene.split)["repeat_previous"][0], scene.split.held_out[0]
    truth = scene.clip.frames[frame].float() / 255
    assert torch.equal(picture, scene.clip.frames[frame - 1])
    # The second frame has no moving pixel, and does not count.
    assert result["psnr_dynamic"] == pytest.approx(psnr(picture.float() / 255, truth, moving[0]))
    assert math.isnan(result["psnr_dynamic_each"][1])
    assert result["psnr_static_each"][0] == pytest.approx(psnr(picture.float() / 255, truth, ~moving[0]))
    ignored = torch.zeros(len(scene.clip), 32, 48, dtype=torch.bool)
    ignored[:, :, :20] = True
    partly = score_baselines(replace(scene.clip, ignored=ignored), scene.split, moving)["repeat_previous"]
    inside = moving[0] & ~ignored[frame]
    assert partly["psnr_dynamic"] == pytest.approx(psnr(picture.float() / 255, truth, inside))
    assert partly["psnr_each"][0] == pytest.approx(psnr(picture.float() / 255, truth, ~ignored[frame]))


def test_equal_pictures_are_infinitely_good_and_empty_masks_nothing() -> None:
    picture, mask = torch.zeros(4, 5, 3, dtype=torch.uint8), torch.zeros(2, 4, 5, dtype=torch.bool)
    mask[0, 1] = True
    scores = score_inside([(picture, picture), (picture, picture)], mask)
    assert scores["psnr"] == math.inf
    assert math.isnan(score_inside([(picture, picture)], mask[1:])["psnr"])


def test_a_run_is_compared_with_the_truth(sample: BenchmarkClip, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sample.things is not None
    assert sample.right_things is not None
    assert sample.depth is not None
    assert sample.right_frames is not None
    assert sample.cameras is not None
    split = split_frames(len(sample.clip))
    things, depth = sample.things[split.keyframes], sample.depth[split.keyframes]
    geometry = SceneGeometry(sample.cameras, split.keyframes, 0.2 * depth, torch.ones_like(depth), things == 1)
    scene = Scene(sample.clip, split, geometry, None, sample.things[split.held_out] > 0)
    drawn = KeyframeDrawings(sample.clip.images[split.keyframes], torch.where(things == 2, 1.3, 1.0) * depth)

    class Known(OpenRun):
        def loaded(self) -> Any:
            return None, scene

    # All wrong but for what moves.
    right = torch.where(sample.right_things[..., None] > 0, sample.right_frames, 0)
    run = Known(sample.clip, split, sample.cameras, lambda views, times: [])
    monkeypatch.setattr(Known, "draw", lambda self, views, times: right)
    monkeypatch.setattr(Known, "drawn_keyframes", lambda self: drawn)
    monkeypatch.setattr(module, "open_trained", lambda config: run)
    result, found = module.measure_run(Path("config.yml"), sample)
    assert found is scene
    assert result["things"]["iou"] == pytest.approx(float((things == 1).sum() / (things > 0).sum()))
    assert result["things"]["solved"]["mean"]["worst_frame"] < 1e-4
    assert result["things"]["drawn"]["typical"]["2"] == pytest.approx(0.3, abs=1e-3)
    assert result["right_beside"]["psnr_dynamic"] == math.inf
    assert result["right_beside"]["psnr"] < 20
    assert result["keyframes"]["worst"] == math.inf


def test_ways_of_tracking_become_flags_and_runs_of_their_own(sample: BenchmarkClip, tmp_path: Path) -> None:
    assert [way.name for way in choose_tracking("m1,train")] == ["m1", "train"]
    with pytest.raises(SettingsError, match="no protocol named m2; there are m1, m0, train"):
        choose_tracking("m1,m2")
    for name, flag in (("m0", "m0"), ("train", "none")):
        settings = TrainSettings("neoverse", 3, tmp_path, TRACKING[name], steps=7)
        arguments = train_arguments(sample, settings, name)
        assert arguments[arguments.index("--tracking") + 1] == flag
        assert arguments[arguments.index("--timestamp") + 1] == name
        assert arguments[arguments.index("--max-num-iterations") + 1] == "7"


def test_every_protocol_is_trained_and_has_a_column(
    sample: BenchmarkClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, trained = tiny_scene(), []

    def train(of: BenchmarkClip, settings: TrainSettings) -> tuple[dict[str, Any], Scene]:
        trained.append(settings.tracking.name)
        better = float(len(trained))
        return {"psnr": 20 + better, "psnr_dynamic": 10 + better, "keyframes": {"mean": 30 + better}}, scene

    monkeypatch.setattr(benchmark, "train_and_evaluate", train)
    monkeypatch.setattr(benchmark, "load_benchmark_clip", lambda *arguments: replace(sample, right_frames=None))
    options = benchmark.Benchmark(tmp_path, skip_geometry=True, protocols="m1,train")
    row: Row = benchmark.measure(tmp_path / "one", options, tmp_path)
    assert trained == ["m1", "train"]
    expected = score_baselines(scene.clip, scene.split, scene.held_out_dynamic)
    assert row["baselines"]["flow_interpolation"] == expected["flow_interpolation"]
    text = to_markdown([row], benchmark._header(options), SECTIONS)
    assert "- train: clips-held-out-train@1: training frames alone are followed" in text
    assert "| clip | repeat dB | flow dB | scene m1 dB | scene train dB |" in text
    moving = text[text.index("## Moving pixels of held-out frames") :]
    assert "| 11.0 | 12.0 |" in moving[: moving.index("##", 3)]
    assert "| clip | mean m1 dB | mean train dB |" in text
    assert "m0" not in text


def test_the_clip_from_a_tripod_has_one_small_mover_and_grain() -> None:
    clip = still_clip(4, 192, 112)
    assert torch.equal(clip.cameras.c2w, clip.cameras.c2w[:1].expand(4, 4, 4))
    shares = (clip.things == 1).flatten(1).float().mean(dim=1)
    assert 0.0005 < float(shares[2]) < 0.005
    assert clip.things.unique().tolist() == [0, 1]
    # Far from the mover two frames differ by their grain and its rounding alone.
    noise = (clip.frames[1].float() - clip.frames[2].float())[:40]
    assert float(noise.std()) == pytest.approx((2 * (0.49 + 1 / 12)) ** 0.5, rel=0.05)
    centres = [float(torch.nonzero(things)[:, 1].float().mean()) for things in clip.things[1:]]
    assert centres == sorted(centres)
