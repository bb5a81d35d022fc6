"""Nerfstudio camera paths: what nerfstudio's own reader makes of them, and the way back."""

import json
import math

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.trajectory.camera_path import from_camera_path, opencv_to_opengl, to_camera_path, vertical_fov


def example(count: int = 5):
    torch.manual_seed(0)
    c2w = se3_exp(torch.randn(count, 6, dtype=torch.float64))
    K = torch.zeros(count, 3, 3, dtype=torch.float64)
    K[:, 0, 0] = K[:, 1, 1] = torch.linspace(80, 160, count, dtype=torch.float64)
    K[:, 0, 2], K[:, 1, 2], K[:, 2, 2] = 32, 24, 1
    return c2w, K, torch.linspace(0, 1, count, dtype=torch.float64)


def test_round_trip_through_json():
    c2w, K, times = example()
    document = json.loads(json.dumps(to_camera_path(c2w, K, times, 64, 48, 24.0), allow_nan=False))
    back = from_camera_path(document, 64, 48)
    torch.testing.assert_close(back.c2w, c2w, atol=1e-12, rtol=0)
    torch.testing.assert_close(back.times, times, atol=1e-12, rtol=0)
    torch.testing.assert_close(back.K, K, atol=1e-9, rtol=0)
    assert back.fps == 24.0
    assert document["seconds"] == pytest.approx(5 / 24)
    assert len(document["camera_path"]) / document["seconds"] == pytest.approx(24)


def test_nerfstudio_reads_the_same_cameras():
    camera_paths = pytest.importorskip("nerfstudio.cameras.camera_paths")
    c2w, K, times = example()
    cameras = camera_paths.get_path_from_json(to_camera_path(c2w, K, times, 64, 48, 24.0))
    torch.testing.assert_close(cameras.times[:, 0].double(), times, atol=1e-6, rtol=0)
    torch.testing.assert_close(cameras.fy[:, 0].double(), K[:, 1, 1], atol=1e-3, rtol=0)
    torch.testing.assert_close(cameras.fx[:, 0].double(), K[:, 0, 0], atol=1e-3, rtol=0)
    assert (cameras.width == 64).all()
    assert (cameras.height == 48).all()
    # A ray of nerfstudio's camera through a pixel's centre is that of the pinhole camera in OpenCV axes.
    rays = cameras.generate_rays(camera_indices=2, coords=torch.tensor([[10.5, 50.5]]))
    x, y = (50.5 - 32) / K[2, 0, 0], (10.5 - 24) / K[2, 1, 1]
    direction = c2w[2, :3, :3] @ torch.stack([x, y, torch.ones_like(x)])
    expected = (direction / direction.norm()).float()
    torch.testing.assert_close(rays.directions.flatten(), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(rays.origins.flatten(), c2w[2, :3, 3].float(), atol=1e-5, rtol=0)


def test_axes_flip_and_flip_back():
    c2w, _, _ = example()
    gl = opencv_to_opengl(c2w)
    torch.testing.assert_close(gl[:, :3, 0], c2w[:, :3, 0])
    torch.testing.assert_close(gl[:, :3, 1:3], -c2w[:, :3, 1:3])
    torch.testing.assert_close(gl[:, :3, 3], c2w[:, :3, 3])
    torch.testing.assert_close(opencv_to_opengl(gl), c2w)


def test_fields_of_view_may_be_given_instead_of_matrices():
    c2w, K, times = example()
    assert vertical_fov(torch.eye(3), 2).item() == pytest.approx(90)
    per_frame = to_camera_path(c2w, vertical_fov(K, 48), times, 64, 48, 10.0)
    assert per_frame == to_camera_path(c2w, K, times, 64, 48, 10.0)
    constant = to_camera_path(c2w, 60.0, times, 64, 48, 10.0)
    assert [frame["fov"] for frame in constant["camera_path"]] == [60.0] * 5
    assert from_camera_path(constant, 64, 48).K[:, 1, 1].tolist() == pytest.approx([24 * 3**0.5] * 5)


def test_keyframes_are_what_the_render_tab_reads():
    c2w, K, times = example(40)
    document = to_camera_path(c2w, K, times, 64, 48, 20.0)
    keyframes = document["keyframes"]
    assert len(keyframes) == 16
    assert keyframes[0]["matrix"] == document["camera_path"][0]["camera_to_world"]
    assert keyframes[-1]["render_time"] == 1.0
    assert all(keyframe["override_time_enabled"] for keyframe in keyframes)
    needed = {"matrix", "fov", "aspect", "override_transition_enabled", "override_transition_sec"}
    assert all(needed <= set(keyframe) for keyframe in keyframes)
    # The tab takes the duration from the transitions between keyframes.
    assert document["default_transition_sec"] * 15 == pytest.approx(document["seconds"])


def test_paths_without_times_play_the_clip_once():
    c2w, K, times = example(3)
    document = to_camera_path(c2w, K, times, 64, 48, 24.0)
    for frame in document["camera_path"]:
        del frame["render_time"]
    assert from_camera_path(document, 64, 48).times.tolist() == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("camera_path"), "'camera_path' must be a list"),
        (lambda d: d["camera_path"].clear(), "at least one frame"),
        (lambda d: d.update(camera_type="equirectangular"), "equirectangular.*ns-render"),
        (lambda d: d.update(camera_type=3), "'camera_type' must be text"),
        (lambda d: d["camera_path"].append(3), r"camera_path\[3\]"),
        (lambda d: d["camera_path"][1].pop("camera_to_world"), r"camera_path\[1\]\.camera_to_world"),
        (lambda d: d["camera_path"][1]["camera_to_world"].pop(), r"camera_path\[1\]\.camera_to_world"),
        (lambda d: d["camera_path"][1].update(fov=None), r"camera_path\[1\]\.fov"),
        (lambda d: d["camera_path"][1].update(fov=180), r"camera_path\[1\]\.fov"),
        (lambda d: d["camera_path"][1].update(render_time=math.inf), r"camera_path\[1\]\.render_time"),
        (lambda d: d["camera_path"][1].pop("render_time"), "2 of 3"),
        (lambda d: d.update(fps=0), "'fps'"),
    ],
)
def test_bad_paths_name_the_field(change, message):
    c2w, K, times = example(3)
    document = to_camera_path(c2w, K, times, 64, 48, 24.0)
    change(document)
    with pytest.raises(SettingsError, match=message):
        from_camera_path(document, 64, 48)


def test_values_that_cannot_be_written_are_refused():
    c2w, K, times = example(3)
    for arguments in (
        (c2w[:0], K[:0], times[:0], 64, 48, 24.0),
        (c2w, K, times, 64, 48, 0.0),
        (c2w, K, times, 64, 48, math.nan),
        (c2w, K, times * math.nan, 64, 48, 24.0),
        (c2w * math.inf, K, times, 64, 48, 24.0),
        (c2w, 180.0, times, 64, 48, 24.0),
    ):
        with pytest.raises(SettingsError):
            to_camera_path(*arguments)
