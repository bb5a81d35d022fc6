"""HyperSim's encoding, written from a known world that stands still and read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from neoverse_ns.errors import ClipError
from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.training.data.sets.registry import data_set
from tests.training.data.sets.known_world import FRAMES, HEIGHT, WIDTH, known_world, numbers, truncate

SET = data_set("hypersim")
METRES = 0.0254
NUMBERS = [0, 1, 2, 4, 5, 7]
"""Two pictures of the path were not published."""

NAMES = [f"M_proj_{row}{column}" for row in range(4) for column in range(4)]


def projection(shear: float = 0.0) -> np.ndarray:
    """From OpenGL's camera axes to its device coordinates."""
    K = known_world(askew=True).clip.cameras.K[0]
    left, top = K[0, 2] / K[0, 0], K[1, 2] / K[1, 1]
    right, bottom = (WIDTH - K[0, 2]) / K[0, 0], (HEIGHT - K[1, 2]) / K[1, 1]
    near, far = 1.0, 1000.0
    # glFrustum of the edges at distance 1: x to the right, y up.
    return np.array(
        [
            [2 / (right + left), shear, (right - left) / (right + left), 0],
            [0, 2 / (top + bottom), (top - bottom) / (top + bottom), 0],
            [0, 0, -(far + near) / (far - near), -2 * far * near / (far - near)],
            [0, 0, -1, 0],
        ],
        dtype=np.float64,
    )


def write(folder: Path, shear: float = 0.0) -> Path:
    scene = folder / "ai_003_007"
    clip = known_world(askew=True).clip
    pixels = pixel_centres(HEIGHT, WIDTH, torch.float64)
    K = clip.cameras.K[0]
    rays = torch.cat([(pixels - K[:2, 2]) / torch.stack([K[0, 0], K[1, 1]]), torch.ones(HEIGHT, WIDTH, 1)], dim=-1)
    for index, number in enumerate(NUMBERS):
        distance = rays.norm(dim=-1) * clip.depth[index]
        distance[clip.depth[index] > 30] = torch.nan
        save(scene, "final_hdf5", f"frame.{number:04d}.color", linear(index).astype(np.float16))
        save(scene, "geometry_hdf5", f"frame.{number:04d}.depth_meters", numbers(distance.float()))
    poses = np.zeros((NUMBERS[-1] + 1, 3, 3)), np.zeros((NUMBERS[-1] + 1, 3))
    for index, number in enumerate(NUMBERS):
        c2w = numbers(clip.cameras.c2w[index])
        poses[0][number] = c2w[:3, :3] @ np.diag([1, -1, -1])
        poses[1][number] = c2w[:3, 3] / METRES
    detail = scene / "_detail" / "cam_01"
    detail.mkdir(parents=True)
    (scene / "_detail" / "mesh").mkdir()
    for name, values in zip(("orientations", "positions"), poses, strict=True):
        with h5py.File(detail / f"camera_keyframe_{name}.hdf5", "w") as file:
            file["dataset"] = values
    (scene / "_detail" / "metadata_scene.csv").write_text(
        f"parameter_name,parameter_value\nmeters_per_asset_unit,{METRES}\n"
    )
    write_table(folder, shear)
    return scene


def write_table(folder: Path, shear: float = 0.0) -> None:
    rows = [("ai_001_001", projection(0.1)), ("ai_003_007", projection(shear))]
    lines = [",".join([name, "768.0", *(repr(float(value)) for value in P.flatten())]) for name, P in rows]
    header = ",".join(["scene_name", "settings_output_img_height", *NAMES])
    (folder / "metadata_camera_parameters.csv").write_text("\n".join([header, *lines]) + "\n")


def linear(index: int) -> np.ndarray:
    """Colours before tone mapping, of some exposure."""
    return 7.0 * (numbers(known_world(askew=True).clip.frames[index]) / 255.0) ** 2.2


def save(scene: Path, kind: str, name: str, values: np.ndarray) -> None:
    folder = scene / "images" / f"scene_cam_01_{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / f"{name}.hdf5", "w") as file:
        file["dataset"] = values


