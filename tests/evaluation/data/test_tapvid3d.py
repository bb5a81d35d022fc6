"""A video of a moving plane with points on it, as TAPVid-3D stores one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.data.tapvid3d import TracksScene
from tests.evaluation.data import fabricate_world as world

SIZE = (64, 48)
FRAMES, POINTS = 5, 7
INTRINSICS = (60.0, 61.0, 31.0, 25.0)


def plane() -> np.ndarray:
    """Points [t, n, 3] of a plane that comes nearer by 0.2 m a frame."""
    random = np.random.default_rng(0)
    start = np.concatenate([random.uniform(-1, 1, (POINTS, 2)), np.full((POINTS, 1), 5.0)], 1)
    return np.stack([start + np.array([0.1, 0, -0.2]) * time for time in range(FRAMES)])


def write(path: Path, other_names: bool = False, cameras: bool = True, pictures: bool = True) -> dict[str, np.ndarray]:
    """Store a video; `other_names` are those that the set's README prints."""
    tracks = plane()
    fx, fy, cx, cy = INTRINSICS
    xy = tracks[0, :, :2] / tracks[0, :, 2:] * (fx, fy) + (cx, cy)
    stored = {
        "queries_xyt": np.concatenate([xy, np.zeros((POINTS, 1))], 1).astype(np.float32),
        "tracks_xyz" if other_names else "tracks_XYZ": tracks.astype(np.float32),
        "visibility": np.random.default_rng(1).random((FRAMES, POINTS)) > 0.2,
        "intrinsics" if other_names else "fx_fy_cx_cy": np.array(INTRINSICS),
    }
    if pictures:
        images = [np.full((SIZE[1], SIZE[0], 3), 40 * time, np.uint8) for time in range(FRAMES)]
        stored["images_jpeg_bytes"] = np.array([cv2.imencode(".jpg", image)[1].tobytes() for image in images])
    if cameras:
        stored["extrinsics_w2c"] = np.stack([pose.inverse().numpy() for pose in world.moving_poses(FRAMES)])
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **stored)  # pyright: ignore[reportArgumentType]
    return stored


def opened(folder: Path, name: str) -> TracksScene:
    scene = benchmark_data("tapvid3d").open(folder, name)
    assert isinstance(scene, TracksScene)
    return scene


@pytest.mark.parametrize("other_names", [False, True])
def test_a_video_comes_back(tmp_path: Path, other_names: bool) -> None:
    stored = write(tmp_path / "drivetrack/a.npz", other_names)
    write(tmp_path / "adt/b.npz", cameras=False)
    assert benchmark_data("tapvid3d").find(tmp_path) == ["adt/b", "drivetrack/a"]
    scene = opened(tmp_path, "drivetrack/a")
    truth = scene.tracks()
    assert np.abs(truth.tracks_XYZ.numpy() - plane()).max() < 1e-6
    assert np.array_equal(truth.visibility.numpy(), stored["visibility"])
    assert np.array_equal(truth.queries_xyt.numpy(), stored["queries_xyt"].astype(np.float64))
    # Every query is where its point is seen.
    seen = truth.tracks_XYZ[0] @ truth.K.T
    assert torch.allclose(seen[:, :2] / seen[:, 2:], truth.queries_xyt[:, :2], atol=1e-4)
    for time, (frame, c2w) in enumerate(zip(scene.frames, world.moving_poses(FRAMES), strict=True)):
        assert frame.name == f"drivetrack/a.npz/{time:05d}.jpg"
        assert frame.c2w is not None
        assert (frame.c2w - c2w).abs().max() < 1e-6
        rgb = scene.read(frame).rgb
        assert rgb is not None
        assert rgb.shape == (48, 64, 3)
        assert (rgb.float() - 40 * time).abs().max() < 3
    assert all(frame.c2w is None for frame in opened(tmp_path, "adt/b").frames)


def test_annotations_alone_and_damaged_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.npz", pictures=False)
    with pytest.raises(ClipError, match="add the pictures"):
        opened(tmp_path, "a")
    stored = write(tmp_path / "b.npz")
    np.savez(tmp_path / "b.npz", **{**stored, "visibility": stored["visibility"][:-1]})  # pyright: ignore
    with pytest.raises(ClipError, match="'visibility': holds 4x7"):
        opened(tmp_path, "b")
    (tmp_path / "c.npz").write_bytes(b"PK")
    with pytest.raises(ClipError, match=r"c\.npz: cannot be read"):
        opened(tmp_path, "c")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ClipError, match="drivetrack/<video>"):
        benchmark_data("tapvid3d").find(tmp_path / "nothing")
