"""TartanAir's encoding, written from a known world and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.spatial.transform import Rotation

from neoverse_ns.errors import ClipError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.training.data.sets.registry import data_set
from tests.training.data.sets.known_world import (
    FRAMES,
    HEIGHT,
    WIDTH,
    KnownWorld,
    check_frames,
    known_world,
    numbers,
    truncate,
)
from tests.training.data.sets.seen_anew import seen_anew

CLIP = "abandonedfactory/Easy/P000"


@pytest.fixture(scope="module")
def world() -> KnownWorld:
    """Seen through the one lens that all of the set has, 320 of 640 pixels."""
    known = known_world()
    K = torch.eye(3, dtype=torch.float64).repeat(FRAMES, 1, 1)
    K[:, 0, 0] = K[:, 1, 1] = K[:, 0, 2] = 320 / 640 * WIDTH
    K[:, 1, 2] = 240 / 480 * HEIGHT
    cameras = PinholeCameras(known.clip.cameras.c2w, K, WIDTH, HEIGHT)
    return seen_anew(known, known.scene, cameras)


def write(folder: Path, world: KnownWorld) -> Path:
    clip = folder / CLIP
    (clip / "image_left").mkdir(parents=True)
    (clip / "depth_left").mkdir()
    lines = []
    for i in range(FRAMES):
        Image.fromarray(numbers(world.clip.frames[i])).save(clip / f"image_left/{i:06d}_left.png")
        depth = numbers(world.clip.depth[i]).copy()
        depth[numbers(world.sky(i))] = 10000.0
        np.save(clip / f"depth_left/{i:06d}_left_depth.npy", depth.astype(np.float32))
        pose = numbers(world.c2w(i))
        # The body looks along its x, has its right along y and down along z.
        body = np.stack([pose[:3, 2], pose[:3, 0], pose[:3, 1]], axis=1)
        values = [*pose[:3, 3], *Rotation.from_matrix(body).as_quat()]
        lines.append(" ".join(f"{value:.12e}" for value in values))
    (clip / "pose_left.txt").write_text("\n".join(lines) + "\n")
    return clip


def test_a_written_clip_reads_back(tmp_path: Path, world: KnownWorld) -> None:
    write(tmp_path, world)
    layout = data_set("tartan_air")
    (row,) = layout.find(tmp_path)
    assert (row.id, row.frames, row.fps, row.width, row.height) == (CLIP, FRAMES, 10.0, WIDTH, HEIGHT)
    assert row.has == {"pose", "depth"}
    clip = layout.open(tmp_path, row)
    assert (clip.info.furthest, clip.info.depth_quantile, clip.info.static) == (20, 0.98, False)
    check_frames(clip, world, depth=1e-6, sky=False)
    # What moves is not annotated, and nothing says that all of it stands still.
    assert clip.displacement(0, 1) is None


def test_damage_is_told_with_the_file(tmp_path: Path, world: KnownWorld) -> None:
    clip = write(tmp_path, world)
    layout = data_set("tartan_air")
    (row,) = layout.find(tmp_path)
    flight = layout.open(tmp_path, row)
    truncate(clip / "depth_left/000001_left_depth.npy")
    with pytest.raises(ClipError, match="000001_left_depth"):
        flight.frame(1)
    np.save(clip / "depth_left/000002_left_depth.npy", np.ones((3, 4), dtype=np.float32))
    with pytest.raises(ClipError, match="3x4 numbers instead of 48x64"):
        flight.frame(2)
    truncate(clip / "image_left/000003_left.png")
    with pytest.raises(ClipError, match=r"000003_left\.png"):
        flight.frame(3)
    lines = (clip / "pose_left.txt").read_text().splitlines()
    (clip / "pose_left.txt").write_text("\n".join(lines[:-1]))
    with pytest.raises(ClipError, match=r"pose_left\.txt"):
        layout.open(tmp_path, row)
    (clip / "pose_left.txt").write_text("\n".join([*lines[:-1], "nan 0 0 0 0 0 1"]))
    with pytest.raises(ClipError, match="not finite"):
        layout.open(tmp_path, row)
