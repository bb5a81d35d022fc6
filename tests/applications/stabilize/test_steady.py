"""A shaken clip of a wall: what is kept, what becomes steady, and what is cut away."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neoverse_ns.api.runs import shown
from neoverse_ns.applications.stabilize import path
from neoverse_ns.applications.stabilize.config import StabilizeConfig
from neoverse_ns.applications.stabilize.jitter import shown_at
from neoverse_ns.applications.stabilize.path import clip_path, steady_path
from neoverse_ns.applications.stabilize.steady import stabilize
from neoverse_ns.applications.stabilize.tripod import mean_camera, tripod
from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.render.pictures import to_bytes
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.reconstruct.small_scene import small_scene


def shaken_wall(size: float = 1.0, tilt: float = 0.0) -> ExportScene:
    """A wall's clip whose cameras shake in every frame, as the scene believes, and whose lens breathes.

    All are tilted (radians) to where nothing was seen.
    """
    scene = shown(small_scene(count=9, width=48, height=32))
    generator = torch.Generator().manual_seed(1)
    sizes = size * torch.tensor([0.01, 0.01, 0.01, 0.01, 0.01, 0.02])
    twists = torch.randn(9, 6, generator=generator) * sizes + torch.tensor([0.0, 0.0, 0.0, tilt, 0.0, 0.0])
    cameras = scene.cameras
    K = cameras.K.clone()
    K[:, :2, :2] *= 1 + 0.01 * size * torch.randn(9, 1, 1, generator=generator)
    return replace(scene, cameras=PinholeCameras(cameras.c2w @ se3_exp(twists), K, cameras.width, cameras.height))


def test_times_and_size_stay_and_the_shake_goes() -> None:
    scene = shaken_wall()
    video = stabilize(scene)
    assert scene.source is not None
    assert video.frames.shape == scene.source.clip.frames.shape
    assert torch.equal(video.trajectory.times, scene.times)
    assert video.fps == pytest.approx(8.0)
    assert video.after.degrees < 0.2 * video.before.degrees
    assert video.after.percent < 0.2 * video.before.percent
    assert video.after.pixels < 0.2 * video.before.pixels
    assert len(video.unseen) == 9


def test_what_is_cut_away_leaves_nothing_unseen() -> None:
    scene = shaken_wall(tilt=0.12)
    whole = stabilize(scene, StabilizeConfig(crop="none", pixels="drawn"))
    cut = stabilize(scene, StabilizeConfig(max_crop=0.5, pixels="drawn"))
    assert whole.part.cut == 0
    assert max(whole.unseen) > 0.05
    assert 0.05 < cut.part.cut <= 0.5
    assert max(cut.unseen) < 0.002
    little = stabilize(scene, StabilizeConfig(max_crop=0.05, pixels="drawn"))
    assert little.part.cut < 0.06
    assert max(cut.unseen) < max(little.unseen) < max(whole.unseen)


def test_less_is_smoothed_where_more_than_allowed_would_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = shaken_wall(3.0)

    def as_far_as_moved(_scene: ExportScene, trajectory: Trajectory, _longest: int) -> torch.Tensor:
        """A strip on the left as wide as the picture is moved."""
        unseen = torch.zeros(320, 480, dtype=torch.bool)
        moved = shown_at(double(trajectory.cameras), double(scene.cameras), 1.0)
        still = shown_at(double(scene.cameras), double(scene.cameras), 1.0)
        unseen[:, : int(10 * float((moved - still).norm(dim=-1).max()))] = True
        return unseen

    monkeypatch.setattr(path, "unseen_borders", as_far_as_moved)
    wide = steady_path(scene, StabilizeConfig(max_crop=0.9))
    assert wide.seconds == 1.0
    needed = wide.part.cut
    narrow = steady_path(scene, StabilizeConfig(max_crop=0.9 * needed))
    assert narrow.seconds is not None
    assert 0.25 <= narrow.seconds < 1.0
    assert narrow.part.cut <= 0.9 * needed + 1 / 480
    asked = steady_path(scene, StabilizeConfig(max_crop=0.9 * needed, seconds=1.0))
    assert asked.seconds == 1.0
    assert not asked.part.clean
    counted = steady_path(scene, StabilizeConfig(strength=2.0, crop="none"))
    assert counted.seconds == pytest.approx(0.25)


def double(cameras: PinholeCameras) -> PinholeCameras:
    return PinholeCameras(cameras.c2w.double(), cameras.K.double(), cameras.width, cameras.height)


def test_a_drawing_at_no_strength_is_the_scenes_own() -> None:
    scene = shaken_wall()
    video = stabilize(scene, StabilizeConfig(seconds=0.0, crop="none", pixels="drawn"))
    views = views_along(scene.gaussians, scene.cameras, scene.times)
    expected = torch.stack([to_bytes(view.drawing.rgb[0]) for view in views])
    assert torch.equal(video.frames, expected)
    own = stabilize(scene, StabilizeConfig(seconds=0.0, crop="none"))
    assert scene.source is not None
    # Nothing moves, so the clip's own pixels come back.
    assert torch.equal(own.frames, scene.source.clip.frames)


def test_from_a_frame_s_own_camera_nothing_is_unseen_however_it_is_drawn() -> None:
    scene = shaken_wall(tilt=0.12)
    assert max(stabilize(scene, StabilizeConfig(seconds=0.0, crop="none", pixels="drawn")).unseen) > 0.05
    own = stabilize(scene, StabilizeConfig(seconds=0.0))
    assert own.part.cut == 0
    assert own.unseen == [0.0] * 9


def test_a_tripod_stands_where_pictures_move_least() -> None:
    scene = shaken_wall(0.2)
    cameras = tripod(scene, clip_path(scene))
    assert (cameras.c2w == cameras.c2w[:1]).all()
    assert cameras.K.unique(dim=0).shape[0] == 1
    middle = mean_camera(scene.cameras)
    assert abs(float(cameras.c2w[0, 0, 3] - middle.c2w[0, 0, 3])) < 0.06
    video = stabilize(scene, StabilizeConfig(lock=True, pixels="drawn"))
    assert video.seconds is None
    assert video.after.pixels == pytest.approx(0, abs=1e-9)


def test_a_refiner_paints_what_was_never_seen() -> None:
    scene = shaken_wall(tilt=0.12)
    holes = stabilize(scene, StabilizeConfig(crop="none"))
    painted = stabilize(scene, StabilizeConfig(crop="none"), RefinerConfig(refiner="telea"))
    worst = holes.unseen.index(max(holes.unseen))
    assert (holes.frames[worst].sum(-1) == 0).any()
    assert not (painted.frames[worst].sum(-1) == 0).any()


def test_what_cannot_be_is_refused() -> None:
    scene = shaken_wall()
    with pytest.raises(SettingsError, match="either --seconds or --strength"):
        stabilize(scene, StabilizeConfig(seconds=1.0, strength=2.0))
    with pytest.raises(SettingsError, match="--lock stands still"):
        stabilize(scene, StabilizeConfig(seconds=1.0, lock=True))
    with pytest.raises(SettingsError, match="--seconds must be a finite number"):
        stabilize(scene, StabilizeConfig(seconds=-1.0))
    with pytest.raises(SettingsError, match="--max-crop"):
        stabilize(scene, StabilizeConfig(max_crop=1.0))
    with pytest.raises(SettingsError, match="frames are not known"):
        stabilize(replace(scene, source=None))
    short = replace(scene, cameras=scene.cameras[:2], times=scene.times[:2], seconds=scene.seconds[:2])
    with pytest.raises(SettingsError, match="2 frames over"):
        steady_path(short, StabilizeConfig())
