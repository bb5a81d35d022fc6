"""Dynamic Replica's encoding, written from a known world and read back."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets import pytorch3d
from neoverse_ns.training.data.sets.registry import data_set
from tests.training.data.sets.known_tracks import KnownTracks, tracks_of
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

SET = data_set("dynamic_replica")
NAME = "f0a1b2-3_obj_source"


def write(folder: Path, world: KnownWorld, tracks: KnownTracks, format: str = "ndc_isotropic") -> Path:
    """A split of one sequence, with the annotations of both eyes in it."""
    split = folder / "valid"
    sequence = split / f"{NAME}_left"
    for name in ("images", "depths", "trajectories"):
        (sequence / name).mkdir(parents=True)
    for index in range(FRAMES):
        stem = f"{NAME}_left-{index:04d}"
        Image.fromarray(numbers(world.clip.frames[index])).save(sequence / "images" / f"{stem}.png")
        depth = numbers(world.clip.depth[index].masked_fill(world.sky(index), torch.inf)).astype(np.float16)
        Image.fromarray(depth.view(np.uint16)).save(sequence / "depths" / f"{stem}.geometric.png")
        write_tracks(sequence / "trajectories" / f"{index:06d}.pth", world, tracks, index)
    notes = [note(world, index, eye, format) for eye in ("right", "left") for index in reversed(range(FRAMES))]
    with gzip.open(split / "frame_annotations_valid.jgz", "wt", encoding="utf8") as file:
        json.dump(notes, file)
    return sequence


def write_tracks(path: Path, world: KnownWorld, tracks: KnownTracks, index: int, **changed: Any) -> None:
    written = {
        "traj_2d": torch.cat([tracks.uv[index], tracks.z[index][:, None]], dim=1).float(),
        "traj_3d_world": tracks.places[index].float(),
        "verts_inds_vis": tracks.visible[index],
        "instances": numbers(world.clip.things[index]),
        "img": world.clip.frames[index],
        **changed,
    }
    torch.save(written, path)


def note(world: KnownWorld, index: int, eye: str, format: str) -> dict[str, Any]:
    """PyTorch3D: X R + T, axes to the left, up and forward; the principal point to the left and up."""
    w2c, K = world.clip.cameras.viewmats[index], world.K(index)
    flip = torch.tensor([-1.0, -1.0, 1.0], dtype=torch.float64)
    unit = torch.tensor([HEIGHT, HEIGHT] if format == "ndc_isotropic" else [WIDTH, HEIGHT], dtype=torch.float64) / 2
    shift = 0.0 if eye == "left" else 1.0
    stem = f"{NAME}_{eye}-{index:04d}"
    return {
        "sequence_name": NAME,
        "frame_number": index,
        "frame_timestamp": index / 30,
        "image": {"path": f"{NAME}_{eye}/images/{stem}.png", "size": [HEIGHT, WIDTH]},
        "depth": {"path": f"{NAME}_{eye}/depths/{stem}.geometric.png", "scale_adjustment": 1.0},
        "mask": None,
        "viewpoint": {
            "R": (flip[:, None] * w2c[:3, :3]).T.tolist(),
            "T": (flip * w2c[:3, 3] + shift).tolist(),
            "focal_length": (K.diagonal()[:2] / unit).tolist(),
            "principal_point": ((torch.tensor([WIDTH, HEIGHT]) / 2 - K[:2, 2]) / unit).tolist(),
            "intrinsics_format": format,
        },
        "camera_name": eye,
        "trajectories": {"path": f"{NAME}_{eye}/trajectories/{index:06d}.pth"} if eye == "left" else None,
    }


@pytest.mark.parametrize("format", ["ndc_isotropic", "ndc_norm_image_bounds"])
def test_a_sequence_reads_back(tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Less than a note at once.
    monkeypatch.setattr(pytorch3d, "_CHUNK", 100)
    world = known_world(askew=True)
    write(tmp_path, world, tracks_of(world, step=4), format)
    (row,) = SET.find(tmp_path)
    assert (row.id, row.split, row.frames, row.width, row.height) == (
        f"valid/{NAME}_left",
        "val",
        FRAMES,
        WIDTH,
        HEIGHT,
    )
    clip = SET.open(tmp_path, row)
    assert clip.info.furthest == 16
    assert clip.info.has == {"pose", "depth", "motion"}
    # Halves have 11 bits.
    check_frames(clip, world, depth=2.0**-11, sky=False)


def test_tracks_give_motion_over_any_gap(tmp_path: Path) -> None:
    world = known_world(askew=True)
    write(tmp_path, world, tracks_of(world))
    clip = SET.open(tmp_path, SET.find(tmp_path)[0])
    check_motion(clip, world, distance=0.02, share=0.5, sure=0.98)


def test_tracks_of_another_world_are_lifted_from_their_image_coordinates(tmp_path: Path) -> None:
    world = known_world(askew=True)
    tracks = tracks_of(world)
    write(tmp_path, world, replace(tracks, places=tracks.places[..., [0, 2, 1]]))
    clip = SET.open(tmp_path, SET.find(tmp_path)[0])
    check_motion(clip, world, distance=0.02, share=0.5, sure=0.98)


def test_numbers_of_visible_tracks_are_as_good_as_a_mask(tmp_path: Path) -> None:
    world = known_world(askew=True)
    tracks = tracks_of(world)
    sequence = write(tmp_path, world, tracks)
    clip = SET.open(tmp_path, SET.find(tmp_path)[0])
    expected = clip.displacement(1, 2)
    seen = tracks.visible[1].nonzero()[:, 0]
    write_tracks(sequence / "trajectories" / "000001.pth", world, tracks, 1, verts_inds_vis=seen)
    found = clip.displacement(1, 2)
    assert expected is not None
    assert found is not None
    assert torch.equal(found.valid, expected.valid)


def test_notes_without_paths_name_the_layouts_files(tmp_path: Path) -> None:
    world = known_world(askew=True)
    write(tmp_path, world, tracks_of(world, step=4))
    notes = [note(world, index, "left", "ndc_isotropic") for index in range(FRAMES)]
    kept = ("sequence_name", "frame_number", "viewpoint", "camera_name")
    (tmp_path / "valid" / "frame_annotations_valid.jgz").unlink()
    # Beside the split's folder this time.
    with gzip.open(tmp_path / "frame_annotations_valid.jgz", "wt", encoding="utf8") as file:
        json.dump([{name: each[name] for name in kept} for each in notes], file)
    (row,) = SET.find(tmp_path)
    check_frames(SET.open(tmp_path, row), world, depth=2.0**-11, sky=False)
    assert "motion" in row.has


def test_damage_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    world = known_world(askew=True)
    sequence = write(tmp_path, world, tracks_of(world, step=4))
    (row,) = SET.find(tmp_path)
    clip = SET.open(tmp_path, row)
    truncate(sequence / "depths" / f"{NAME}_left-0001.geometric.png")
    Image.new("L", (WIDTH, HEIGHT)).save(sequence / "depths" / f"{NAME}_left-0002.geometric.png")
    Image.new("RGB", (WIDTH, HEIGHT + 1)).save(sequence / "images" / f"{NAME}_left-0003.png")
    truncate(sequence / "trajectories" / "000004.pth")
    write_tracks(sequence / "trajectories" / "000005.pth", world, tracks_of(world, step=3), 5)
    for index, told in ((1, "0001.geometric.png"), (2, "0002.geometric.png"), (3, "picture is 64x49, its depth 64x48")):
        with pytest.raises(ClipError, match=told):
            clip.frame(index)
    for other, told in ((4, r"000004\.pth: holds no tracks"), (5, r"frame 0: has \d+ tracks, but frame 5 has")):
        with pytest.raises(ClipError, match=told):
            clip.displacement(0, other)
    with pytest.raises(ClipError, match="has 6 frames of"):
        SET.open(tmp_path, replace(row, frames=9))
    truncate(tmp_path / "valid" / "frame_annotations_valid.jgz")
    with pytest.raises(ClipError, match=r"frame_annotations_valid\.jgz: is damaged"):
        SET.open(tmp_path, row)
    (tmp_path / "valid" / "frame_annotations_valid.jgz").unlink()
    with pytest.raises(ClipError, match="no clips as dynamic_replica has them"):
        SET.find(tmp_path)
