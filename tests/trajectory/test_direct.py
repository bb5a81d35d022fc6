"""Length, rate and moments of a video along a path: what is asked for, what the curve takes, what the path says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp, so3_exp
from neoverse_ns.trajectory.camera_path import to_camera_path
from neoverse_ns.trajectory.choose import choose_trajectory
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.presets import preset
from neoverse_ns.trajectory.save import save_trajectory
from neoverse_ns.trajectory.trajectory import Trajectory, cameras_between

FRAMES, SECONDS = 25, 3.0
STEPS = torch.arange(FRAMES, dtype=torch.float64)[:, None]
CAMERAS = PinholeCameras(
    se3_exp(STEPS * torch.tensor([0.02, -0.01, 0.05, 0.01, 0.02, -0.01], dtype=torch.float64)),
    torch.tensor([[40.0, 0, 24], [0, 40, 16], [0, 0, 1]], dtype=torch.float64).repeat(FRAMES, 1, 1),
    48,
    32,
)
TIMES = torch.linspace(0, 1, FRAMES)
CLIP = ClipFrames(7.0 + torch.linspace(0, SECONDS, FRAMES, dtype=torch.float64), tuple(range(FRAMES)))


def choose(name: str | Path, **options: Any) -> Trajectory:
    return choose_trajectory(str(name), CAMERAS, TIMES, None, TrajectoryOptions(**options), CLIP)


def seconds(trajectory: Trajectory) -> list[float]:
    """Seconds of the clip that the frames show."""
    return (SECONDS * trajectory.times).tolist()


def written(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "path.json"
    path.write_text(json.dumps(document), "utf8")
    return path


def keyframes(count: int, **more: Any) -> dict[str, Any]:
    return {"num_frames": count, "keyframes": [{"0": []}, {str(count - 1): [{"push_in": {}}]}]} | more


@pytest.mark.parametrize("fps", [24.0, 60.0, 240.0])
def test_the_clip_as_filmed_at_any_rate(fps: float) -> None:
    trajectory = choose("orbit_left", time="as-filmed", fps=fps)
    assert len(trajectory) == SECONDS * fps + 1
    assert trajectory.fps == fps
    np.testing.assert_allclose(seconds(trajectory), np.arange(len(trajectory)) / fps, atol=1e-12)
    # The camera takes its whole way meanwhile.
    torch.testing.assert_close(trajectory.c2w[-1], CAMERAS.c2w[-1] @ preset("orbit_left", 2)[-1])


def test_time_leaves_the_camera_alone() -> None:
    plain = choose("orbit_left", num_frames=33)
    for time in ("freeze@1.5s", "reverse", "0:0, 2s:1.5s, hold 2s, 6s:0", "0-10, 10 x 5, 10-24"):
        directed = choose("orbit_left", num_frames=33, time=time)
        torch.testing.assert_close(directed.c2w, plain.c2w)
        torch.testing.assert_close(directed.K, plain.K)
        assert not torch.equal(directed.times, plain.times)
    frozen = choose("orbit_left", num_frames=33, time="freeze@12")
    assert (frozen.times == TIMES[12].double()).all()


def test_a_move_may_start_from_the_camera_of_the_moment_shown() -> None:
    frozen = choose("orbit_left", num_frames=9, time="freeze@12", follow="time")
    torch.testing.assert_close(frozen.c2w, CAMERAS.c2w[12] @ preset("orbit_left", 9), atol=1e-7, rtol=0)
    back = choose("static", time="reverse", fps=8.0, follow="time")
    torch.testing.assert_close(back.c2w, CAMERAS.c2w.flip(0), atol=1e-6, rtol=0)
    assert seconds(back) == pytest.approx(np.linspace(3, 0, 25).tolist())


def test_who_decides_the_length() -> None:
    assert len(choose("static")) == 81
    assert len(choose("static", duration=2.0, fps=24.0)) == 49
    assert choose("static", duration=2.0).fps == 16.0
    assert choose("static").fps is None
    assert len(choose("static", time="slow 2x", fps=10.0)) == 61
    assert len(choose("static", time="slow 2x", fps=10.0, num_frames=7)) == 7
    assert len(choose("static", time="freeze@1s")) == 81
    assert len(choose("static", time="freeze@1s", duration=1.0, fps=30.0)) == 31
    assert seconds(choose("static", time="reverse", num_frames=3)) == pytest.approx([3, 1.5, 0])
    assert seconds(choose("static", time="0:0, 50%:3s, 100%:0", duration=4.0, fps=1.0)) == pytest.approx(
        [0, 1.5, 3, 1.5, 0]
    )


def test_a_file_directs_time_and_rate_itself(tmp_path: Path) -> None:
    whole = choose(written(tmp_path, keyframes(9, time=["0:0", "1s:3s", "hold 1s"], fps=8)))
    assert (len(whole), whole.fps) == (9, 8.0)
    assert seconds(whole) == pytest.approx([0, 0.375, 0.75, 1.125, 1.5, 1.875, 2.25, 2.625, 3])
    # Without a number of frames of its own the curve decides, and what is asked for before either.
    free = {key: value for key, value in keyframes(81, time="slow 2x", fps=8).items() if key != "num_frames"}
    assert len(choose(written(tmp_path, free))) == 49
    assert len(choose(written(tmp_path, free), time="as-filmed")) == 25
    assert len(choose(written(tmp_path, free), fps=16.0)) == 97
    assert len(choose(written(tmp_path, free), num_frames=5)) == 5
    with pytest.raises(SettingsError, match=r"path\.json.*'sideways'"):
        choose(written(tmp_path, keyframes(9, time="sideways")))
    with pytest.raises(SettingsError, match=r"time\[1\]"):
        choose(written(tmp_path, keyframes(9, time=["0:0", 3])))
    with pytest.raises(SettingsError, match="'fps'"):
        choose(written(tmp_path, keyframes(9, fps=0)))


def test_a_path_with_a_rate_keeps_its_seconds_at_another(tmp_path: Path) -> None:
    path = Trajectory(CAMERAS, TIMES)
    document = to_camera_path(path.c2w, path.K, path.times, 48, 32, 8.0)
    own = choose(written(tmp_path, document))
    assert (len(own), own.fps) == (25, 8.0)
    fine = choose(written(tmp_path, document), fps=24.0)
    assert (len(fine), fine.fps) == (73, 24.0)
    torch.testing.assert_close(fine.c2w[::3], own.c2w, atol=1e-6, rtol=0)
    torch.testing.assert_close(fine.times[::3], own.times, atol=1e-6, rtol=0)
    between = cameras_between(own.cameras, torch.tensor([1 / 3])).c2w[0]
    torch.testing.assert_close(fine.c2w[1], between, atol=1e-6, rtol=0)
    frozen = choose(written(tmp_path, document), time="freeze@1.5s")
    assert (len(frozen), frozen.fps) == (25, 8.0)
    assert (frozen.times == 0.5).all()
    torch.testing.assert_close(frozen.c2w, own.c2w)


def saved(folder: Path, time: str, fps: float | None) -> tuple[Path, Trajectory]:
    made = choose("orbit_left", time=time, fps=fps)
    here = Sim3(torch.ones((), dtype=torch.float64), torch.eye(3, dtype=torch.float64), torch.zeros(3).double())
    save_trajectory(folder / "path.json", made, CAMERAS, SECONDS, here)
    return folder / "path.json", made


def test_a_saved_curve_keeps_its_seconds_at_another_rate(tmp_path: Path) -> None:
    path, made = saved(tmp_path, "0-12, 12 x 30, 12-0", 16.0)
    assert len(made) == 55
    fine = choose(path, fps=64.0)
    assert (len(fine), fine.fps) == (4 * 54 + 1, 64.0)
    torch.testing.assert_close(fine.times[::4], made.times, atol=1e-9, rtol=0)
    torch.testing.assert_close(fine.c2w[::4], made.c2w.double(), atol=1e-9, rtol=0)
    # Frames in between are at moments in between.
    torch.testing.assert_close(fine.times[2:48:4], 0.5 * (made.times[:12] + made.times[1:13]), atol=1e-9, rtol=0)
    coarse = choose(path, fps=8.0)
    assert len(coarse) == 28
    torch.testing.assert_close(coarse.times, made.times[::2], atol=1e-9, rtol=0)


def test_a_saved_curve_is_stretched_with_its_path(tmp_path: Path) -> None:
    path, made = saved(tmp_path, "0-12, 12 x 30, 12-0", 16.0)
    for options in ({"num_frames": 19}, {"duration": 18 / 16}, {"num_frames": 19, "fps": 60.0}):
        short = choose(path, **options)
        assert (len(short), short.fps) == (19, options.get("fps", 16.0))
        torch.testing.assert_close(short.times, made.times[::3], atol=1e-9, rtol=0)
        torch.testing.assert_close(short.c2w, made.c2w[::3].double(), atol=1e-9, rtol=0)
    assert choose(path, num_frames=1).times.tolist() == [0.0]


def test_a_file_without_a_rate_or_a_length_takes_its_curve_along_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curve = "0:0, 1s:3s, 2s:3s, 2s:0, 4s:3s"
    whole = choose(written(tmp_path, keyframes(65, time=curve)), fps=32.0)
    assert len(whole) == 129
    assert seconds(whole)[::32] == pytest.approx([0, 3, 0, 1.5, 3])
    free = {key: value for key, value in keyframes(81, time=curve, fps=8).items() if key != "num_frames"}
    assert seconds(choose(written(tmp_path, free)))[::8] == pytest.approx([0, 3, 0, 1.5, 3])
    capsys.readouterr()
    # The jump comes twice as early, too.
    short = choose(written(tmp_path, free), duration=2.0)
    assert seconds(short)[::4] == pytest.approx([0, 3, 0, 1.5, 3])
    assert "jumps at 1 s" in " ".join(capsys.readouterr().out.split())


def test_a_moment_asked_for_leaves_a_path_its_seconds(tmp_path: Path) -> None:
    path, _ = saved(tmp_path, "as-filmed", 16.0)
    frozen = choose(path, time="freeze@1.5s", fps=32.0)
    assert len(frozen) == 2 * 48 + 1
    assert (frozen.times == 0.5).all()


def test_arrays_are_taken_by_themselves(tmp_path: Path) -> None:
    poses = preset("orbit_left", 5)
    np.savez(tmp_path / "move.npz", frame_indices=[0, 4], frame_matrices=poses[[0, 4]].numpy())
    trajectory = choose(tmp_path / "move.npz")
    torch.testing.assert_close(trajectory.c2w, CAMERAS.c2w[::6] @ poses)
    np.savez(tmp_path / "path.npz", c2w=poses.numpy(), K=CAMERAS.K[:5].numpy(), times=np.linspace(0, 0.5, 5), fps=4)
    own = choose(tmp_path / "path.npz", zoom=2.0)
    assert torch.equal(own.c2w, poses)
    assert own.times.tolist() == [0, 0.125, 0.25, 0.375, 0.5]
    assert own.K[:, 0, 0].tolist() == [40, 50, 60, 70, 80]
    assert own.fps == 4.0
    for content in ({"frame_indices": [1, 4]}, {"frame_indices": [0, 4, 5]}, {"frame_indices": [0, -1]}):
        np.savez(tmp_path / "bad.npz", frame_matrices=poses[[0, 4]].numpy(), **content)
        with pytest.raises(SettingsError, match=r"bad\.npz"):
            choose(tmp_path / "bad.npz")


def test_matrices_of_another_world_come_along_with_the_clips_cameras(tmp_path: Path) -> None:
    turn = so3_exp(torch.tensor([0.3, -2.0, 1.0], dtype=torch.float64))
    there = Sim3(torch.tensor(5.0, dtype=torch.float64), turn, torch.ones(3, dtype=torch.float64))
    np.savez(tmp_path / "clip.npz", c2w=there.apply_c2w(CAMERAS.c2w).numpy(), frame_index=np.arange(FRAMES))
    wanted = CAMERAS.c2w[::6] @ preset("move_right", 5)
    matrices = {"frame_indices": list(range(5)), "frame_matrices": there.apply_c2w(wanted).tolist()}
    document = written(tmp_path, {"mode": "global", "num_frames": 5, "zoom_ratio": 1.5, "trajectory": matrices})
    trajectory = choose(document, align_to=str(tmp_path / "clip.npz"))
    torch.testing.assert_close(trajectory.c2w, wanted, atol=1e-6, rtol=0)
    assert float(trajectory.K[-1, 0, 0]) == 60.0
    assert not torch.allclose(choose(document).c2w, wanted, atol=0.1)


def test_json_is_told_by_how_it_begins(tmp_path: Path) -> None:
    (tmp_path / "path.txt").write_text("  " + json.dumps(keyframes(9)))
    (tmp_path / "path").write_text(json.dumps(keyframes(7)))
    assert len(choose(tmp_path / "path.txt")) == 9
    assert len(choose(tmp_path / "path")) == 7


def test_jumps_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    choose("static", time="0:0, 2s:1.5s, hold 2s, 4s:0")
    assert "jumps at 4 s" in " ".join(capsys.readouterr().out.split())


def test_time_needs_a_clip_whose_seconds_are_known() -> None:
    with pytest.raises(SettingsError, match="seconds are known"):
        choose_trajectory("static", CAMERAS, TIMES, None, TrajectoryOptions(time="reverse"))
