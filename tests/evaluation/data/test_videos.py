"""Videos as scenes: every frame, nothing cut, and the paths beside them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.clip.write import write_video
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.data.videos.layout import Videos
from neoverse_ns.evaluation.data.videos.scene import VideoScene
from neoverse_ns.evaluation.evaluate import plan, request
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.camera_path import to_camera_path
from neoverse_ns.trajectory.choose import choose_trajectory
from neoverse_ns.trajectory.foreign.read import read_foreign
from neoverse_ns.trajectory.save import save_trajectory
from neoverse_ns.trajectory.save_cameras import write_cameras_beside
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.evaluation.filmed import walk

COUNT = 12


def pictures(count: int = COUNT, height: int = 50, width: int = 70) -> torch.Tensor:
    """Smooth pictures, each darker than the one before, with a black bar that nothing may cut off."""
    ramp = torch.linspace(60, 200, width).expand(height, width)
    frames = torch.stack([ramp - 4 * number for number in range(count)])[..., None].repeat(1, 1, 1, 3)
    frames[:, :8] = 0
    return frames.round().to(torch.uint8)


def path(count: int = COUNT) -> Trajectory:
    cameras = walk()[:count]
    # A time that goes back, which is no reason to sort anything.
    times = torch.linspace(1, 0, count, dtype=torch.float64)
    return Trajectory(PinholeCameras(cameras.c2w, cameras.K, cameras.width, cameras.height), times, fps=8.0)


def test_a_video_has_every_frame_whole_and_in_order(tmp_path: Path) -> None:
    frames = pictures()
    frames[5] = frames[4]  # A frame that is repeated counts, too.
    write_video(tmp_path / "a.mp4", frames, 8.0)
    scene = benchmark_data("videos").open(tmp_path, "a")
    assert [frame.time for frame in scene.frames] == list(range(COUNT))
    assert [frame.name for frame in scene.frames[:2]] == ["a.mp4#00000", "a.mp4#00001"]
    assert {(frame.width, frame.height) for frame in scene.frames} == {(70, 50)}
    for number in (*range(COUNT), 3, 4, 0):  # In order, and not.
        rgb = scene.read(scene.frames[number], "rgb").rgb
        assert rgb is not None
        assert (rgb.float() - frames[number].float()).abs().mean() < 2
    assert scene.frames[0].c2w is None
    # Whoever only looks at it lacks nothing; who asks how well a path was followed cannot begin.
    assert not any("path" in line for line in plan(request("video-ours@1", tmp_path)).lines())
    planned = plan(request("camera-redirector@1", tmp_path))
    assert any("a: cannot be measured" in line and "a_cameras.json" in line for line in planned.lines())
    with pytest.raises(ClipError, match=r"a_cameras\.json"):
        planned.check(allow_missing=False)


def test_videos_are_found_and_what_lies_beside_them_is_not_taken_for_one(tmp_path: Path) -> None:
    names = ("a.mp4", "a_input.mp4", "a_render.mp4", "b.mp4", "c_input.mp4")
    for name in names:
        write_video(tmp_path / name, pictures(3), 8.0)
    for folder in ("d", "a_depth"):
        (tmp_path / folder).mkdir()
        for number, frame in enumerate(pictures(3).numpy()):
            cv2.imwrite(str(tmp_path / folder / f"{number:03d}.png"), frame)
    (tmp_path / "empty").mkdir()
    assert Videos().find(tmp_path) == ["a", "b", "c_input", "d"]
    assert Videos().find(tmp_path / "b.mp4") == ["b"]
    assert Videos().find(tmp_path / "d") == ["d"]
    assert len(Videos().open(tmp_path / "d", "d").frames) == 3
    scene = Videos().open(tmp_path, "a")
    assert isinstance(scene, VideoScene)
    assert scene.input == tmp_path / "a_input.mp4"
    for wrong in (tmp_path / "empty", tmp_path / "none"):
        with pytest.raises(ClipError):
            Videos().find(wrong)
    with pytest.raises(ClipError, match="no video z; it has a, b"):
        Videos().open(tmp_path, "z")


def test_the_path_that_is_written_beside_a_video_is_the_one_that_was_drawn(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", pictures(), 8.0)
    asked = path()
    file = write_cameras_beside(tmp_path / "a.mp4", asked)
    assert file == tmp_path / "a_cameras.json"
    scene = Videos().open(tmp_path, "a")
    assert isinstance(scene, VideoScene)
    c2w = torch.stack([frame.c2w for frame in scene.frames if frame.c2w is not None])
    assert (c2w - asked.c2w).abs().max() < 1e-9
    assert scene.own_world
    assert scene.times is not None
    assert torch.allclose(scene.times, asked.times)
    # At the video's height, the middle of the picture where it was.
    K, scale = scene.frames[3].K, 50 / asked.cameras.height
    assert K is not None
    assert K[0, 0] == pytest.approx(float(asked.K[3, 0, 0]) * scale)
    assert (float(K[0, 2]), float(K[1, 2])) == (35.0, 25.0)
    # And whoever asks for a trajectory by this file gets the same one.
    bound = choose_trajectory(str(file), asked.cameras, torch.linspace(0, 1, COUNT))
    assert (bound.c2w - asked.c2w).abs().max() < 1e-6


@pytest.mark.parametrize("kind", ["trajectory", "nerfstudio", "npz", "tum", "transforms"])
def test_paths_are_read_in_every_form(tmp_path: Path, kind: str) -> None:
    write_video(tmp_path / "a.mp4", pictures(), 8.0)
    asked = path()
    forward = Trajectory(asked.cameras, asked.times.flip(0), fps=8.0)
    c2w = asked.c2w.numpy()
    file = tmp_path / "a_cameras.json"
    if kind == "trajectory":
        from neoverse_ns.geometry.alignment import align_cameras

        save_trajectory(file, forward, asked.cameras, 1.5, align_cameras(asked.c2w, asked.c2w))
    elif kind == "nerfstudio":
        file.write_text(json.dumps(to_camera_path(asked.c2w, 60.0, asked.times, 70, 50, 8.0)))
    elif kind == "npz":
        np.savez(tmp_path / "a_cameras.npz", c2w=c2w)
    elif kind == "tum":
        from neoverse_ns.export.camera_files import write_tum

        write_tum(tmp_path / "a_cameras.txt", asked.c2w, torch.arange(COUNT) / 8)
    else:
        flip = np.diag([1.0, -1, -1, 1])
        names = [f"{number:04d}.png" for number in range(COUNT)]
        rows = [
            {"file_path": name, "transform_matrix": (pose @ flip).tolist()}
            for name, pose in zip(names, c2w, strict=True)
        ]
        file.write_text(json.dumps({"frames": rows}))
    found = [frame.c2w for frame in Videos().open(tmp_path, "a").frames]
    assert (torch.stack([pose for pose in found if pose is not None]) - asked.c2w).abs().max() < 1e-6


def test_paths_that_do_not_belong_to_the_video_are_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", pictures(), 8.0)
    write_cameras_beside(tmp_path / "a.mp4", path(11))
    with pytest.raises(ClipError, match="has 11 cameras, but the video 12 frames"):
        Videos().open(tmp_path, "a")
    (tmp_path / "a_cameras.json").write_text(json.dumps({"num_frames": COUNT, "keyframes": {"0": []}}))
    with pytest.raises(ClipError, match="a_cameras"):
        Videos().open(tmp_path, "a")
    poses = {"frame_indices": [0, COUNT - 1], "frame_matrices": [np.eye(4).tolist()] * 2}
    relative = {"num_frames": COUNT, "trajectory": poses}
    (tmp_path / "a_cameras.json").write_text(json.dumps(relative))
    with pytest.raises(ClipError, match="only relative to the cameras of a clip"):
        Videos().open(tmp_path, "a")


def test_the_file_is_one_of_our_own_world(tmp_path: Path) -> None:
    file = write_cameras_beside(tmp_path / "a.mp4", path())
    assert read_foreign(file).own_world
