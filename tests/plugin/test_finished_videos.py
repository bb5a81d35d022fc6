"""Refined videos from a run: what is drawn where, and what the refiner gets."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from neoverse_ns.applications.finish import checked_refiner, finish
from neoverse_ns.errors import NeoVerseError, RunError, SettingsError
from neoverse_ns.gaussians.layers import INPAINTED
from neoverse_ns.gaussians.transform import transform
from neoverse_ns.generate.base import DEFAULT_PROMPT, Conditions, Refiner
from neoverse_ns.generate.conditions.drawn import render_conditions
from neoverse_ns.generate.conditions.render import ConditionSettings
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import GeneratedVideo, threshold_of
from neoverse_ns.generate.registry import REFINERS
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.generate.stage.training_frames import training_source
from neoverse_ns.plugin.open_scene import scene_of
from neoverse_ns.plugin.run import OpenRun
from neoverse_ns.plugin.run_source import export_scene, refined_cameras, run_source
from neoverse_ns.plugin.world import world_to_nerfstudio
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.trajectory.camera_path import to_camera_path
from neoverse_ns.trajectory.choose import TrajectoryOptions
from neoverse_ns.trajectory.picture_size import PictureSize
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.plugin.tiny_scene import FRAMES, GAUSSIANS, HEIGHT, WIDTH, tiny_gaussians, tiny_model, tiny_scene


class Witness(Refiner):
    """Remembers what it was given; changes nothing."""

    source: SourceScene | None = None
    conditions: Conditions | None = None
    prompt = ""

    def adapt(self, source: SourceScene, seed: int = 0) -> None:
        Witness.source = source

    def refine(self, conditions: Conditions, prompt: str = DEFAULT_PROMPT, seed: int = 0) -> torch.Tensor:
        Witness.conditions, Witness.prompt = conditions, prompt
        return conditions.rgb


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> OpenRun:
    """A run with Gaussians that a refiner inpainted, and cameras that training has moved."""
    monkeypatch.setitem(REFINERS, "witness", lambda config: Witness())
    scene = tiny_scene()
    model = tiny_model(scene)
    inpainted = tiny_gaussians(300, seed=5)
    inpainted = inpainted.with_(dynamic=torch.zeros(300, dtype=torch.bool), means=1.5 * inpainted.means)
    model.optimisation.layers.replace(INPAINTED, transform(inpainted, world_to_nerfstudio()), {})
    with torch.no_grad():
        model.camera_optimizer.pose_adjustment += 0.01
    cameras = refined_cameras(model, scene)
    return OpenRun(scene.clip, scene.split, cameras, lambda views, times: [], model, scene)


def video(
    run: OpenRun,
    name: str,
    refiner: str = "witness",
    first_frame: bool | None = None,
    size: PictureSize | None = None,
    **options: Any,
) -> GeneratedVideo:
    config = RefinerConfig(refiner=refiner, prompt="a street")
    return finished(run, name, TrajectoryOptions(**options), config, 0.9, first_frame, size)


def finished(
    run: OpenRun,
    name: str,
    options: TrajectoryOptions,
    config: RefinerConfig,
    alpha_threshold: float | None = None,
    first_frame: bool | None = None,
    size: PictureSize | None = None,
) -> GeneratedVideo:
    """What ns-neoverse generate writes."""
    refiner, opened = checked_refiner(config), scene_of(run)
    path = (size or PictureSize()).apply(opened.choose(name, options))
    made = finish(opened.scene, path, config, refiner, alpha_threshold=alpha_threshold, first_frame=first_frame)
    return made.whole()


def test_the_refiner_gets_training_frames_and_what_they_showed(run: OpenRun) -> None:
    made = video(run, "static", num_frames=FRAMES)
    source, conditions = Witness.source, Witness.conditions
    assert source is not None
    assert conditions is not None
    assert torch.equal(source.frames, run.clip.frames[run.split.train])
    assert INPAINTED not in source.gaussians
    assert source.gaussians.count == GAUSSIANS
    assert Witness.prompt == "a street"
    assert made.frames.shape == (FRAMES, HEIGHT, WIDTH, 3)
    assert torch.equal(conditions.mask[1:], conditions.alpha[1:] > 0.9)
    # A camera that stays on the path sees what the run draws there, refined pose included.
    model, scene = run.loaded()
    frame = 4
    seen = model.gaussians.without(INPAINTED).detach()
    view = run.cameras[frame : frame + 1]
    drawn = draw_layers(seen, float(scene.clip.times[frame]), view.viewmats, view.K, WIDTH, HEIGHT)
    torch.testing.assert_close(conditions.rgb[frame], drawn.rgb[0].clamp(0, 1), atol=2e-3, rtol=0.0)


def test_without_a_refiner_everything_is_shown(run: OpenRun) -> None:
    plain = video(run, "static", refiner="none", num_frames=3).conditions
    seen = video(run, "static", num_frames=3).conditions
    assert float((plain.alpha - seen.alpha).min()) > -1e-5
    assert float((plain.alpha - seen.alpha).max()) > 0.1


def test_a_camera_path_of_the_run_looks_where_it_was_drawn(run: OpenRun, tmp_path: Path) -> None:
    times = torch.linspace(0, 1, FRAMES)
    document = to_camera_path(run.cameras.c2w, torch.tensor([45.0] * FRAMES), times, WIDTH, HEIGHT, 8.0)
    path = tmp_path / "path.json"
    path.write_text(json.dumps(document), "utf8")
    onto = video(run, str(path)).conditions
    still = video(run, "static", num_frames=FRAMES).conditions
    torch.testing.assert_close(onto.c2w, still.c2w, atol=1e-5, rtol=0.0)


def test_the_first_frame_is_the_clips_where_it_is_asked_for(run: OpenRun) -> None:
    made = video(run, "pan_left", first_frame=True, num_frames=3)
    assert made.conditions.first_frame
    assert torch.equal(made.frames[0], run.clip.frames[0])
    without = video(run, "pan_left", first_frame=False, num_frames=3)
    assert not torch.equal(without.frames[0], run.clip.frames[0])
    # A plain move has it unless it begins elsewhere, or nothing is refined.
    assert torch.equal(video(run, "pan_left", num_frames=3).frames[0], run.clip.frames[0])
    assert not video(run, "pan_left", num_frames=3, time="reverse").conditions.first_frame
    assert torch.equal(video(run, "pan_left", refiner="none", num_frames=3).frames[0], drawn_first(run))


def drawn_first(run: OpenRun) -> torch.Tensor:
    """The first frame of a run as it is drawn without being asked to look like the clip's."""
    return video(run, "pan_left", refiner="none", first_frame=False, num_frames=3).frames[0]


