"""The conversion of Waymo's records, given messages as its package has them: what comes out reads back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace as Message

import cv2
import numpy as np
import pytest
import torch
from convert_waymo import Sweep, convert_segment, main, outside_of_zones  # pyright: ignore

from neoverse_ns.training.data.sets.registry import data_set
from tests.training.data.sets.known_world import FRAMES, HEIGHT, THINGS, WIDTH, check_frames, check_motion, numbers
from tests.training.data.sets.waymo_world import drive


def transform(pose: torch.Tensor) -> Message:
    return Message(transform=pose.flatten().tolist())


def labels(frame: int) -> list[Message]:
    known = drive()
    found = []
    for k in range(THINGS):
        (x, y, z), (length, width, height) = known.centres[frame, k].tolist(), known.sizes[frame, k].tolist()
        box = Message(
            center_x=x, center_y=y, center_z=z, length=length, width=width, height=height,
            heading=float(known.headings[frame, k]),
        )  # fmt: skip
        found.append(Message(id=f"thing-{k}", box=box))
    # The order of labels differs from frame to frame; the names do not.
    return found if frame % 2 else found[::-1]


def sweeps() -> Iterator[Sweep]:
    known = drive()
    K = known.world.K(0)
    lens = [float(K[0, 0]), float(K[1, 1]), float(K[0, 2]), float(K[1, 2]), 0.0, 0.0, 0.0, 0.0, 0.0]
    calibration = Message(name=1, intrinsic=lens, extrinsic=transform(known.extrinsic))
    for i in range(FRAMES):
        _, jpeg = cv2.imencode(".png", numbers(known.world.clip.frames[i])[..., ::-1])
        frame = Message(
            pose=transform(known.sweeps[i]),
            laser_labels=labels(i),
            images=[Message(name=1, image=jpeg.tobytes(), pose=transform(known.pictures[i]))],
            context=Message(camera_calibrations=[calibration]),
        )
        inverse = torch.linalg.inv(known.sweeps[i])
        world = known.world.points(i)[~known.world.sky(i)]
        points = numbers(world @ inverse[:3, :3].T + inverse[:3, 3])
        # The side camera's points are no part of this picture, wherever they would fall in it.
        others = points + 0.3
        seen_by = np.zeros((2 * len(points), 2), dtype=int)
        seen_by[: len(points), i % 2] = 1
        seen_by[len(points) :, 0] = 4
        labelled = np.arange(2 * len(points)) % 7 > 0
        yield frame, np.concatenate([points, others]), seen_by, labelled


def test_a_converted_segment_reads_back(tmp_path: Path) -> None:
    assert convert_segment(sweeps(), tmp_path / "segment") == FRAMES
    layout = data_set("waymo")
    (row,) = layout.find(tmp_path)
    assert (row.id, row.frames, row.width, row.height) == ("segment/front", FRAMES, WIDTH, HEIGHT)
    clip = layout.open(tmp_path, row)
    check_frames(clip, drive().world, depth=1e-5, rgb=8.0, sky=False)
    check_motion(clip, drive().world, distance=1e-4, share=0.6)
    # Of the points in order of pixels every seventh lies where nothing was labelled.
    motion, depth = clip.displacement(0, 1), clip.frame(0).depth
    assert motion is not None
    assert depth is not None
    assert motion.valid[depth > 0].tolist() == [i % 7 > 0 for i in range(int((depth > 0).sum()))]


def test_zones_without_labels_follow_the_order_of_points() -> None:
    """Lidars by number, their points row by row, pixels without a range left out."""
    top = np.zeros((2, 3, 4))
    top[..., 0] = [[5, 0, 6], [0, 7, 8]]
    top[..., 3] = [[1, 1, -1], [1, -1, 1]]
    front = np.zeros((1, 2, 4))
    front[..., 0] = 3
    front[..., 3] = [[-1, 1]]
    images = {
        name: [Message(data=image.flatten().tolist(), shape=Message(dims=list(image.shape)))]
        for name, image in ((1, top), (2, front))
    }
    frame = Message(context=Message(laser_calibrations=[Message(name=2), Message(name=1)]))
    assert outside_of_zones(frame, images).tolist() == [False, True, True, False, True, False]


def test_without_records_or_the_package_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path, tmp_path / "out") == 1
    assert "no .tfrecord files" in capsys.readouterr().err
    (tmp_path / "a.tfrecord").write_bytes(b"")
    assert main(tmp_path, tmp_path / "out") == 1
    assert "pip install waymo-open-dataset" in capsys.readouterr().err
    assert not (tmp_path / "out" / "a").exists()
