"""The layout that Waymo's records are converted to, written from a known world and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets.registry import data_set
from neoverse_ns.training.data.sets.waymo import boxes_of
from tests.training.data.sets.known_world import FRAMES, HEIGHT, WIDTH, check_frames, check_motion, numbers, truncate
from tests.training.data.sets.waymo_world import Drive, drive

SEGMENT = "segment-1005081002024129653_5313_150_5333_150_with_camera_labels"


def write(folder: Path, drive: Drive, camera: str = "front") -> Path:
    segment = folder / SEGMENT
    clip, world = segment / camera, drive.world
    for kind in ("rgb", "lidar"):
        (clip / kind).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for i in range(FRAMES):
        picture = Image.fromarray(numbers(world.clip.frames[i]))
        picture.save(clip / f"rgb/{i:06d}.jpg", quality=98, subsampling=0)
        y, x = np.nonzero(~numbers(world.sky(i)))
        depth = numbers(world.clip.depth[i])[y, x]
        # Points behind those that are seen, as the lidar gets them from beside the camera.
        x, y, depth = (np.concatenate([a, b]) for a, b in ((x, x[::3]), (y, y[::3]), (depth, depth[::3] + 2)))
        order = generator.permutation(len(x))
        pixel = np.stack([x, y], axis=1)[order].astype(np.uint16)
        labelled = np.ones(len(x), dtype=bool)
        np.savez_compressed(
            clip / f"lidar/{i:06d}.npz", pixel=pixel, depth=depth[order].astype(np.float32), labelled=labelled
        )
    np.savez(
        clip / "camera.npz",
        K=numbers(world.K(0)),
        extrinsic=numbers(drive.extrinsic),
        vehicle=numbers(drive.pictures),
    )
    np.savez(
        segment / "boxes.npz",
        vehicle=numbers(drive.sweeps),
        centre=numbers(drive.centres),
        size=numbers(drive.sizes),
        heading=numbers(drive.headings),
    )
    return clip


def test_a_written_clip_reads_back(tmp_path: Path) -> None:
    write(tmp_path, drive())
    layout = data_set("waymo")
    (row,) = layout.find(tmp_path)
    assert (row.id, row.frames, row.fps) == (f"{SEGMENT}/front", FRAMES, 10.0)
    assert (row.width, row.height) == (WIDTH, HEIGHT)
    clip = layout.open(tmp_path, row)
    assert (clip.info.furthest, clip.info.depth_quantile) == (8, 0.98)
    check_frames(clip, drive().world, depth=1e-6, rgb=4.0, sky=False)
    check_motion(clip, drive().world, distance=1e-5, share=0.6)


def test_cameras_at_the_side_take_half_the_steps(tmp_path: Path) -> None:
    write(tmp_path, drive(), "side_left")
    layout = data_set("waymo")
    (row,) = layout.find(tmp_path)
    assert layout.open(tmp_path, row).info.furthest == 4


def test_things_without_a_label_have_no_motion(tmp_path: Path) -> None:
    clip = write(tmp_path, drive())
    boxes = dict(np.load(clip.parent / "boxes.npz"))
    boxes["centre"][2, 1] = boxes["size"][2, 1] = boxes["heading"][2, 1] = np.nan
    np.savez(clip.parent / "boxes.npz", **boxes)
    layout = data_set("waymo")
    (row,) = layout.find(tmp_path)
    motion = layout.open(tmp_path, row).displacement(1, 2)
    assert motion is not None
    things = drive().world.clip.things[1]
    assert (things == 2).sum() > 20
    assert not motion.valid[things == 2].any()
    assert motion.valid[things == 3].all()


def test_where_nobody_labelled_what_moves_motion_is_unknown(tmp_path: Path) -> None:
    clip = write(tmp_path, drive())
    points = dict(np.load(clip / "lidar/000001.npz"))
    # Points that are hidden behind others say nothing of their pixel.
    truth = drive().world.clip.depth[1].numpy()[points["pixel"][:, 1], points["pixel"][:, 0]]
    left = points["pixel"][:, 0] < 20
    points["labelled"] = ~(left | (points["depth"] > truth + 1))
    np.savez(clip / "lidar/000001.npz", **points)
    layout = data_set("waymo")
    (row,) = layout.find(tmp_path)
    driven = layout.open(tmp_path, row)
    motion, depth = driven.displacement(1, 2), driven.frame(1).depth
    assert motion is not None
    assert depth is not None
    assert not motion.valid[:, :20].any()
    assert torch.equal(motion.valid[:, 20:], depth[:, 20:] > 0)
    assert (depth[:, :20] > 0).any()


def test_a_box_holds_its_sides_and_not_the_road_below() -> None:
    pose = torch.eye(4, dtype=torch.float64)[None].repeat(2, 1, 1)
    sizes = torch.tensor([[4.0, 2, 2], [1, 1, 1]], dtype=torch.float64)
    points = torch.tensor(
        [[1.99, 0, 0], [2.04, 0, 0], [2.06, 0, 0], [0, 0, 1.04], [0, 0, -1.01], [0.2, 0, 0]], dtype=torch.float64
    )
    # The last lies in both: in the smaller one.
    assert boxes_of(points, pose, sizes).tolist() == [0, 0, -1, 0, -1, 1]


def test_damage_is_told_with_the_file(tmp_path: Path) -> None:
    clip = write(tmp_path, drive())
    layout = data_set("waymo")
    (row,) = layout.find(tmp_path)
    driven = layout.open(tmp_path, row)
    truncate(clip / "lidar/000001.npz")
    with pytest.raises(ClipError, match=r"000001\.npz"):
        driven.frame(1)
    np.savez(clip / "lidar/000002.npz", pixel=np.array([[WIDTH, 0]]), depth=np.ones(1), labelled=np.ones(1))
    with pytest.raises(ClipError, match="outside of the 64x48 picture"):
        driven.frame(2)
    np.savez(clip / "camera.npz", K=np.eye(3), extrinsic=np.eye(4), vehicle=np.zeros((FRAMES, 4, 4)))
    with pytest.raises(ClipError, match=r"camera\.npz: the pose is no rigid motion"):
        layout.open(tmp_path, row)
    np.savez(clip / "camera.npz", K=np.eye(3), extrinsic=np.eye(4))
    with pytest.raises(ClipError, match="no array 'vehicle'"):
        layout.open(tmp_path, row)