def test_everything_is_repainted_as_published_by_the_released_model_alone(run: OpenRun) -> None:
    assert threshold_of("wan") == 1.0
    assert threshold_of("internal") == threshold_of("telea") == 0.95
    assert threshold_of("wan", 0.5) == 0.5
    conditions = finished(run, "static", TrajectoryOptions(num_frames=3), RefinerConfig(refiner="witness")).conditions
    assert torch.equal(conditions.mask[1:], conditions.alpha[1:] > 0.95)
    opaque = render_conditions(run_source(*run.loaded()).gaussians, path_of(run), ConditionSettings(1.0))
    assert not opaque.mask.any()


def path_of(run: OpenRun) -> Trajectory:
    return Trajectory(run_source(*run.loaded()).cameras[:2], torch.zeros(2))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"time": "reverse"}, "another moment"),
        ({"time": "reverse", "follow": "time"}, "another place and direction and moment"),
    ],
)
def test_the_first_frame_is_refused_where_the_path_begins_elsewhere(
    run: OpenRun, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        video(run, "static", num_frames=3, first_frame=True, **options)
    assert len(video(run, "static", num_frames=2, first_frame=False, **options).frames) == 2


def test_time_and_rate_are_directed_in_the_clips_own_seconds(run: OpenRun) -> None:
    made = video(run, "static", time="0:0, 0.4s:0.8s, hold 0.2s", fps=10.0)
    assert made.fps == 10.0
    assert made.conditions.times.tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1, 1])
    # Frozen frames from one place are one picture.
    frozen = video(run, "static", time="freeze@0.4s", follow="time", num_frames=3)
    assert torch.equal(frozen.frames[0], frozen.frames[2])
    assert video(run, "static", num_frames=3).fps == 16.0


