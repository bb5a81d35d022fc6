"""The library on a finished run: what it draws and writes is what the run's own commands do."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
import torch

from neoverse_ns import export, load, refine, render, trajectory
from neoverse_ns.cli.export import Export
from neoverse_ns.cli.render import Render
from neoverse_ns.errors import RunError
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import refine_along
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.plugin.open_scene import scene_of
from neoverse_ns.plugin.run import OpenRun, open_run
from neoverse_ns.plugin.run_source import run_source
from neoverse_ns.plugin.world import to_nerfstudio_cameras
from neoverse_ns.trajectory.options import TrajectoryOptions
from tests.e2e.commands import read_video
from tests.e2e.conftest import TrainedRun

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def opened(run: TrainedRun) -> OpenRun:
    return open_run(run.config)


@pytest.fixture(scope="module")
def scene(run: TrainedRun) -> ExportScene:
    return load(run.folder)


def test_the_clip_s_views_are_those_that_ns_render_draws(scene: ExportScene, opened: OpenRun) -> None:
    model, source = opened.loaded()
    drawn = render(scene)
    for frame in (0, 6, 12):  # 6 is held out
        camera = to_nerfstudio_cameras(opened.cameras, source.clip.times, [frame])
        # Refined already, and of no frame: free cameras, as ns-render's, show neutral colours.
        camera.camera_to_worlds[0] = _opengl(opened, frame)
        camera.metadata = {}
        outputs = model.get_outputs_for_camera(camera)
        difference = (drawn.rgb[frame].clamp(0, 1) - outputs["rgb"].cpu()).abs()
        # The worlds are turned against each other: where two Gaussians lie equally deep, rounding decides their order.
        assert float((difference > 1 / 255).float().mean()) < 1e-3
        assert float(difference.mean()) < 1e-4
        torch.testing.assert_close(drawn.alpha[frame], outputs["accumulation"].cpu(), atol=1e-3, rtol=0)


def _opengl(opened: OpenRun, frame: int) -> torch.Tensor:
    """A refined camera, which lies in nerfstudio's world already, with OpenGL axes."""
    return opened.cameras.c2w[frame, :3] * torch.tensor([1.0, -1.0, -1.0, 1.0])


def test_pictures_are_those_of_the_command(run: TrainedRun, scene: ExportScene, tmp_path: Path) -> None:
    name, time = "orbit:degrees=8", "freeze@1s"
    Render(run.folder, name, num_frames=3, time=time, output=tmp_path / "command").run()
    render(scene, trajectory(scene, name, time=time, num_frames=3), tmp_path / "library")
    for number in range(3):
        picture = f"{number:05d}.png"
        assert (tmp_path / "command" / picture).read_bytes() == (tmp_path / "library" / picture).read_bytes()


def test_an_export_is_that_of_the_command(run: TrainedRun, tmp_path: Path) -> None:
    Export(run.folder, tmp_path / "command", ExportOptions(time=0.3), "ply").run()
    (file,) = export(run.config, tmp_path / "library", "ply", time=0.3)
    assert file.stat().st_size > 100_000
    assert file.read_bytes() == (tmp_path / "command" / "gaussians.ply").read_bytes()


def test_a_refined_video_is_that_of_the_command(scene: ExportScene, opened: OpenRun) -> None:
    options, config = TrajectoryOptions(num_frames=4), RefinerConfig(refiner="telea")
    source, everything = run_source(*opened.loaded()), scene_of(opened).scene.gaussians
    path = scene_of(opened).choose("pan_left", options)
    expected = refine_along(get_refiner(config), source, everything, path, config, 0.95).whole()
    made = refine(scene, trajectory(scene, "pan_left", options), "telea")
    assert not bool(made.conditions.mask.all())
    assert torch.equal(made.frames, expected.frames)


def test_the_example_of_a_run(run: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["example", str(run.folder), str(tmp_path / "out")])
    runpy.run_path(str(EXAMPLES / "06_finished_run.py"), run_name="__main__")
    assert read_video(tmp_path / "out" / "push_in.mp4").shape == (33, 112, 192, 3)
    assert (tmp_path / "out" / "gaussians.ply").is_file()


def test_a_run_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run"):
        load(tmp_path)