def test_a_path_reads_back(tmp_path: Path) -> None:
    write(tmp_path)
    (row,) = SET.find(tmp_path)
    assert (row.id, row.frames, row.width, row.height) == ("ai_003_007/cam_01", FRAMES, WIDTH, HEIGHT)
    assert row.static
    clip, world = SET.open(tmp_path, row), known_world(askew=True)
    assert clip.info.furthest == 4
    for index in range(FRAMES):
        frame = clip.frame(index)
        assert frame.c2w is not None
        assert frame.depth is not None
        torch.testing.assert_close(frame.K, world.K(index), rtol=0, atol=1e-4)
        torch.testing.assert_close(frame.c2w, world.c2w(index), rtol=0, atol=1e-6)
        true = torch.where(world.sky(index), 0, world.clip.depth[index])
        torch.testing.assert_close(frame.depth, true, rtol=1e-6, atol=0)
        # Whatever the exposure was, the 90th percentile of brightness comes to lie at 0.8; halves have 11 bits.
        colours = linear(index)
        brightness = np.percentile(0.3 * colours[..., 0] + 0.59 * colours[..., 1] + 0.11 * colours[..., 2], 90)
        shown = 255 * np.clip((colours / brightness) ** (1 / 2.2) * 0.8, 0, 1)
        assert np.abs(numbers(frame.rgb) - shown).max() < 0.6
        motion = clip.displacement(index, 0)
        assert motion is not None
        assert torch.equal(motion.valid, true > 0)
        assert (motion.world == 0).all()


def test_pixels_of_nothing_do_not_count_for_the_exposure(tmp_path: Path) -> None:
    scene = write(tmp_path)
    colours = linear(0)
    colours[:20] = 1000.0
    entities = np.ones((HEIGHT, WIDTH), np.int32)
    entities[:20] = -1
    save(scene, "final_hdf5", "frame.0000.color", colours.astype(np.float32))
    save(scene, "geometry_hdf5", "frame.0000.render_entity_id", entities)
    rgb = SET.open(tmp_path, SET.find(tmp_path)[0]).frame(0).rgb
    brightness = np.percentile(colours[20:] @ np.array([0.3, 0.59, 0.11]), 90)
    shown = 255 * np.clip((colours[20:] / brightness) ** (1 / 2.2) * 0.8, 0, 1)
    assert np.abs(numbers(rgb)[20:] - shown).max() < 0.6


def test_sheared_projections_are_left_out(tmp_path: Path) -> None:
    write(tmp_path)
    (row,) = SET.find(tmp_path)
    write_table(tmp_path, shear=0.01)
    with pytest.raises(ClipError, match=r"no clips as hypersim has them .* of scenes that are not sheared"):
        SET.find(tmp_path)
    with pytest.raises(ClipError, match="ai_003_007: its projection is sheared"):
        SET.open(tmp_path, row)


def test_damage_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    scene = write(tmp_path)
    (row,) = SET.find(tmp_path)
    clip = SET.open(tmp_path, row)
    truncate(scene / "images" / "scene_cam_01_final_hdf5" / "frame.0004.color.hdf5")
    with pytest.raises(ClipError, match=r"frame\.0004\.color\.hdf5: cannot be read"):
        clip.frame(3)
    save(scene, "geometry_hdf5", "frame.0005.depth_meters", np.zeros((3, 4), np.float32))
    with pytest.raises(ClipError, match=r"frame\.0005\.depth_meters\.hdf5.*3x4"):
        clip.frame(4)
    with pytest.raises(ClipError, match="holds 6 pictures, not 8"):
        SET.open(tmp_path, replace(row, frames=8))
    with h5py.File(scene / "_detail" / "cam_01" / "camera_keyframe_positions.hdf5", "w") as file:
        file["dataset"] = np.zeros((5, 3))
    with pytest.raises(ClipError, match="camera_keyframe_orientations"):
        SET.open(tmp_path, row)
    (tmp_path / "metadata_camera_parameters.csv").unlink()
    with pytest.raises(ClipError, match=r"metadata_camera_parameters\.csv: is missing; it lies in"):
        SET.find(tmp_path)


def test_a_path_with_fewer_poses_than_pictures_is_refused(tmp_path: Path) -> None:
    scene = write(tmp_path)
    (row,) = SET.find(tmp_path)
    for name, shape in (("positions", (5, 3)), ("orientations", (5, 3, 3))):
        with h5py.File(scene / "_detail" / "cam_01" / f"camera_keyframe_{name}.hdf5", "w") as file:
            file["dataset"] = np.zeros(shape)
    with pytest.raises(ClipError, match="has 5 poses, none of picture 5"):
        SET.open(tmp_path, row)
