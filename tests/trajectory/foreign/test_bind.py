"""Foreign paths found again in the clip's world: by names, numbers, times, order, and through a file beside them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.camera_files import transforms_json, write_tum
from neoverse_ns.gaussians.layers import FRAMES as FRAMES_LAYER
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.generate.conditions.drawn import render_conditions
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.metrics.image import psnr
from neoverse_ns.trajectory.choose import choose_trajectory
from neoverse_ns.trajectory.foreign.bind import bind_foreign
from neoverse_ns.trajectory.foreign.entry import Label
from neoverse_ns.trajectory.foreign.path import ForeignPath
from neoverse_ns.trajectory.presets import MoveSize, preset
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.generate.layered import layered_source
from tests.trajectory.foreign.made import (
    FRAMES,
    HEIGHT,
    SIZE,
    THERE,
    WIDTH,
    clip_cameras,
    clip_frames,
    clip_times,
    elsewhere,
)


def foreign(**changes: object) -> ForeignPath:
    cameras = elsewhere()
    return replace(ForeignPath(cameras.c2w, cameras.K, SIZE), **changes)  # pyright: ignore


def bound(path: ForeignPath, align_to: str | None = None, names: bool = False) -> Trajectory:
    return bind_foreign(path, "there", clip_cameras(), clip_times(), clip_frames(names), align_to)


def check_found(trajectory: Trajectory, tolerance: float = 1e-9) -> None:
    """Every camera is the clip's, its lens included although the file believes in a longer one."""
    own = clip_cameras()
    assert (trajectory.cameras.width, trajectory.cameras.height) == (WIDTH, HEIGHT)
    torch.testing.assert_close(trajectory.c2w, own.c2w, atol=tolerance, rtol=0)
    torch.testing.assert_close(trajectory.K, own.K, atol=1e-5, rtol=0)
    torch.testing.assert_close(trajectory.times.float(), clip_times(), atol=1e-6, rtol=0)


LABELS = {
    "name": tuple(Label(f"walk{n}", None) for n in range(4, 22, 3)),
    "first frame is 0": tuple(Label(f"f{n}", n) for n in range(4, 22, 3)),
    "first frame is 1": tuple(Label(f"f{n}", n) for n in range(5, 23, 3)),
    "order": None,
}


@pytest.mark.parametrize("how", LABELS)
def test_frames_are_found_by_what_the_file_says_of_them(how: str, capsys: pytest.CaptureFixture[str]) -> None:
    check_found(bound(foreign(labels=LABELS[how]), names=how == "name"))
    said = " ".join(capsys.readouterr().out.split())
    assert f"{FRAMES} frames shared by" in said
    assert how in said
    assert "residual" in said
    assert "scale 0.0769" in said


@pytest.mark.parametrize("start", [0.0, 1403636579.76])
def test_frames_are_found_by_timestamps_between_which_they_lie(start: float) -> None:
    """A path recorded four times as often; its clock is the clip's, or another that starts where the clip does."""
    own = clip_cameras()
    fine = Trajectory(own, clip_times()).at(torch.linspace(0, FRAMES - 1, 4 * FRAMES - 3))
    seconds = start + 0.4 + 1.5 * torch.linspace(0, 1, 4 * FRAMES - 3, dtype=torch.float64)
    path = ForeignPath(THERE.apply_c2w(fine.c2w), times=seconds)
    trajectory = bound(path)
    check_found(trajectory[torch.arange(0, 4 * FRAMES - 3, 4)], tolerance=1e-5)
    torch.testing.assert_close(trajectory.c2w, fine.c2w, atol=1e-5, rtol=0)
    assert trajectory.fps == pytest.approx(4 * (FRAMES - 1) / 1.5)


