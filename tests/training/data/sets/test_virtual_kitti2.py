"""Virtual KITTI 2's encoding, written from a known world and read back."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets.registry import data_set
from neoverse_ns.training.data.sets.virtual_kitti2 import VirtualKittiClip
from neoverse_ns.training.data.sets.virtual_kitti2_flow import (
    judge_scene_flow,
    pose_disagreement,
    read_flow,
    read_scene_flow,
)
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

CLIP = "Scene01/15-deg-left"
TRACK_IDS = {1: 4, 2: 0, 3: 7}
POSE_HEADER = "frame cameraID trackID alpha width height length " + " ".join(
    f"{axes}_space_X {axes}_space_Y {axes}_space_Z " + " ".join(f"rotation_{axes}_space_{axis}" for axis in "yxz")
    for axes in ("world", "camera")
)


def angles(R: Tensor) -> tuple[float, float, float]:
    """y, x and z of R = R_y R_x R_z, written out by hand."""
    return (
        math.atan2(float(R[0, 2]), float(R[2, 2])),
        math.asin(-float(R[1, 2])),
        math.atan2(float(R[1, 0]), float(R[1, 1])),
    )


def write(folder: Path, world: KnownWorld) -> Path:
    clip = folder / CLIP
    for kind in ("rgb", "depth", "instanceSegmentation"):
        (clip / "frames" / kind / "Camera_0").mkdir(parents=True)
    for i in range(FRAMES):
        frames = clip / "frames"
        picture = Image.fromarray(numbers(world.clip.frames[i]))
        picture.save(frames / f"rgb/Camera_0/rgb_{i:05d}.jpg", quality=98, subsampling=0)
        steps = (numbers(world.clip.depth[i]) * 100).round()
        steps[numbers(world.sky(i))] = 65535
        cv2.imwrite(str(frames / f"depth/Camera_0/depth_{i:05d}.png"), steps.astype(np.uint16))
        instances = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
        for thing, number in TRACK_IDS.items():
            instances[numbers(world.clip.things[i]) == thing] = number + 1
        indexed = Image.fromarray(instances, mode="P")
        indexed.putpalette([(37 * value) % 256 for value in range(768)])
        indexed.save(frames / f"instanceSegmentation/Camera_0/instancegt_{i:05d}.png")
    write_text(clip, world)
    return clip


def write_text(clip: Path, world: KnownWorld) -> None:
    extrinsic = ["frame cameraID r1,1 r1,2 r1,3 t1 r2,1 r2,2 r2,3 t2 r3,1 r3,2 r3,3 t3 0 0 0 1"]
    intrinsic = ["frame cameraID K[0,0] K[1,1] K[0,2] K[1,2]"]
    pose = [POSE_HEADER]
    for i in range(FRAMES):
        w2c = torch.linalg.inv(world.c2w(i))
        K = world.K(i)
        for camera in (0, 1):
            moved = w2c.clone()
            moved[0, 3] -= 0.532725 * camera
            extrinsic.append(f"{i} {camera} " + " ".join(f"{value:.10f}" for value in moved.flatten().tolist()))
            # Of 1242x375 pixels the set has 620.5, 187: its pixel centres lie at whole numbers.
            intrinsic.append(f"{i} {camera} {K[0, 0]:.6f} {K[1, 1]:.6f} {K[0, 2] - 0.5:.6f} {K[1, 2] - 0.5:.6f}")
            for thing in range(1, THINGS + 1):
                placed = world.pose(thing, i)
                values = [*placed[:3, 3].tolist(), *angles(placed[:3, :3])]
                seen = moved @ placed
                values += [*seen[:3, 3].tolist(), *angles(seen[:3, :3])]
                text = " ".join(f"{value + 9 * camera:.10f}" for value in values)
                pose.append(f"{i} {camera} {TRACK_IDS[thing]} 0 1 1 1 {text}")
    for name, lines in (("extrinsic", extrinsic), ("intrinsic", intrinsic), ("pose", pose)):
        (clip / f"{name}.txt").write_text("\n".join(lines) + "\n")


def opened(folder: Path) -> VirtualKittiClip:
    layout = data_set("virtual_kitti2")
    (row,) = layout.find(folder)
    return cast(VirtualKittiClip, layout.open(folder, row))


def write_rgb16(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.ascontiguousarray(values.round().astype(np.uint16)[..., ::-1]))


def test_a_written_clip_reads_back(tmp_path: Path) -> None:
    world = known_world()
    write(tmp_path, world)
    layout = data_set("virtual_kitti2")
    (row,) = layout.find(tmp_path)
    assert (row.id, row.frames, row.fps, row.width, row.height) == (CLIP, FRAMES, 10.0, WIDTH, HEIGHT)
    assert row.has == {"pose", "depth", "motion"}
    assert not row.static
    clip = layout.open(tmp_path, row)
    assert (clip.info.render_weight, clip.info.furthest) == (0.0, 5)
    check_frames(clip, world, depth=0.005, rgb=4.0, sky=False)
    check_motion(clip, world, distance=8e-3, share=0.6)


def test_vehicles_without_a_pose_have_no_motion(tmp_path: Path) -> None:
    world = known_world()
    clip = write(tmp_path, world)
    lines = (clip / "pose.txt").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(f"2 0 {TRACK_IDS[2]} ")]
    assert len(kept) == len(lines) - 1
    (clip / "pose.txt").write_text("\n".join(kept))
    motion = opened(tmp_path).displacement(1, 2)
    assert motion is not None
    things = world.clip.things[1]
    assert not motion.valid[things == 2].any()
    assert motion.valid[things == 1].all()


def test_without_poses_of_vehicles_motion_is_unknown(tmp_path: Path) -> None:
    (write(tmp_path, known_world()) / "pose.txt").unlink()
    clip = opened(tmp_path)
    assert clip.info.has == {"pose", "depth"}
    assert clip.displacement(0, 1) is None


def test_optical_flow_is_where_poses_lead(tmp_path: Path) -> None:
    """The set's own flow png agrees with the loader's motion, seen by its cameras."""
    world = known_world()
    write(tmp_path, world)
    flow, _ = world.flow(0, 1)
    most = torch.tensor([WIDTH - 1.0, HEIGHT - 1.0])
    values = np.full((HEIGHT, WIDTH, 3), 65535.0)
    values[..., :2] = numbers((flow / most + 1) / 2 * 65535)
    values[:3, :, 2] = 0
    path = tmp_path / "flow_00000.png"
    write_rgb16(path, values)
    read, known = read_flow(path)
    assert not known[:3].any()
    assert known[3:].all()
    torch.testing.assert_close(read.double(), flow, rtol=0, atol=2e-3)
    clip = opened(tmp_path)
    motion, view, later = clip.displacement(0, 1), clip.view(0), clip.view(1)
    assert motion is not None
    there, _ = later.project(view.points + motion.world.double())
    here, _ = view.project(view.points)
    usable = known & motion.valid
    assert ((there - here) - read.double())[usable].norm(dim=-1).median() < 0.05


@pytest.mark.parametrize("with_camera", [False, True])
def test_scene_flow_shows_whether_it_holds_the_cameras_motion(tmp_path: Path, with_camera: bool) -> None:
    world = known_world()
    clip = write(tmp_path, world)
    w2c, later = (torch.linalg.inv(world.c2w(i)) for i in (0, 1))
    points, moved = world.points(0), world.moved(0, 1)
    after = later if with_camera else w2c
    flow = (moved @ after[:3, :3].T + after[:3, 3]) - (points @ w2c[:3, :3].T + w2c[:3, 3])
    path = clip / "frames/forwardSceneFlow/Camera_0/sceneFlow_00000.png"
    write_rgb16(path, numbers((flow / 10 + 1) / 2 * 65535))
    torch.testing.assert_close(read_scene_flow(path).double(), flow, rtol=0, atol=2e-4)
    verdict = judge_scene_flow(opened(tmp_path), 0)
    assert verdict.holds_camera is with_camera
    said = " ".join(data_set("virtual_kitti2").remarks(opened(tmp_path)))
    assert ("holds the camera" in said) is with_camera
    assert "cameras agree" in said
    assert min(verdict.still, verdict.with_camera) < 5e-3 < max(verdict.still, verdict.with_camera)


def test_places_of_vehicles_agree_with_the_cameras(tmp_path: Path) -> None:
    clip = write(tmp_path, known_world())
    agreed = pose_disagreement(opened(tmp_path))
    assert agreed.metres < 1e-6
    assert agreed.degrees < 1e-4
    lines = (clip / "extrinsic.txt").read_text().splitlines()
    turned = [lines[0]]
    for line in lines[1:]:
        words = line.split()
        inverse = np.linalg.inv(np.array(words[2:], dtype=float).reshape(4, 4))
        turned.append(" ".join([*words[:2], *(f"{value:.10f}" for value in inverse.flatten())]))
    (clip / "extrinsic.txt").write_text("\n".join(turned))
    assert pose_disagreement(opened(tmp_path)).metres > 0.5
    # With the angles about x and z exchanged places agree, and turns do not.
    write_text(clip, known_world())
    lines = (clip / "pose.txt").read_text().splitlines()
    words = [line.split() for line in lines]
    (clip / "pose.txt").write_text("\n".join(" ".join([*w[:17], w[18], w[17]]) for w in words))
    wrong = pose_disagreement(opened(tmp_path))
    assert wrong.metres < 1e-6
    assert "DISAGREE" in data_set("virtual_kitti2").remarks(opened(tmp_path))[0]
    assert wrong.degrees > 1


def test_damage_is_told_with_the_file(tmp_path: Path) -> None:
    clip = write(tmp_path, known_world())
    drive = opened(tmp_path)
    truncate(clip / "frames/depth/Camera_0/depth_00002.png")
    with pytest.raises(ClipError, match=r"depth_00002\.png"):
        drive.frame(2)
    (clip / "frames/rgb/Camera_0/rgb_00003.jpg").write_bytes(b"no picture")
    with pytest.raises(ClipError, match=r"rgb_00003\.jpg"):
        drive.frame(3)
    layout = data_set("virtual_kitti2")
    (row,) = layout.find(tmp_path)
    with pytest.raises(ClipError, match=r"extrinsic\.txt|intrinsic\.txt"):
        layout.open(tmp_path, replace(row, frames=FRAMES + 1))
    lines = (clip / "extrinsic.txt").read_text().splitlines()
    (clip / "extrinsic.txt").write_text("\n".join(lines[:-2]))
    with pytest.raises(ClipError, match=r"extrinsic\.txt"):
        layout.open(tmp_path, row)
    with pytest.raises(ClipError, match="another data set"):
        layout.find(clip / "frames/depth")
