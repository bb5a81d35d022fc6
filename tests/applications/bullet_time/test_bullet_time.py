"""One instant from a moving camera: bit by bit the drawing of that instant, and without a jump within the clip."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neoverse_ns.api.runs import shown
from neoverse_ns.applications.bullet_time.config import BulletTimeConfig
from neoverse_ns.applications.bullet_time.frozen import bullet_time
from neoverse_ns.applications.bullet_time.path import from_the_moment, frozen_path
from neoverse_ns.errors import SettingsError
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.picture_size import PictureSize
from tests.plugin.tiny_scene import FRAMES, tiny_scene

POINT = "point=0,0,1"
"""The noise of this scene is no thing to circle."""
FEW = TrajectoryOptions(num_frames=5, fps=10.0)


@pytest.mark.parametrize("options", [DrawOptions(), DrawOptions(nearest_only=True, rasterize_mode="antialiased")])
def test_every_frame_is_the_drawing_of_that_instant(options: DrawOptions) -> None:
    scene = replace(shown(tiny_scene()), options=options)
    config = BulletTimeConfig(at="0.33s", trajectory=f"orbit:degrees=20,{POINT}")
    video = bullet_time(scene, config, FEW, background=torch.tensor([0.2, 0.0, 0.4]))
    assert video.frozen == range(5)
    cameras = video.trajectory.cameras
    for i, frame in enumerate(video.frames):
        view = cameras[i : i + 1]
        viewmats = torch.linalg.inv(view.c2w.double()).float()
        drawing = draw_layers(
            scene.gaussians, 0.33 / 0.8, viewmats, view.K.float(), view.width, view.height, scene.options
        )
        over = drawing.rgb[0] + (1 - drawing.alpha[0]) * torch.tensor([0.2, 0.0, 0.4])
        assert torch.equal(frame, (over.clamp(0, 1) * 255).round().to(torch.uint8))
    assert len({frame.numpy().tobytes() for frame in video.frames}) == 5


def test_the_camera_starts_where_the_clips_is_at_that_moment() -> None:
    scene = shown(tiny_scene())
    there = camera_at(scene.cameras, scene.times, 0.5625)
    for move in (f"orbit:degrees=20,{POINT}", "pan_left", "push_in + handheld:strength=0", "push_in:distance=0.2"):
        path = frozen_path(scene, BulletTimeConfig(at="4.5", trajectory=move), FEW).trajectory
        assert path.times.unique().tolist() == pytest.approx([0.5625])
        torch.testing.assert_close(path.c2w[0].float(), there.c2w[0], atol=1e-4, rtol=0)
        assert (path.c2w[-1] - path.c2w[0]).abs().max() > 0.01
    stays = frozen_path(scene, BulletTimeConfig(at="4.5", trajectory=f"orbit:{POINT},start=2"), FEW).trajectory
    torch.testing.assert_close(stays.c2w[0].float(), scene.cameras.c2w[2], atol=1e-5, rtol=0)


def test_moves_begin_at_the_moment_unless_they_say_where() -> None:
    assert from_the_moment("pan_left") == "pan_left"
    assert from_the_moment("path.json") == "path.json"
    assert from_the_moment("orbit") == "orbit:start=clip"
    assert from_the_moment("orbit:degrees=1e+2 + crane:start=3") == "orbit:degrees=1e+2,start=clip + crane:start=3"
    assert from_the_moment("dolly_zoom:travel=0.2 + handheld") == "dolly_zoom:travel=0.2,start=clip + handheld"


@pytest.mark.parametrize(("move", "there"), [(f"orbit:degrees=20,{POINT}", 9), (f"orbit:{POINT}", 5)])
def test_the_clip_plays_before_and_behind(move: str, there: int) -> None:
    scene = shown(tiny_scene())
    path = frozen_path(scene, BulletTimeConfig("0.35s", move, play_around=True), FEW)
    trajectory, frozen = path.trajectory, path.frozen
    # A tenth of a second a frame, 0.05 to 0.25 s before; there, and back unless it ends where it began; and 0.45 on.
    assert (frozen.start, len(frozen), len(trajectory)) == (3, there, 3 + there + 4)
    seconds = 0.8 * trajectory.times
    assert seconds[:3].tolist() == pytest.approx([0.05, 0.15, 0.25])
    assert seconds[frozen.start : frozen.stop].tolist() == pytest.approx([0.35] * there)
    assert seconds[frozen.stop :].tolist() == pytest.approx([0.45, 0.55, 0.65, 0.75])
    for i in (*range(3), frozen.start, frozen.stop - 1, *range(frozen.stop, len(trajectory))):
        own = camera_at(scene.cameras, scene.times, float(trajectory.times[i]))
        torch.testing.assert_close(trajectory.c2w[i].float(), own.c2w[0], atol=1e-4, rtol=0)


def test_a_refiner_finishes_and_sizes_are_free() -> None:
    scene = shown(tiny_scene())
    config = BulletTimeConfig(trajectory="pan_right:angle=40")
    plain = bullet_time(scene, config, FEW, size=PictureSize(width=24))
    whole = bullet_time(scene, config, FEW, RefinerConfig(refiner="telea"), PictureSize(width=24))
    assert plain.frames.shape == whole.frames.shape == (5, 16, 24, 3)
    assert max(plain.unseen) > 0.2
    assert (plain.frames[-1].sum(-1) == 0).sum() > (whole.frames[-1].sum(-1) == 0).sum()


def test_what_cannot_be_is_refused() -> None:
    scene = shown(tiny_scene())
    with pytest.raises(SettingsError, match="one moment"):
        frozen_path(scene, BulletTimeConfig(at="0-3, 3 x 4"))
    with pytest.raises(SettingsError, match="behind the end"):
        frozen_path(scene, BulletTimeConfig(at="9s"))
    with pytest.raises(SettingsError, match=f"no frame {FRAMES}"):
        frozen_path(scene, BulletTimeConfig(at=str(FRAMES)))
    with pytest.raises(SettingsError, match="neither a camera move"):
        frozen_path(scene, BulletTimeConfig(trajectory="spin"))
    elsewhere = BulletTimeConfig(at="6", trajectory=f"orbit:{POINT},start=0", play_around=True)
    with pytest.raises(SettingsError, match="--play-around needs a move that begins"):
        frozen_path(scene, elsewhere, FEW)