def test_a_clock_that_might_be_the_clips_is_judged_by_what_fits(capsys: pytest.CaptureFixture[str]) -> None:
    """The path covers the clip's seconds 0.4 to 1.9 both as they stand and counted from its own start."""
    own = clip_cameras()
    seconds = 0.15 * torch.arange(2 * FRAMES, dtype=torch.float64)
    at = torch.arange(2 * FRAMES) / 2.0
    beyond = Trajectory(own, clip_times()).at(at).c2w.clone()
    beyond[-1, :3, 3] += 0.3
    check_found(bound(ForeignPath(THERE.apply_c2w(beyond), times=seconds))[torch.arange(0, 2 * FRAMES, 2)], 1e-5)
    assert "both from their first" in " ".join(capsys.readouterr().out.split())
    # Counted by the source's own clock the same motion begins 0.4 s later.
    check_found(bound(ForeignPath(THERE.apply_c2w(beyond), times=0.4 + seconds))[torch.arange(0, 2 * FRAMES, 2)], 1e-5)
    # An even, straight motion fits either way: the clock is taken at its word.
    even = torch.eye(4, dtype=torch.float64).repeat(4 * FRAMES, 1, 1)
    even[:, 2, 3] = 0.1 * torch.arange(4 * FRAMES)
    straight = PinholeCameras(even[4 : 4 + 3 * FRAMES : 3][:FRAMES], own.K, WIDTH, HEIGHT)
    path = ForeignPath(even, times=torch.arange(4 * FRAMES, dtype=torch.float64) / 10)
    capsys.readouterr()
    made = bind_foreign(path, "a", straight, clip_times(), clip_frames())
    assert "shared by timestamp:" in " ".join(capsys.readouterr().out.split())
    torch.testing.assert_close(made.c2w[4:20], even[4:20], atol=1e-5, rtol=0)


def test_times_may_be_shares_of_the_clip() -> None:
    check_found(bound(foreign(times=clip_times().double(), clock="shares")))


def test_cameras_that_the_clip_lacks_are_placed_with_the_others() -> None:
    """Every source frame is in the file; the clip samples every third."""
    own = Trajectory(clip_cameras(), clip_times())
    every = own.at(torch.arange(3 * FRAMES - 2) / 3)
    path = ForeignPath(THERE.apply_c2w(every.c2w), labels=tuple(Label("", n) for n in range(4, 4 + 3 * FRAMES - 2)))
    trajectory = bound(path)
    torch.testing.assert_close(trajectory.c2w, every.c2w, atol=1e-9, rtol=0)
    torch.testing.assert_close(trajectory.times, every.times, atol=1e-6, rtol=0)
    torch.testing.assert_close(trajectory.K, every.K, atol=1e-6, rtol=0)


def test_a_file_with_another_number_of_cameras_is_spread_over_the_clip(capsys: pytest.CaptureFixture[str]) -> None:
    own = Trajectory(clip_cameras(), clip_times()).at(torch.linspace(0, FRAMES - 1, 2 * FRAMES - 1))
    trajectory = bound(ForeignPath(THERE.apply_c2w(own.c2w)))
    torch.testing.assert_close(trajectory.c2w, own.c2w, atol=1e-9, rtol=0)
    torch.testing.assert_close(trajectory.times, own.times, atol=1e-6, rtol=0)
    assert "spread evenly" in " ".join(capsys.readouterr().out.split())


def test_another_principal_point_is_another_direction_of_the_same_view() -> None:
    """Turned to make up for it, the cameras see the same things in the same places, as far as a turn can."""
    K = elsewhere().K.clone()
    K[:, 0, 2] += 40.0
    trajectory = bound(foreign(K=K))
    check_found(replace(trajectory, cameras=replace(trajectory.cameras, c2w=clip_cameras().c2w)))
    # The ray through the picture's middle is the file's camera's own.
    turned = trajectory.c2w[:, :3, :3].mT @ clip_cameras().c2w[:, :3, :3]
    assert (turned - torch.eye(3)).abs().max() < 1e-9


