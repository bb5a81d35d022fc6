"""Spring's encoding, written from a known world and read back."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from neoverse_ns.errors import ClipError, PackageError
from neoverse_ns.training.data.sets.registry import data_set
from tests.training.data.sets.known_world import (
    FRAMES,
    HEIGHT,
    WIDTH,
    KnownWorld,
    check_frames,
    check_motion,
    known_world,
    numbers,
    truncate,
)

SET = data_set("spring")
BASELINE = 0.065


def write(folder: Path, world: KnownWorld) -> Path:
    scene = folder / "train" / "0004"
    for index in range(FRAMES):
        picture = scene / "frame_left" / f"frame_left_{index + 1:04d}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(numbers(world.clip.frames[index])).save(picture)
        disparity = world.K(index)[0, 0] * BASELINE / world.clip.depth[index].double()
        save(scene, "disp1_left", "dsp5", "disparity", index, torch.where(world.sky(index), 0, disparity))
        for way, other in (("FW", index + 1), ("BW", index - 1)):
            if 0 <= other < FRAMES:
                flow, z = world.flow(index, other)
                then = torch.where(world.sky(index), 0, world.K(other)[0, 0] * BASELINE / z)
                save(scene, f"flow_{way}_left", "flo5", "flow", index, flow)
                save(scene, f"disp2_{way}_left", "dsp5", "disparity", index, then)
    lenses = [f"{K[0, 0]} {K[1, 1]} {K[0, 2]} {K[1, 2]}" for K in world.clip.cameras.K]
    poses = [" ".join(map(repr, w2c.flatten().tolist())) for w2c in world.clip.cameras.viewmats]
    (scene / "cam_data").mkdir()
    (scene / "cam_data" / "intrinsics.txt").write_text("\n".join(lenses) + "\n")
    (scene / "cam_data" / "extrinsics.txt").write_text("\n".join(poses) + "\n")
    return scene


def save(scene: Path, name: str, suffix: str, key: str, index: int, values: Tensor) -> None:
    """Twice as densely as the pictures; what lies between is not to be used."""
    dense = np.full((2 * HEIGHT, 2 * WIDTH, *values.shape[2:]), np.nan, np.float32)
    dense[::2, ::2] = numbers(values)
    (scene / name).mkdir(exist_ok=True)
    with h5py.File(scene / name / f"{name}_{index + 1:04d}.{suffix}", "w") as file:
        file.create_dataset(key, data=dense, compression="gzip")


def test_a_scene_reads_back(tmp_path: Path) -> None:
    write(tmp_path, known_world(askew=True))
    (tmp_path / "test" / "0003" / "frame_left").mkdir(parents=True)
    (row,) = SET.find(tmp_path)
    assert (row.id, row.split, row.frames, row.width, row.height) == ("train/0004", "train", FRAMES, WIDTH, HEIGHT)
    clip = SET.open(tmp_path, row)
    assert clip.info.furthest == 16
    check_frames(clip, known_world(askew=True), depth=1e-6, sky=False)


def test_scene_flow_gives_motion_to_the_next_frames_exactly(tmp_path: Path) -> None:
    world = known_world(askew=True)
    write(tmp_path, world)
    clip = SET.open(tmp_path, SET.find(tmp_path)[0])
    for index, other in ((0, 1), (3, 2)):
        motion = clip.displacement(index, other)
        assert motion is not None
        # Hidden by then or not, but not the sky.
        assert torch.equal(motion.valid, ~world.sky(index))
        error = (motion.world.double() - world.displacement(index, other)).norm(dim=-1)
        assert error[motion.valid].max() < 1e-4


def test_scene_flow_is_chained_over_gaps(tmp_path: Path) -> None:
    write(tmp_path, known_world(askew=True))
    clip = SET.open(tmp_path, SET.find(tmp_path)[0])
    # Between the pixels of a frame on the way a neighbour's motion is taken.
    check_motion(clip, known_world(askew=True), distance=0.02, share=0.5, sure=0.98)


def test_damage_is_told_with_the_name_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = write(tmp_path, known_world(askew=True))
    (row,) = SET.find(tmp_path)
    clip = SET.open(tmp_path, row)
    truncate(scene / "disp1_left" / "disp1_left_0002.dsp5")
    truncate(scene / "frame_left" / "frame_left_0001.png")
    (scene / "flow_FW_left" / "flow_FW_left_0003.flo5").unlink()
    with h5py.File(scene / "disp1_left" / "disp1_left_0005.dsp5", "w") as file:
        file.create_dataset("depth", data=np.zeros((4, 4)))
    with pytest.raises(ClipError, match=r"frame_left_0001\.png"):
        clip.frame(0)
    with pytest.raises(ClipError, match=r"disp1_left_0002\.dsp5: cannot be read"):
        clip.frame(1)
    with pytest.raises(ClipError, match=r"flow_FW_left_0003\.flo5: is missing"):
        clip.displacement(2, 3)
    with pytest.raises(ClipError, match=r"disp1_left_0005\.dsp5: has no array 'disparity', but depth"):
        clip.frame(4)
    lenses = scene / "cam_data" / "intrinsics.txt"
    lenses.write_text("".join(lenses.read_text().splitlines(True)[:-1]))
    with pytest.raises(ClipError, match=r"intrinsics\.txt: is of 5 frames, but there are 6 pictures"):
        SET.open(tmp_path, row)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(PackageError, match="pip install"):
        clip.frame(3)
