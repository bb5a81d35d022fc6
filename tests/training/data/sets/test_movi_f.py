"""MOVi-F's features, exported from a known world as from TFDS and read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neoverse_ns.errors import ClipError
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.training.data.sets.movi_f_export import export_example
from neoverse_ns.training.data.sets.registry import data_set
from tests.training.data.sets.known_world import (
    FRAMES,
    HEIGHT,
    THINGS,
    WIDTH,
    KnownWorld,
    check_frames,
    check_motion,
    known_world,
    numbers,
    truncate,
)

SET = data_set("movi_f")
SENSOR = 32.0


def example(world: KnownWorld) -> dict[str, Any]:
    K = world.K(0)
    pixels = pixel_centres(HEIGHT, WIDTH, torch.float64)
    rays = (pixels - K[:2, 2]) / torch.stack([K[0, 0], K[1, 1]])
    distance = numbers(world.clip.depth.double() * (1 + rays.square().sum(-1)).sqrt())
    low, high = np.float32(distance.min()), np.float32(distance.max())
    # Blender's cameras look along -z, with y up.
    blender = world.clip.cameras.c2w @ torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64))
    things = torch.stack(
        [torch.stack([world.pose(thing, index) for index in range(FRAMES)]) for thing in range(1, THINGS + 1)]
    )
    return {
        "video": numbers(world.clip.frames),
        "depth": np.rint((distance - low) / (high - low) * 65535).astype(np.uint16)[..., None],
        "segmentations": numbers(world.clip.things)[..., None],
        "metadata": {"depth_range": np.array([low, high]), "video_name": b"yard"},
        "camera": {
            "focal_length": np.float32(K[0, 0] / WIDTH * SENSOR),
            "sensor_width": np.float32(SENSOR),
            "positions": numbers(blender[:, :3, 3].float()),
            "quaternions": numbers(quaternions.from_matrix(blender[:, :3, :3]).float()),
        },
        "instances": {
            "positions": numbers(things[..., :3, 3].float()),
            "quaternions": numbers(quaternions.from_matrix(things[..., :3, :3]).float()),
        },
    }


def write(folder: Path, **changed: Any) -> Path:
    (folder / "validation").mkdir(exist_ok=True)
    path = folder / "validation" / "00003.npz"
    export_example({**example(known_world()), **changed}, path)
    return path


def test_an_example_reads_back(tmp_path: Path) -> None:
    write(tmp_path)
    (row,) = SET.find(tmp_path)
    assert (row.id, row.split, row.frames, row.width, row.height) == ("validation/00003", "val", FRAMES, WIDTH, HEIGHT)
    # Steps of 0.6 mm.
    check_frames(SET.open(tmp_path, row), known_world(), depth=2e-4)


def test_poses_give_motion_over_any_gap(tmp_path: Path) -> None:
    write(tmp_path)
    clip = SET.open(tmp_path, SET.find(tmp_path)[0])
    check_motion(clip, known_world(), distance=1e-3, share=0.999)
    still = clip.displacement(1, 2)
    assert still is not None
    assert (still.world[~known_world().clip.dynamic[1]] == 0).all()


def test_a_thing_without_a_pose_has_no_motion(tmp_path: Path) -> None:
    world = known_world()
    poses = example(world)["instances"]
    write(tmp_path, instances={name: array[:1] for name, array in poses.items()})
    motion = SET.open(tmp_path, SET.find(tmp_path)[0]).displacement(0, 1)
    assert motion is not None
    assert torch.equal(motion.valid, world.clip.things[0] <= 1)


def test_damage_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path)
    (row,) = SET.find(tmp_path)
    with pytest.raises(ClipError, match=r"00003\.npz: 'camera/positions' is of 6 frames where the clip has 7"):
        SET.open(tmp_path, replace(row, frames=7))
    clip = SET.open(tmp_path, row)
    with pytest.raises(ClipError, match="frames 0 to 5"):
        clip.displacement(0, FRAMES)
    truncate(path)
    with pytest.raises(ClipError, match=r"00003\.npz: cannot be read"):
        clip.frame(0)
    (row,) = SET.find(tmp_path)
    with pytest.raises(ClipError, match=r"00003\.npz"):
        SET.open(tmp_path, row)
    path.unlink()
    with pytest.raises(ClipError, match=r"00003\.npz: is missing"):
        SET.open(tmp_path, row)
    with pytest.raises(ClipError, match=r"no clips as movi_f has them .*EXAMPLE\.npz"):
        SET.find(tmp_path)


def test_the_export_refuses_what_is_no_example_and_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = example(known_world())
    del broken["instances"]["quaternions"]
    with pytest.raises(ClipError, match="no feature 'instances/quaternions'"):
        export_example(broken, tmp_path / "00000.npz")
    assert not list(tmp_path.iterdir())


def test_other_archives_are_no_examples(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", values=np.zeros(3))
    with pytest.raises(ClipError, match="no clips as movi_f has them"):
        SET.find(tmp_path)
