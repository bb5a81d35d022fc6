"""RGB-D recordings as 7-Scenes, TUM and ScanNet lay them out, written from a known world and read back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from scipy.spatial.transform import Rotation

from neoverse_ns.datafiles.rgbd_layouts import read_sequence
from neoverse_ns.datafiles.tum_lists import associate
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.check.report import check_data
from neoverse_ns.training.data.sets.registry import data_set
from neoverse_ns.training.data.truth import TruthClip
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


def opened(folder: Path) -> TruthClip:
    layout = data_set("rgbd_png")
    (row,) = layout.find(folder)
    return layout.open(folder, row)


def save_picture(path: Path, world: KnownWorld, frame: int, quality: int = 98) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(numbers(world.clip.frames[frame]))
    if path.suffix == ".jpg":
        picture.save(path, quality=quality, subsampling=0)
    else:
        picture.save(path)


def save_depth(path: Path, world: KnownWorld, frame: int, units: float, unknown: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = (numbers(world.clip.depth[frame]) * units).round()
    values[numbers(world.sky(frame))] = unknown
    cv2.imwrite(str(path), values.astype(np.uint16))


def save_matrix(path: Path, matrix: torch.Tensor) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join("\t ".join(f"{value:.9e}" for value in row) + "\t " for row in matrix.tolist()) + "\n")


def write_seven_scenes(folder: Path, world: KnownWorld) -> Path:
    clip = folder / "chess" / "seq-03"
    for i in range(FRAMES):
        save_picture(clip / f"frame-{i:06d}.color.png", world, i)
        save_depth(clip / f"frame-{i:06d}.depth.png", world, i, 1000, unknown=65535)
        save_matrix(clip / f"frame-{i:06d}.pose.txt", world.c2w(i))
    save_matrix(folder / "chess" / "camera-intrinsics.txt", world.K(0))
    return clip


def write_tum(folder: Path, world: KnownWorld, name: str = "rgbd_dataset_freiburg2_desk") -> Path:
    """Depth pictures lag behind colour by 7 ms, poses come at 100 Hz; a picture too many has neither."""
    clip = folder / name
    start = 1305031102.1
    colour, depth, poses = ["# color images"], ["# depth maps"], ["# ground truth trajectory", "# timestamp tx ty tz"]
    for i in range(FRAMES):
        time = start + i / 30
        save_picture(clip / f"rgb/{time:.6f}.png", world, i)
        save_depth(clip / f"depth/{time + 0.007:.6f}.png", world, i, 5000, unknown=0)
        colour.append(f"{time:.6f} rgb/{time:.6f}.png")
        depth.append(f"{time + 0.007:.6f} depth/{time + 0.007:.6f}.png")
        pose = numbers(world.c2w(i))
        for offset in (-0.01, 0.002, 0.01):
            # Only the nearest pose is that of the picture.
            place = pose[:3, 3] + (0 if offset == 0.002 else 1)
            values = [*place, *Rotation.from_matrix(pose[:3, :3]).as_quat()]
            poses.append(f"{time + offset:.4f} " + " ".join(f"{value:.9f}" for value in values))
    colour.append(f"{start + 9:.6f} rgb/missing.png")
    for file, lines in (("rgb", colour), ("depth", depth), ("groundtruth", poses)):
        (clip / f"{file}.txt").write_text("\n".join(lines) + "\n")
    K = world.K(0)
    (clip / "intrinsics.txt").write_text(f"{K[0, 0]:.6f} {K[1, 1]:.6f} {K[0, 2]:.6f} {K[1, 2]:.6f}\n")
    return clip


def write_scan_net(folder: Path, world: KnownWorld) -> Path:
    clip = folder / "scans" / "scene0000_00"
    for i in range(FRAMES):
        # Not padded: 10 comes after 9 by number, not by name.
        save_picture(clip / f"color/{i + 7}.jpg", world, i)
        save_depth(clip / f"depth/{i + 7}.png", world, i, 1000, unknown=0)
        save_matrix(clip / f"pose/{i + 7}.txt", world.c2w(i))
    K = torch.eye(4, dtype=torch.float64)
    K[:3, :3] = world.K(0)
    save_matrix(clip / "intrinsic/intrinsic_color.txt", K)
    save_matrix(clip / "intrinsic/intrinsic_depth.txt", K)
    return clip


def test_seven_scenes_reads_back(tmp_path: Path) -> None:
    write_seven_scenes(tmp_path, known_world())
    (tmp_path / "chess" / "TestSplit.txt").write_text("sequence3\nsequence5\n")
    (row,) = data_set("rgbd_png").find(tmp_path)
    assert (row.id, row.frames, row.fps, row.split) == ("chess/seq-03", FRAMES, 30.0, "val")
    clip = opened(tmp_path)
    assert clip.info.static
    check_frames(clip, known_world(), depth=5e-4, sky=False)


def test_tum_reads_back(tmp_path: Path) -> None:
    write_tum(tmp_path, known_world())
    (row,) = data_set("rgbd_png").find(tmp_path)
    assert row.fps == pytest.approx(30, rel=1e-3)
    check_frames(opened(tmp_path), known_world(), depth=1e-4, sky=False)


def test_scan_net_reads_back(tmp_path: Path) -> None:
    write_scan_net(tmp_path, known_world())
    check_frames(opened(tmp_path), known_world(), depth=5e-4, rgb=4.0, sky=False)


def test_motion_of_a_static_recording_is_zero_where_depth_is(tmp_path: Path) -> None:
    write_scan_net(tmp_path, known_world())
    clip = opened(tmp_path)
    for index, other in ((0, 1), (3, 1)):
        motion = clip.displacement(index, other)
        assert motion is not None
        assert not motion.world.any()
        assert torch.equal(motion.valid, ~known_world().sky(index))


@pytest.mark.parametrize(
    ("name", "static"),
    [
        ("rgbd_dataset_freiburg3_walking_xyz", False),
        ("rgbd_dataset_freiburg2_desk_with_person", False),
        ("rgbd_bonn_balloon", False),
        ("rgbd_bonn_static", True),
        ("rgbd_dataset_freiburg1_room", True),
    ],
)
def test_recordings_with_people_are_not_static(tmp_path: Path, name: str, static: bool) -> None:
    (tmp_path / "data").mkdir()
    write_tum(tmp_path / "data", known_world(), name)
    clip = opened(tmp_path)
    assert clip.info.static is static
    assert ("nothing moves" in data_set("rgbd_png").remarks(clip)[1]) is static
    assert (clip.displacement(0, 1) is not None) is static


def test_without_a_file_lenses_are_the_published_ones(tmp_path: Path) -> None:
    (write_tum(tmp_path, known_world()) / "intrinsics.txt").unlink()
    write_seven_scenes(tmp_path, known_world())
    (tmp_path / "chess" / "camera-intrinsics.txt").unlink()
    layout = data_set("rgbd_png")
    K = {row.id: layout.open(tmp_path, row).frame(0).K for row in layout.find(tmp_path)}
    tenth = torch.tensor([[52.5, 0, 32.0], [0, 52.5, 24.0], [0, 0, 1]], dtype=torch.float64)
    torch.testing.assert_close(K["rgbd_dataset_freiburg2_desk"], tenth)
    said = {row.id: layout.remarks(layout.open(tmp_path, row)) for row in layout.find(tmp_path)}
    assert "the camera's driver" in said["rgbd_dataset_freiburg2_desk"][0]
    assert "the set's depth camera" in said["chess/seq-03"][0]
    kinect = torch.tensor([[58.5, 0, 32.0], [0, 58.5, 24.0], [0, 0, 1]], dtype=torch.float64)
    torch.testing.assert_close(K["chess/seq-03"], kinect)


def test_depth_that_was_registered_to_colour_is_taken_with_its_lens(tmp_path: Path) -> None:
    world = known_world()
    clip = write_seven_scenes(tmp_path, world)
    (tmp_path / "chess" / "camera-intrinsics.txt").unlink()
    for i in range(FRAMES):
        save_depth(clip / f"frame-{i:06d}.depth.proj.png", world, FRAMES - 1 - i, 1000, unknown=0)
    frame = opened(tmp_path).frame(0)
    assert frame.depth is not None
    true = torch.where(world.sky(FRAMES - 1), 0, world.clip.depth[FRAMES - 1])
    torch.testing.assert_close(frame.depth, true, rtol=0, atol=6e-4)
    assert frame.K.tolist() == [[52.5, 0, 32], [0, 52.5, 24], [0, 0, 1]]


def test_depth_of_another_size_and_lens_is_looked_up_by_ray(tmp_path: Path) -> None:
    """Colour of twice the size, and off its middle, gets at every pixel the depth that the same ray meets."""
    world = known_world()
    clip = write_scan_net(tmp_path, world)
    for i in range(FRAMES):
        picture = Image.fromarray(numbers(world.clip.frames[i])).resize(
            (2 * WIDTH, 2 * HEIGHT), Image.Resampling.NEAREST
        )
        cut = picture.crop((10, 4, 2 * WIDTH, 2 * HEIGHT))
        cut.save(clip / f"color/{i + 7}.jpg", quality=98)
    K = torch.eye(4, dtype=torch.float64)
    K[:2, :3] = 2 * world.K(0)[:2]
    K[0, 2] -= 10
    K[1, 2] -= 4
    save_matrix(clip / "intrinsic/intrinsic_color.txt", K)
    frame = opened(tmp_path).frame(2)
    assert frame.depth is not None
    torch.testing.assert_close(frame.K, K[:3, :3])
    rows, columns = torch.meshgrid(torch.arange(4, 2 * HEIGHT) // 2, torch.arange(10, 2 * WIDTH) // 2, indexing="ij")
    true = torch.where(world.sky(2), 0, world.clip.depth[2])[rows, columns]
    torch.testing.assert_close(frame.depth, true, rtol=5e-4, atol=5e-4)


def test_a_frame_whose_pose_was_lost_has_none(tmp_path: Path) -> None:
    """As ScanNet writes it."""
    clip = write_scan_net(tmp_path, known_world())
    (clip / "pose/9.txt").write_text("\n".join(["-inf -inf -inf -inf"] * 4))
    recording = opened(tmp_path)
    assert recording.frame(2).c2w is None
    assert recording.frame(2).depth is not None
    assert recording.frame(3).c2w is not None


def test_association_takes_the_nearest_pairs_first() -> None:
    first, second = np.array([0.0, 1.0, 1.015, 5.0]), np.array([1.012, 0.019, 3.0])
    assert associate(first, second) == {0: 1, 2: 0}
    # Written out: all pairs by distance.
    generator = np.random.default_rng(0)
    first, second = generator.random(40), generator.random(60)
    pairs = sorted((abs(a - b), i, j) for i, a in enumerate(first) for j, b in enumerate(second) if abs(a - b) <= 0.02)
    expected: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in expected and j not in expected.values():
            expected[i] = j
    assert associate(first, second) == expected


def test_a_look_at_the_data_tells_where_its_lenses_are_from(tmp_path: Path) -> None:
    write_seven_scenes(tmp_path, known_world())
    (tmp_path / "chess" / "camera-intrinsics.txt").unlink()
    report = check_data(data_set("rgbd_png"), tmp_path, samples=2)
    said = [note for note in report.notes if "lens" in note]
    assert len(said) == 1
    assert said[0].startswith("chess/seq-03: its lens is from the set's depth camera")


def test_damage_is_told_with_the_file(tmp_path: Path) -> None:
    scan_net, tum = write_scan_net(tmp_path / "a", known_world()), write_tum(tmp_path / "b", known_world())
    clip = opened(tmp_path / "a")
    truncate(scan_net / "depth/8.png")
    with pytest.raises(ClipError, match=r"8\.png"):
        clip.frame(1)
    (scan_net / "pose/9.txt").write_text("\n".join(["1 0 0 nan", "0 1 0 0", "0 0 1 0", "0 0 0 1"]))
    with pytest.raises(ClipError, match=r"9\.txt: the pose is not finite"):
        clip.frame(2)
    (scan_net / "intrinsic/intrinsic_color.txt").write_text("1 2 3")
    with pytest.raises(ClipError, match=r"intrinsic_color\.txt"):
        read_sequence(scan_net)
    save_matrix(scan_net / "intrinsic/intrinsic_color.txt", 20 * torch.ones(4, 4))
    save_matrix(scan_net / "intrinsic/intrinsic_depth.txt", 200 * torch.ones(4, 4))
    with pytest.raises(ClipError, match="another size"):
        read_sequence(scan_net)
    (scan_net / "pose/12.txt").unlink()
    with pytest.raises(ClipError, match="frame 12 lacks"):
        read_sequence(scan_net)
    (tum / "rgb.txt").write_text("1.0 ../../outside.png\n")
    with pytest.raises(ClipError, match=r"rgb\.txt"):
        read_sequence(tum)
    (tum / "rgb.txt").write_text("1.0 rgb/one.png\n")
    with pytest.raises(ClipError, match="within"):
        read_sequence(tum)
    # A folder with a damaged recording is still listed; opening says what is wrong.
    (row,) = data_set("rgbd_png").find(tmp_path / "b")
    assert row.frames == 0
