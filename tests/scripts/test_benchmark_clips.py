"""Clip folders of the benchmark: truth must fit the frames the loader gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.clip.resize import fit
from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic, save_synthetic
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clips.folder import find_clips, load_benchmark_clip, scale_intrinsics
from neoverse_ns.evaluation.data.clips.windows import geometry_window, held_out_window
from neoverse_ns.evaluation.judges.cameras.geometry import compare_geometry, sample_notes
from neoverse_ns.evaluation.judges.runs.second_view import score_right, score_shift
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.base import SceneGeometry

PROTOCOL = held_out_window(2.0, 3.0, 25)


@pytest.fixture(scope="module")
def truth() -> SyntheticClip:
    return render_synthetic(7, 128, 80)


@pytest.fixture(scope="module")
def clips(truth: SyntheticClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clips")
    save_synthetic(truth, root / "video")
    save_synthetic(truth, root / "folder")
    (root / "folder" / "clip.mp4").unlink()
    (root / "folder" / "images").mkdir()
    for i, frame in enumerate(truth.frames.numpy()):
        cv2.imwrite(str(root / "folder" / "images" / f"{i}.png"), frame[:, :, ::-1])
    (root / "notes").mkdir()
    return root


def moved_world(cameras: PinholeCameras, scale: float) -> PinholeCameras:
    """The cameras seen from another world, turned, shifted and scaled."""
    motion = se3_exp(torch.tensor([0.3, -1.0, 2.0, 0.4, -0.2, 0.9], dtype=torch.float64))
    sim3 = Sim3(torch.tensor(scale, dtype=torch.float64), motion[:3, :3], motion[:3, 3])
    return replace(cameras, c2w=sim3.apply_c2w(cameras.c2w))


def test_finds_clip_folders_only(clips: Path) -> None:
    assert [f.name for f in find_clips(clips)] == ["folder", "video"]
    with pytest.raises(ClipError, match="no clip named absent"):
        find_clips(clips, ["absent", "video"])
    with pytest.raises(ClipError, match="no such folder"):
        find_clips(clips / "nowhere")


@pytest.mark.parametrize("name", ["video", "folder"])
def test_truth_fits_the_frames(clips: Path, truth: SyntheticClip, tmp_path: Path, name: str) -> None:
    sample = load_benchmark_clip(clips / name, PROTOCOL, tmp_path)
    assert sample.clip.frame_indices.tolist() == list(range(7))
    assert (sample.clip.frames.float() - truth.frames.float()).abs().mean() < 5
    assert sample.cameras is not None
    assert torch.allclose(sample.cameras.c2w, truth.cameras.c2w, atol=1e-9)
    assert torch.allclose(sample.cameras.K, truth.cameras.K, atol=1e-9)
    assert sample.depth is not None
    assert (sample.depth - truth.depth).abs().max() < 1e-3
    assert sample.dynamic is not None
    assert torch.equal(sample.dynamic, truth.dynamic)
    assert sample.right_frames is not None
    assert torch.equal(sample.right_frames, truth.right_frames)


def test_annotations_between_frames_are_interpolated(clips: Path, truth: SyntheticClip, tmp_path: Path) -> None:
    folder = tmp_path / "sparse"
    folder.mkdir()
    (folder / "clip.mp4").symlink_to(clips / "video" / "clip.mp4")
    every = slice(0, 7, 2)
    np.savez(
        folder / "cameras.npz",
        frame_index=np.arange(7)[every],
        c2w=truth.cameras.c2w[every].numpy(),
        fx_over_width=np.full(4, 0.85),
        fy_over_height=np.full(4, 0.85 * 128 / 80),
    )
    sample = load_benchmark_clip(folder, PROTOCOL, tmp_path)
    assert sample.cameras is not None
    assert torch.allclose(sample.cameras.c2w[2], truth.cameras.c2w[2], atol=1e-9)
    middle = truth.cameras.c2w[[2, 4], :3, 3].mean(dim=0)
    assert torch.allclose(sample.cameras.c2w[3, :3, 3], middle, atol=1e-9)
    assert torch.allclose(sample.cameras.K, truth.cameras.K, atol=1e-9)


def test_intrinsics_follow_the_loaders_scaling_and_cutting() -> None:
    source, target = (300, 200), (160, 96)
    image = np.zeros((200, 300, 3), np.uint8)
    cv2.circle(image, (210, 80), 12, (255, 255, 255), -1)
    fitted = fit(image, source, target)
    y, x = np.nonzero(fitted[..., 0] > 127)
    K = torch.eye(3, dtype=torch.float64)[None]
    placed = scale_intrinsics(K, source, target)[0] @ torch.tensor([210.5, 80.5, 1.0], dtype=torch.float64)
    assert placed[0].item() == pytest.approx(x.mean() + 0.5, abs=0.3)
    assert placed[1].item() == pytest.approx(y.mean() + 0.5, abs=0.3)


def test_perfect_geometry_has_no_error(clips: Path, truth: SyntheticClip, tmp_path: Path) -> None:
    sample = load_benchmark_clip(clips / "video", PROTOCOL, tmp_path)
    keyframes = [0, 3, 6]
    confidence = torch.ones(3, 80, 128)
    dynamic = truth.dynamic[keyframes]
    cameras = moved_world(truth.cameras, 0.25)
    exact = SceneGeometry(cameras, keyframes, truth.depth[keyframes] * 0.25, confidence, dynamic)
    result = compare_geometry(exact, sample)
    assert result["solved"] == result["frames"] == 7
    assert result["ate_percent_of_path"] < 1e-6
    assert result["rotation_degrees_per_step"] < 1e-5
    assert abs(result["focal_error_percent"]) < 1e-9
    assert result["depth_abs_rel"] < 1e-3
    longer = replace(exact, cameras=replace(cameras, K=cameras.K * torch.tensor([1.1, 1.1, 1])[:, None]))
    assert compare_geometry(longer, sample)["focal_error_percent"] == pytest.approx(10)


def test_depth_of_what_moves_is_judged_apart(clips: Path, truth: SyntheticClip, tmp_path: Path) -> None:
    sample = load_benchmark_clip(clips / "video", PROTOCOL, tmp_path)
    keyframes = [1, 4]
    moving = truth.dynamic[keyframes]
    depth = torch.where(moving, 1.5 * truth.depth[keyframes], truth.depth[keyframes])
    half = moving & (torch.arange(128) < 64)
    guess = SceneGeometry(truth.cameras, keyframes, depth, torch.ones(2, 80, 128), half)
    result = compare_geometry(guess, sample)
    # One scale for all pixels, set by their medians, serves both numbers.
    scale = (truth.depth[keyframes].median() / depth.median()).item()
    share = moving.float().mean().item()
    static, everywhere = abs(scale - 1), (1 - share) * abs(scale - 1) + share * abs(1.5 * scale - 1)
    assert result["depth_abs_rel_static"] == pytest.approx(static, abs=1e-3)
    assert result["depth_abs_rel"] == pytest.approx(everywhere, abs=1e-3)
    assert everywhere > static + 0.01
    assert result["dynamic_iou"] == pytest.approx((half.sum() / moving.sum()).item())
    assert result["dynamic_percent"] == pytest.approx(100 * half.float().mean().item())
    assert result["all_finite"] is True
    broken = replace(guess, confidence=torch.full((2, 80, 128), torch.nan))
    assert compare_geometry(broken, sample)["all_finite"] is False


def test_unsolved_cameras_leave_the_errors_of_the_others(clips: Path, truth: SyntheticClip, tmp_path: Path) -> None:
    sample = load_benchmark_clip(clips / "video", PROTOCOL, tmp_path)
    cameras = moved_world(truth.cameras, 3.0)
    cameras.c2w[[0, 4]] = torch.nan
    guess = SceneGeometry(cameras, [1, 6], truth.depth[[1, 6]], torch.ones(2, 80, 128), truth.dynamic[[1, 6]])
    result = compare_geometry(guess, sample)
    assert (result["frames"], result["solved"], result["unsolved"]) == (7, 5, 2)
    assert result["ate_percent_of_path"] < 1e-6
    assert result["all_finite"] is False


def test_repeated_true_poses_are_left_out_once_more(clips: Path, truth: SyntheticClip, tmp_path: Path) -> None:
    """Truth that stands still for three frames, as a recording has that begins before the tracking."""
    sample = load_benchmark_clip(clips / "video", PROTOCOL, tmp_path)
    stuck = replace(truth.cameras, c2w=truth.cameras.c2w[[2, 2, 2, 3, 4, 5, 6]])
    guess = SceneGeometry(truth.cameras, [0, 6], truth.depth[[0, 6]], torch.ones(2, 80, 128), truth.dynamic[[0, 6]])
    result = compare_geometry(guess, replace(sample, cameras=stuck))
    assert result["ate_percent_of_path"] > 1
    assert result["ate_percent_distinct"] < 1e-6
    assert "ate_percent_distinct" not in compare_geometry(guess, sample)
    asked = geometry_window(2.0, 3.0, 16)
    assert sample_notes(replace(sample, cameras=stuck), asked) == [
        "too short for its frames to begin at second 2, they begin at second 0",
        "7 frames where 16 were asked for",
        "the truth gives 2 of 7 frames exactly the pose of the next frame",
    ]
    assert sample_notes(sample, geometry_window(0.0, 3.0, 7)) == []


def test_drawing_the_truth_beats_the_best_shift(clips: Path, truth: SyntheticClip, tmp_path: Path) -> None:
    sample = load_benchmark_clip(clips / "video", PROTOCOL, tmp_path)
    result = score_right(sample, truth.cameras, lambda views, times: (truth.right_frames // 2) * 2)
    shift = score_shift(sample)
    assert result["right_aligned"]["psnr"] > 45 > shift["psnr"] > 10
    # The second camera looks from the right, so everything appears further left in its picture.
    assert max(shift["shift_pixels"]) < 0
