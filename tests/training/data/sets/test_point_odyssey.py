"""PointOdyssey's encoding, written from a known world and read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets.registry import data_set
from tests.training.data.sets.known_tracks import tracks_of
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

SET = data_set("point_odyssey")


def write(folder: Path, world: KnownWorld, step: int = 1, compressed: bool = False, **changed: np.ndarray) -> Path:
    """A sequence whose tracks begin at every `step`-th pixel of every frame."""
    sequence = folder / "val" / "yard"
    for name in ("rgbs", "depths"):
        (sequence / name).mkdir(parents=True)
    for index in range(FRAMES):
        rgb = Image.fromarray(numbers(world.clip.frames[index]))
        rgb.save(sequence / "rgbs" / f"rgb_{index:05d}.jpg", quality=100, subsampling=0)
        depth = np.rint(numbers(world.clip.depth[index]) / 1000 * 65535).astype(np.uint16)
        depth[numbers(world.sky(index))] = 65535
        Image.fromarray(depth).save(sequence / "depths" / f"depth_{index:05d}.png")
    arrays = {
        "intrinsics": numbers(world.clip.cameras.K),
        "extrinsics": numbers(world.clip.cameras.viewmats),
        **tracks(world, step),
        **changed,
    }
    (np.savez_compressed if compressed else np.savez)(sequence / "anno.npz", **arrays)  # pyright: ignore
    return sequence


def tracks(world: KnownWorld, step: int) -> dict[str, np.ndarray]:
    known = tracks_of(world, step)
    valid = torch.ones_like(known.visible)
    # A quarter of the tracks of one frame is not annotated there.
    valid[2, ::4] = False
    places = known.places.clone()
    places[2, ::4] = torch.nan
    return {
        "trajs_3d": numbers(places.float()),
        "trajs_2d": numbers(known.uv.float()),
        "visibs": numbers(known.visible),
        "valids": numbers(valid),
    }


def test_a_sequence_reads_back(tmp_path: Path) -> None:
    write(tmp_path, known_world(askew=True))
    (row,) = SET.find(tmp_path)
    assert (row.id, row.split, row.frames, row.width, row.height) == ("val/yard", "val", FRAMES, WIDTH, HEIGHT)
    clip = SET.open(tmp_path, row)
    assert clip.info.render_weight == 0
    assert clip.info.furthest == 4
    # Steps are of 15 mm, which is a half of 0.4 % of the nearest.
    check_frames(clip, known_world(askew=True), depth=0.004, rgb=1.0, sky=False)


@pytest.mark.parametrize("compressed", [False, True])
def test_tracks_give_motion_over_any_gap(tmp_path: Path, compressed: bool) -> None:
    world = known_world(askew=True)
    write(tmp_path, world, compressed=compressed)
    clip = SET.open(tmp_path, SET.find(tmp_path)[0])
    # A track stands at a pixel's centre in the frame it begins in, and up to half a pixel beside it in others, where it
    # may see something else at a border.
    check_motion(clip, world, distance=0.02, share=0.5, sure=0.98)


def test_tracks_of_another_world_are_lifted_from_their_image_coordinates(tmp_path: Path) -> None:
    world = known_world(askew=True)
    wrong = tracks(world, 1)["trajs_3d"][..., [0, 2, 1]]
    write(tmp_path, world, trajs_3d=wrong)
    clip = SET.open(tmp_path, SET.find(tmp_path)[0])
    # Depth of 15 mm steps, read at the pixel's centre where the ground is too slanted to be interpolated.
    check_motion(clip, world, distance=0.05, share=0.4, sure=0.6)


def test_tracks_that_disagree_with_the_depth_are_left_out(tmp_path: Path) -> None:
    world = known_world(askew=True)
    written = tracks(world, 1)
    eye = numbers(world.clip.cameras.c2w[:, None, :3, 3])
    # Half as far from the eye they project to the same place.
    places = eye + 0.5 * (written["trajs_3d"] - eye)
    write(tmp_path, world, trajs_3d=places.astype(np.float32))
    motion = SET.open(tmp_path, SET.find(tmp_path)[0]).displacement(0, 1)
    assert motion is not None
    assert not motion.valid.any()


def test_sequences_without_tracks_are_left_out(tmp_path: Path) -> None:
    world = known_world(askew=True)
    few = {name: array[:, :32] for name, array in tracks(world, 1).items()}
    write(tmp_path, world, **few)
    with pytest.raises(ClipError, match="no clips as point_odyssey has them"):
        SET.find(tmp_path)


def test_damage_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    sequence = write(tmp_path, known_world(askew=True), step=4)
    (row,) = SET.find(tmp_path)
    truncate(sequence / "depths" / "depth_00002.png")
    (sequence / "rgbs" / "rgb_00003.jpg").unlink()
    clip = SET.open(tmp_path, row)
    clip.frame(1)
    for index, name in ((2, "depth_00002.png"), (3, "rgb_00003.jpg")):
        with pytest.raises(ClipError, match=name):
            clip.frame(index)
    with pytest.raises(ClipError, match="frames 0 to 5"):
        clip.frame(6)
    with pytest.raises(ClipError, match="'intrinsics' is of 6 frames, but there are 7 pictures"):
        SET.open(tmp_path, replace(row, frames=7))
    truncate(sequence / "anno.npz")
    (row,) = SET.find(tmp_path)
    with pytest.raises(ClipError, match=r"anno\.npz"):
        SET.open(tmp_path, row)
    (sequence / "anno.npz").unlink()
    with pytest.raises(ClipError, match=r"anno\.npz: is missing"):
        SET.open(tmp_path, row)
