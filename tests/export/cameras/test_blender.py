"""The Python file for Blender, run against a stand-in that remembers what it was told."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.export.axes import TURNS
from neoverse_ns.export.cameras.blender import blender_script
from neoverse_ns.export.cameras.track import CameraTrack, camera_track
from neoverse_ns.export.options import ExportOptions
from tests.export.cameras.fake_bpy import FakeBlender
from tests.export.cameras.flown_scene import HEIGHT, WIDTH, flown_scene, pixels, points_before


def made(track: CameraTrack) -> FakeBlender:
    blender = FakeBlender()
    with blender.installed():
        exec(compile(blender_script(track, "x.py"), "x.py", "exec"), {"__name__": "__main__"})
    return blender


@pytest.mark.parametrize("stretch", [1.0, 1.1, 0.8])
def test_blender_sees_every_point_where_our_cameras_see_it(stretch: float) -> None:
    track = camera_track(flown_scene(stretch), ExportOptions())
    blender = made(track)
    for i in range(len(track)):
        c2w, K = track.cameras.c2w[i], track.cameras.K[i]
        points = points_before(c2w)
        seen = blender.sees(points @ TURNS["z"].double().T, i)
        torch.testing.assert_close(seen, pixels(points, c2w, K), atol=1e-4, rtol=0)
    render = blender.scene.render
    assert (render.resolution_x, render.resolution_y, render.resolution_percentage) == (WIDTH, HEIGHT, 100)
    # Blender takes neither aspect below one.
    assert min(render.pixel_aspect_x, render.pixel_aspect_y) == 1


def test_keys_stand_at_the_frames_moments_and_are_joined_by_lines() -> None:
    track = camera_track(flown_scene(), ExportOptions())
    blender = made(track)
    assert blender.fps == pytest.approx(3.2)
    assert blender.frames() == pytest.approx([1, 1.8, 2.6, 4.2, 5])
    assert (blender.scene.frame_start, blender.scene.frame_end) == (1, 5)
    camera = blender.scene.camera
    assert blender.linked == [camera]
    assert {kind for keys in (*camera.keys.values(), *camera.data.keys.values()) for *_, kind in keys} == {"LINEAR"}
    assert blender.edit.keyframe_new_interpolation_type == "BEZIER"
    turns = torch.tensor([value for _, value, _ in camera.keys["rotation_quaternion"]])
    assert ((turns[1:] * turns[:-1]).sum(1) > 0).all()
    # Over more than half a turn one of them has left the usual half.
    assert turns[:, 0].min() < 0


def test_a_film_rate_and_a_single_frame_work() -> None:
    assert made(camera_track(flown_scene(), ExportOptions(fps=23.976))).fps == pytest.approx(23.976)
    track = camera_track(flown_scene(), ExportOptions(every=9))
    assert len(track) == 1
    assert made(track).frames() == [1]
