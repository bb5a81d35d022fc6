"""The library on a small scene: every function gives what the code behind its command gives."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.api import export, optimise, reconstruct, refine, render, trajectory
from neoverse_ns.errors import PackageError, RefinementError, RunError, SettingsError
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import FORMATS, export_format
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.plugin.world import nerfstudio_to_world, to_nerfstudio_c2w
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.render.film import film
from neoverse_ns.trajectory.camera_path import to_camera_path
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.presets import MoveSize
from tests.reconstruct.small_scene import small_scene

WIDTH, HEIGHT = 32, 16


@pytest.fixture(scope="module")
def scene() -> Scene:
    return small_scene(width=WIDTH, height=HEIGHT)


def test_the_clip_s_own_views_are_drawn_without_a_trajectory(scene: Scene) -> None:
    drawn = render(scene)
    assert drawn.rgb.shape == (9, HEIGHT, WIDTH, 3)
    assert drawn.depth.shape == drawn.alpha.shape == (9, HEIGHT, WIDTH, 1)
    cameras = scene.geometry.cameras
    assert scene.gaussians is not None
    for frame in (0, 4, 8):
        view = cameras[[frame]]
        time = float(scene.clip.times[frame])
        expected = draw_layers(scene.gaussians, time, view.viewmats, view.K, WIDTH, HEIGHT)
        torch.testing.assert_close(drawn.rgb[frame], expected.rgb[0], atol=1e-5, rtol=0)
        torch.testing.assert_close(drawn.depth[frame], expected.depth[0], atol=1e-5, rtol=0)


def test_a_scene_is_drawn_as_asked(scene: Scene) -> None:
    path = trajectory(scene, "static", time="freeze@50%", num_frames=2)
    both, nearest = render(scene, path), render(scene, path, draw_options=DrawOptions(nearest_only=True))
    assert not torch.equal(both.rgb, nearest.rgb)
    loaded = ExportScene(
        scene.gaussians,  # pyright: ignore
        scene.geometry.cameras,
        scene.clip.times,
        scene.clip.seconds,
        DrawOptions(nearest_only=True),
    )
    # A loaded scene knows how it is drawn, and may be drawn otherwise.
    assert torch.equal(render(loaded, path).rgb, nearest.rgb)
    assert torch.equal(render(loaded, path, draw_options=DrawOptions()).rgb, both.rgb)


def test_a_trajectory_is_asked_for_by_name_options_or_both(scene: Scene) -> None:
    wide = TrajectoryOptions(num_frames=5, size=MoveSize(distance=0.3), fps=8.0)
    path = trajectory(scene, "move_right", wide, num_frames=7)
    assert (len(path), path.fps) == (7, 8.0)
    # The clip's own camera goes on moving below the move.
    moved = path.c2w[-1, 0, 3] - scene.geometry.cameras.c2w[-1, 0, 3]
    assert float(moved) == pytest.approx(0.3, abs=1e-6)
    assert torch.equal(render(scene, "static").rgb, render(scene, trajectory(scene, "static")).rgb)
    # Seconds are those of the clip: it lasts one, as nine frames of an eighth.
    assert trajectory(scene, "static", time="freeze@0.5s").times.tolist() == [0.5] * 81
    assert len(trajectory(scene, "orbit:degrees=10", num_frames=3)) == 3
    with pytest.raises(SettingsError, match="neither a camera move"):
        trajectory(scene, "sideways")


def test_a_path_saved_by_the_viewer_lies_where_it_was_drawn(scene: Scene, tmp_path: Path) -> None:
    cameras = scene.geometry.cameras
    opengl = torch.eye(4).repeat(len(cameras), 1, 1)
    opengl[:, :3] = to_nerfstudio_c2w(cameras.c2w)
    flip = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0]))
    document = to_camera_path(opengl @ flip, cameras.K, scene.clip.times, WIDTH, HEIGHT, 8.0)
    (tmp_path / "path.json").write_text(json.dumps(document), "utf8")
    path = trajectory(scene, str(tmp_path / "path.json"))
    torch.testing.assert_close(path.c2w, cameras.c2w.double(), atol=1e-6, rtol=0)
    assert nerfstudio_to_world().t.abs().max() == 0


def test_pictures_are_written_as_the_command_writes_them(scene: Scene, tmp_path: Path) -> None:
    path = trajectory(scene, "static", num_frames=3)
    drawn = render(scene, path, tmp_path / "new" / "pictures")
    assert scene.gaussians is not None
    film(scene.gaussians, path, tmp_path / "film")
    for number, frame in enumerate((drawn.rgb.clamp(0, 1) * 255).round().to(torch.uint8)):
        name = f"{number:05d}.png"
        assert (tmp_path / "new" / "pictures" / name).read_bytes() == (tmp_path / "film" / name).read_bytes()
        assert np.array_equal(np.asarray(Image.open(tmp_path / "film" / name)), frame.numpy())


def test_a_video_has_the_rate_that_was_asked_for(scene: Scene, tmp_path: Path) -> None:
    render(scene, trajectory(scene, "static", num_frames=6, fps=8.0), tmp_path / "eight.mp4")
    render(scene, trajectory(scene, "static", num_frames=6, fps=8.0), tmp_path / "twelve.mp4", fps=12.0)
    for name, rate in {"eight": 8, "twelve": 12}.items():
        with av.open(str(tmp_path / f"{name}.mp4")) as video:
            assert video.streams.video[0].average_rate == rate
            assert len(list(video.decode(video=0))) == 6
    with pytest.raises(SettingsError, match=r"out\.gif must end in"):
        render(scene, None, tmp_path / "out.gif")


def test_views_are_refined_as_the_refiner_is_asked_to(scene: Scene, tmp_path: Path) -> None:
    path = trajectory(scene, "move_right", TrajectoryOptions(size=MoveSize(distance=0.5)), num_frames=4)
    plain = refine(scene, path, "none")
    expected = (render(scene, path).rgb.clamp(0, 1) * 255).round().to(torch.uint8)
    assert int((plain.frames.int() - expected.int()).abs().max()) <= 1
    filled = refine(scene, path, "telea", tmp_path / "filled.mp4", first_frame=True)
    assert torch.equal(filled.frames[0], scene.clip.frames[scene.split.train[0]])
    assert not bool(filled.conditions.mask[-1].all())
    assert (tmp_path / "filled.mp4").stat().st_size > 0
    again = refine(scene, path, RefinerConfig(refiner="telea"), alpha_threshold=0.0)
    assert torch.equal(again.conditions.mask[1:], again.conditions.alpha[1:] > 0)
    assert bool(again.conditions.mask[1:].any())
    with pytest.raises(SettingsError, match="unknown refiner 'magic'"):
        refine(scene, path, "magic")


def test_an_export_is_what_its_format_writes(scene: Scene, tmp_path: Path) -> None:
    (file,) = export(scene, tmp_path / "one", "ply", time=0.25)
    assert scene.gaussians is not None
    same = ExportScene(scene.gaussians, scene.geometry.cameras, scene.clip.times, scene.clip.seconds, source=scene)
    (tmp_path / "other").mkdir()
    (other,) = export_format("ply").write(same, ExportOptions(time=0.25), tmp_path / "other")
    assert file.read_bytes() == other.read_bytes()
    (later,) = export(scene, tmp_path / "later", "ply", ExportOptions(frame=8))
    assert later.read_bytes() != file.read_bytes()


def test_what_an_export_cannot_do_is_told_before_a_run_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "nowhere"
    with pytest.raises(SettingsError, match="there is no export format 'fbx'"):
        export(nowhere, tmp_path, "fbx")
    with pytest.raises(SettingsError, match="has no use for --fps"):
        export(nowhere, tmp_path, "ply", fps=8.0)
    monkeypatch.setattr("neoverse_ns.export.needs.find_spec", lambda name: None)
    needy = next(name for name, form in FORMATS.items() if form.needs)
    with pytest.raises(PackageError, match="not installed"):
        export(nowhere, tmp_path, needy)


def test_a_folder_that_cannot_be_written_is_named(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot write to .*file"):
        export(scene, tmp_path / "file", "ply")


@pytest.mark.parametrize("function", [render, refine, trajectory, export])
def test_what_is_no_scene_is_told(function: Any, scene: Scene, tmp_path: Path) -> None:
    rest = {trajectory: ("static",), export: (tmp_path / "out",)}.get(function, ())
    with pytest.raises(RunError, match="without Gaussians"):
        function(dataclasses.replace(scene, gaussians=None), *rest)
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"")
    with pytest.raises(SettingsError, match=r"clip\.mp4 is no run: reconstruct the clip first"):
        function(clip, *rest)


def test_a_refiner_needs_the_clip(scene: Scene) -> None:
    assert scene.gaussians is not None
    bare = ExportScene(scene.gaussians, scene.geometry.cameras, scene.clip.times, scene.clip.seconds)
    assert len(trajectory(bare, "static", num_frames=3)) == 3
    with pytest.raises(RefinementError, match="has no frames that a refiner could learn from"):
        refine(bare, "static", "telea")


def test_a_clip_is_reconstructed_with_what_was_asked_for(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    asked: list[tuple[Path, SceneConfig, str]] = []

    def remember(path: Path, config: SceneConfig, device: str) -> Scene:
        asked.append((path, config, device))
        return scene

    monkeypatch.setattr("neoverse_ns.reconstruct.cache.cached_scene", remember)
    assert reconstruct("clip.mp4") is scene
    assert reconstruct(Path("clip.mp4"), SceneConfig(num_keyframes=5), num_frames=17, width=64, device="cuda") is scene
    assert asked[0] == (Path("clip.mp4"), SceneConfig(held_out_every=0), "cpu")
    path, config, device = asked[1]
    assert (path, config.num_keyframes, config.held_out_every, device) == (Path("clip.mp4"), 5, 8, "cuda")
    assert (config.clip.num_frames, config.clip.width) == (17, 64)
    # A clip may be optimised at once, and bad settings are told before it is reconstructed.
    optimised = optimise("clip.mp4", steps=0)
    assert len(asked) == 3
    assert optimised.geometry.report["optimise"]["steps"] == 0
    with pytest.raises(SettingsError, match=r"optimise\.steps"):
        optimise("clip.mp4", steps=-1)
    assert len(asked) == 3


def test_optimisation_is_that_of_the_loop(scene: Scene) -> None:
    from neoverse_ns.optimise.loop import optimise as loop

    one, other = optimise(scene, steps=2), loop(scene, OptimiseConfig(steps=2))
    assert one.gaussians is not None
    assert other.gaussians is not None
    assert scene.gaussians is not None
    assert torch.equal(one.gaussians.frames.means, other.gaussians.frames.means)
    assert not torch.equal(one.gaussians.frames.means, scene.gaussians.frames.means)