def test_what_a_similarity_leaves_is_taken_over_from_frame_to_frame_unless_it_shall_not(tmp_path: Path) -> None:
    noise = 2e-3 * torch.randn(FRAMES, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    path = foreign(c2w=elsewhere().c2w @ se3_exp(noise * torch.tensor([13.0, 13, 13, 1, 1, 1])))
    own = clip_cameras()
    near = bound(path)
    torch.testing.assert_close(near.c2w, own.c2w, atol=1e-9, rtol=0)
    rigid = bound(path, "rigid")
    off = (rigid.c2w - own.c2w).abs().amax((1, 2))
    assert 1e-4 < float(off.max()) < 0.02
    # A second camera of a rig keeps how it stands to the first.
    np.savez(tmp_path / "first.npz", c2w=path.c2w.numpy(), frame_index=np.arange(4, 22, 3))
    aside = torch.eye(4, dtype=torch.float64)
    aside[0, 3] = 0.2 * float(THERE.scale)
    second = replace(path, c2w=path.c2w @ aside, labels=LABELS["first frame is 0"])
    rig = torch.linalg.inv(near.c2w) @ bound(second, str(tmp_path / "first.npz")).c2w
    expected = torch.eye(4, dtype=torch.float64)
    expected[0, 3] = 0.2
    torch.testing.assert_close(rig[:, :3, :3], expected[:3, :3].expand(FRAMES, 3, 3), atol=1e-9, rtol=0)
    torch.testing.assert_close(rig[:, :3, 3], expected[:3, 3].expand(FRAMES, 3), atol=1e-2, rtol=0)


def test_a_stray_camera_does_not_spoil_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    c2w = elsewhere().c2w.clone()
    c2w[3, :3, 3] += 500.0
    trajectory = bound(foreign(c2w=c2w), "rigid")
    keep = [0, 1, 2, 4, 5]
    torch.testing.assert_close(trajectory.c2w[keep], clip_cameras().c2w[keep], atol=1e-6, rtol=0)
    assert "1 more do not fit" in " ".join(capsys.readouterr().out.split())


def test_another_path_is_told_and_not_bent_onto_the_clip(capsys: pytest.CaptureFixture[str]) -> None:
    wild = se3_exp(2 * torch.randn(FRAMES, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    trajectory = bound(ForeignPath(wild))
    assert "does not fit" in " ".join(capsys.readouterr().out.split())
    steps = torch.linalg.inv(wild[:-1, :3, :3]) @ wild[1:, :3, :3]
    theirs = torch.linalg.inv(trajectory.c2w[:-1, :3, :3]) @ trajectory.c2w[1:, :3, :3]
    torch.testing.assert_close(theirs, steps, atol=1e-9, rtol=0)


@pytest.mark.parametrize("how", ["name", "order"])
def test_a_move_on_top_of_the_clips_camera_is_told_from_the_clip(how: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether it claims the clip's frames, or is paired with them for want of anything better."""
    own = clip_cameras()
    degrees = 25.0 if how == "name" else 10.0
    move = preset("orbit_left", FRAMES, MoveSize(angle=degrees))
    wanted = THERE.apply_c2w(own.c2w @ move)
    trajectory = bound(ForeignPath(wanted, labels=LABELS[how]), names=how == "name")
    said = " ".join(capsys.readouterr().out.split())
    assert "does not fit the clip's cameras well" in said
    assert "--align-to none" in said
    if how == "name":
        # Not bent onto the clip, frame by frame, either.
        theirs = torch.linalg.inv(trajectory.c2w[:1, :3, :3]) @ trajectory.c2w[1:, :3, :3]
        torch.testing.assert_close(theirs, wanted[:1, :3, :3].mT @ wanted[1:, :3, :3], atol=1e-9, rtol=0)


def test_a_path_of_the_other_world_comes_along_with_the_clips_cameras(tmp_path: Path) -> None:
    names = [f"frame_{n:03d}.png" for n in range(4, 22, 3)]
    (tmp_path / "transforms.json").write_text(json.dumps(transforms_json(elsewhere(), names)))
    side = torch.eye(4, dtype=torch.float64)
    side[0, 3] = 0.3
    wanted = clip_cameras().c2w[[0, 2, 5]] @ side
    path = foreign(c2w=THERE.apply_c2w(wanted), K=elsewhere().K[[0, 2, 5]])
    trajectory = bound(path, str(tmp_path / "transforms.json"))
    torch.testing.assert_close(trajectory.c2w, wanted, atol=1e-6, rtol=0)
    assert trajectory.times.tolist() == [0, 0.5, 1]
    # The file's angle of view, freed of what it is wrong by at the shared frames.
    torch.testing.assert_close(trajectory.K[:, 1, 1], clip_cameras().K[[0, 2, 5], 1, 1], atol=1e-4, rtol=0)
    with pytest.raises(SettingsError, match="'clip', 'rigid', 'none'"):
        bound(path, "elsewhere")


def test_paths_of_our_own_world_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    path = foreign(own_world=True)
    for align_to in (None, "none"):
        trajectory = bound(path, align_to)
        assert torch.equal(trajectory.c2w, path.c2w)
        assert path.K is not None
        # The file's own angle of view, at the clip's height.
        torch.testing.assert_close(trajectory.K[:, 1, 1], path.K[:, 1, 1] * HEIGHT / SIZE[1])
    assert capsys.readouterr().out.count("own world") == 1
    check_found(bound(path, "clip"))
    dated = bound(foreign(own_world=True, labels=LABELS["first frame is 0"], K=None, size=None), "none")
    torch.testing.assert_close(dated.times.float(), clip_times())
    torch.testing.assert_close(dated.K, clip_cameras().K)
    later = bound(foreign(own_world=True, times=9.0 + torch.arange(FRAMES, dtype=torch.float64) / 4), "none")
    assert later.times.tolist() == pytest.approx([0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6])
    assert later.fps == pytest.approx(4.0)


def test_a_photo_and_a_camera_that_stands_still_are_placed_too() -> None:
    own = clip_cameras()[:1]
    alone = bind_foreign(foreign(c2w=elsewhere().c2w[:1], K=None, size=None), "a", own, torch.zeros(1), None)
    torch.testing.assert_close(alone.c2w, own.c2w, atol=1e-9, rtol=0)
    still = PinholeCameras(own.c2w.expand(4, 4, 4), own.K.expand(4, 3, 3), WIDTH, HEIGHT)
    path = ForeignPath(THERE.apply_c2w(still.c2w))
    torch.testing.assert_close(
        bind_foreign(path, "a", still, torch.linspace(0, 1, 4), None).c2w, still.c2w, atol=1e-9, rtol=0
    )


def test_the_truth_drawn_in_its_own_world_and_unit_shows_what_the_estimate_shows(tmp_path: Path) -> None:
    """A scene lifted at slightly wrong cameras, and the path that the camera really took."""
    source = layered_source(count=5, step=(0.03, 0.01, 0.02))
    errors = 4e-3 * torch.randn(5, 6, generator=torch.Generator().manual_seed(3))
    c2w = source.cameras.c2w @ se3_exp(errors)
    estimated = PinholeCameras(c2w, source.cameras.K, source.cameras.width, source.cameras.height)
    write_tum(tmp_path / "truth.txt", THERE.apply_c2w(source.cameras.c2w), torch.arange(5) / 8)
    # Keyframes 0, 2 and 4 were lifted where their cameras were thought to be.
    moved = source.gaussians.frames
    means = moved.means.clone()
    for number, frame in enumerate(source.keyframes):
        rows = moved.keyframe == number
        shift = c2w[frame] @ torch.linalg.inv(source.cameras.c2w[frame])
        means[rows] = means[rows] @ shift[:3, :3].mT + shift[:3, 3]
    gaussians = LayeredGaussians({FRAMES_LAYER: moved.with_(means=means)})
    path = choose_trajectory(str(tmp_path / "truth.txt"), estimated, source.times)
    real = source.frames.float() / 255
    scores = []
    for trajectory in (Trajectory(estimated, source.times), path):
        drawn = render_conditions(gaussians, trajectory).rgb
        scores.append([psnr(a, b) for a, b in zip(drawn[source.keyframes], real[source.keyframes], strict=True)])
    assert np.mean(scores[0]) > 25
    assert np.abs(np.subtract(*scores)).max() < 0.3