def test_frames_may_have_another_size_than_the_clips(run: OpenRun, capsys: pytest.CaptureFixture[str]) -> None:
    small = video(run, "static", num_frames=3).conditions
    large = video(run, "static", num_frames=3, size=PictureSize(width=2 * WIDTH), first_frame=True)
    assert large.frames.shape == (3, 2 * HEIGHT, 2 * WIDTH, 3)
    assert large.conditions.first_frame
    torch.testing.assert_close(large.conditions.K[:, :2], 2 * small.K[:, :2])
    halved = functional.avg_pool2d(large.conditions.rgb[2].permute(2, 0, 1), 2).permute(1, 2, 0)
    assert float((halved - small.rgb[2]).abs().mean()) < 0.03
    kept = functional.avg_pool2d(large.frames[0].permute(2, 0, 1).float(), 2).permute(1, 2, 0)
    assert float((kept - run.clip.frames[0].float()).abs().mean()) < 25
    assert "left out" not in capsys.readouterr().out
    square = video(run, "static", num_frames=3, size=PictureSize(width=64, height=64))
    assert not square.conditions.first_frame
    assert "the clip's first frame is left out" in capsys.readouterr().out
    with pytest.raises(SettingsError, match="keep the clip's shape"):
        video(run, "static", num_frames=3, size=PictureSize(width=64, height=64), first_frame=True)
    with pytest.raises(SettingsError, match="even"):
        video(run, "static", num_frames=3, size=PictureSize(width=63))


def test_cameras_of_another_world_are_placed_by_the_runs_refined_ones(run: OpenRun, tmp_path: Path) -> None:
    there = run.cameras.c2w.double().clone()
    there[:, :3, 3] = 9 * there[:, :3, 3] + 4
    np.savez(tmp_path / "there.npz", c2w=there.numpy(), frame_index=run.clip.frame_indices.numpy())
    onto, still = video(run, str(tmp_path / "there.npz")), video(run, "static", num_frames=FRAMES)
    torch.testing.assert_close(onto.conditions.c2w, still.conditions.c2w, atol=1e-4, rtol=0.0)
    torch.testing.assert_close(onto.conditions.times, still.conditions.times)


def test_moves_that_ask_the_scene_find_it(run: OpenRun) -> None:
    around = video(run, "orbit:degrees=20", num_frames=3)
    c2w = around.conditions.c2w
    assert around.frames.shape[0] == 3
    assert float((c2w[2, :3, 2] - c2w[0, :3, 2]).norm()) > 0.1


def test_missing_weights_and_unknown_names_are_said_before_anything_is_drawn(run: OpenRun) -> None:
    Witness.conditions = None
    with pytest.raises(SettingsError, match="spin"):
        video(run, "spin")
    with pytest.raises(SettingsError, match="magic"):
        video(run, "static", refiner="magic")
    config = RefinerConfig(refiner="wan")
    config.wan.model = "/nowhere/at/all"
    with pytest.raises(NeoVerseError, match="nowhere"):
        finished(run, "static", TrajectoryOptions(), config, 0.9, None)
    assert Witness.conditions is None
    with pytest.raises(RunError, match="run folder"):
        dataclasses.replace(run, model=None).loaded()


def test_what_a_refiner_learns_stays_with_the_run(tmp_path: Path) -> None:
    assert RefinerConfig().kept_in(tmp_path).folder == tmp_path / "generated"
    assert RefinerConfig(folder=Path("mine")).kept_in(tmp_path).folder == Path("mine")


def test_the_source_lies_in_the_world_of_the_first_camera() -> None:
    scene = tiny_scene()
    source = run_source(tiny_model(scene), scene)
    assert scene.gaussians is not None
    expected = training_source(
        scene.clip, scene.split, scene.geometry.keyframes, scene.geometry.cameras, scene.gaussians
    )
    torch.testing.assert_close(source.cameras.c2w, expected.cameras.c2w, atol=1e-5, rtol=0.0)
    torch.testing.assert_close(source.gaussians.frames.means, expected.gaussians.frames.means, atol=1e-5, rtol=0.0)
    assert source.keyframes == expected.keyframes


def test_what_is_exported_has_refined_cameras_and_knows_its_frames() -> None:
    scene = tiny_scene()
    model = tiny_model(scene)
    exported = export_scene(model, scene)
    assert exported.source is scene
    torch.testing.assert_close(exported.cameras.c2w, scene.geometry.cameras.c2w, atol=1e-5, rtol=0.0)
