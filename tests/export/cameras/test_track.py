"""Which camera is exported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.cameras.track import camera_track
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.trajectory.camera_path import to_camera_path
from tests.export.cameras.flown_scene import HEIGHT, WIDTH, flown_scene
from tests.export.made_scene import made_scene


def test_by_default_it_is_the_clips_own_at_its_frames() -> None:
    scene = flown_scene()
    track = camera_track(scene, ExportOptions())
    torch.testing.assert_close(track.cameras.c2w, scene.cameras.c2w)
    torch.testing.assert_close(track.cameras.K, scene.cameras.K)
    assert track.seconds.tolist() == pytest.approx([2.0, 2.25, 2.5, 3.0, 3.25])
    assert track.fps == pytest.approx(4 / 1.25)
    assert track.names[3] == "frame_00003.png"


def test_a_rate_gives_cameras_between_frames() -> None:
    scene = flown_scene()
    track = camera_track(scene, ExportOptions(fps=8.0))
    assert len(track) == 11
    assert track.fps == 8
    assert track.seconds.tolist() == pytest.approx([2 + i / 8 for i in range(11)])
    for i in (3, 6):
        expected = camera_at(scene.cameras, scene.times, float(track.times[i]))
        torch.testing.assert_close(track.cameras.c2w[i], expected.c2w[0], atol=1e-6, rtol=0)
        torch.testing.assert_close(track.cameras.K[i], expected.K[0], atol=1e-4, rtol=0)


def test_every_other_frame_plays_half_as_fast_and_keeps_its_name() -> None:
    source = made_scene()
    count = len(source.clip)
    scene = replace(
        flown_scene(),
        cameras=source.geometry.cameras,
        times=source.clip.times,
        seconds=source.clip.seconds.double(),
        source=source,
    )
    track = camera_track(scene, ExportOptions(every=2))
    assert track.names == tuple(source.frame_file(i).name for i in range(0, count, 2))
    assert track.fps == pytest.approx(camera_track(scene, ExportOptions()).fps / 2)


def test_a_move_starts_at_the_first_camera_and_a_path_of_nerfstudio_comes_back(tmp_path: Path) -> None:
    scene = flown_scene(1.0)
    move = camera_track(scene, ExportOptions(trajectory="orbit_left", fps=10.0))
    assert len(move) > 20
    assert (move.fps, float(move.seconds[-1])) == pytest.approx((10, (len(move) - 1) / 10))
    torch.testing.assert_close(move.cameras.c2w[0], scene.cameras.c2w[0], atol=1e-6, rtol=0)
    # What nerfstudio would save of that move, in its own world, is the same move.
    K, size = move.cameras.K, (WIDTH, HEIGHT)
    flip = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64))
    path = to_camera_path(move.opengl_z_up() @ flip, K, move.times, *size, 10.0)
    (tmp_path / "path.json").write_text(json.dumps(path))
    again = camera_track(scene, ExportOptions(trajectory=str(tmp_path / "path.json")))
    torch.testing.assert_close(again.cameras.c2w, move.cameras.c2w, atol=1e-6, rtol=0)
    torch.testing.assert_close(again.times, move.times, atol=1e-6, rtol=0)
    with pytest.raises(SettingsError, match="no_such_move"):
        camera_track(scene, ExportOptions(trajectory="no_such_move"))


def test_the_z_up_world_is_the_plugins_nerfstudio_world() -> None:
    world = pytest.importorskip("neoverse_ns.plugin.world")
    track = camera_track(flown_scene(), ExportOptions())
    expected = world.to_nerfstudio_c2w(track.cameras.c2w)
    torch.testing.assert_close(track.opengl_z_up()[:, :3], expected, atol=1e-6, rtol=0)
