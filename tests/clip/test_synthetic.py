"""The synthetic clip: its truth must agree with its pixels, or nothing measured against it means anything."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic, save_synthetic
from neoverse_ns.clip.synthetic.solids import Solid, fixed, intersect, normals_at
from neoverse_ns.clip.synthetic.textures import LATTICE, Texture, octave_weight, random_lattice, value_noise
from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras

WIDTH, HEIGHT, FRAMES = 192, 112, 9
PLAIN = Texture((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 1.0)


@pytest.fixture(scope="module")
def clip() -> SyntheticClip:
    return render_synthetic(FRAMES, WIDTH, HEIGHT)


def reproject(depth: Tensor, source: PinholeCameras, target: PinholeCameras) -> tuple[Tensor, Tensor]:
    """Pixel position and z-depth in `target` of every pixel of `source`: written out independently of the renderer."""
    y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
    fx, fy, cx, cy = (source.K[0, i, j] for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    z = depth.double()
    points = torch.stack([(x - cx) / fx * z, (y - cy) / fy * z, z, torch.ones_like(z)], dim=-1)
    moved = points @ (torch.linalg.inv(target.c2w[0]) @ source.c2w[0]).T
    x, y, z = moved[..., 0], moved[..., 1], moved[..., 2]
    return torch.stack([fx * x / z + cx, fy * y / z + cy], -1), z


def sample(image: Tensor, pixels: Tensor) -> Tensor:
    """Bilinear look-up of [h, w, c] at pixel positions whose centres lie at +0.5."""
    grid = pixels / pixels.new_tensor([WIDTH, HEIGHT]) * 2 - 1
    found = torch.nn.functional.grid_sample(image.double().permute(2, 0, 1)[None], grid[None], align_corners=False)
    return found[0].permute(1, 2, 0)


def visible_static(clip: SyntheticClip, i: int, j: int) -> tuple[Tensor, Tensor]:
    """Where frame i's static pixels lie in frame j, and which of them are seen there."""
    pixels, z = reproject(clip.depth[i], clip.cameras[i : i + 1], clip.cameras[j : j + 1])
    inside = (pixels > 1).all(-1) & (pixels[..., 0] < WIDTH - 1) & (pixels[..., 1] < HEIGHT - 1)
    surface = sample(clip.depth[j][..., None], pixels)[..., 0]
    moving = sample(clip.dynamic[j][..., None], pixels)[..., 0] > 0
    return pixels, inside & ~clip.dynamic[i] & ~moving & ((surface / z - 1).abs() < 0.005)


def test_static_pixels_agree_between_frames(clip: SyntheticClip) -> None:
    for i, j in ((0, 2), (6, 3), (4, 8)):
        pixels, seen = visible_static(clip, i, j)
        assert seen.float().mean() > 0.4
        error = (sample(clip.frames[j], pixels) - clip.frames[i]).abs().mean(-1)[seen]
        # The control shows that the scene's texture would betray a shift of two pixels.
        control = (sample(clip.frames[j], pixels + 2) - clip.frames[i]).abs().mean(-1)[seen]
        assert error.mean() < 6
        assert control.mean() > 2 * error.mean()


def test_right_camera_agrees_with_left_depth(clip: SyntheticClip) -> None:
    pixels, _ = reproject(clip.depth[4], clip.cameras[4:5], clip.right_cameras[4:5])
    inside = (pixels[..., 0] > 1) & (pixels[..., 0] < WIDTH - 1)
    assert torch.allclose(pixels[..., 1], torch.arange(HEIGHT).double()[:, None] + 0.5, atol=1e-6)  # A rectified pair.
    error = (sample(clip.right_frames[4], pixels) - clip.frames[4]).abs().mean(-1)[inside]
    unmoved = (clip.right_frames[4].double() - clip.frames[4]).abs().mean(-1)[inside]
    assert error.median() < 4
    assert error.mean() < 0.5 * unmoved.mean()


def test_flow_of_static_points_follows_the_cameras(clip: SyntheticClip) -> None:
    y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
    for i in (0, FRAMES - 2):
        pixels, _ = reproject(clip.depth[i], clip.cameras[i : i + 1], clip.cameras[i + 1 : i + 2])
        expected = pixels - torch.stack([x, y], -1)
        difference = (clip.flow[i] - expected).norm(dim=-1)
        assert difference[~clip.dynamic[i]].max() < 1e-3
        assert difference[clip.dynamic[i]].median() > 1


def test_flow_carries_the_colours_of_moving_objects(clip: SyntheticClip) -> None:
    y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
    here = torch.stack([x, y], -1).double()
    moving = clip.dynamic[3]
    carried = (sample(clip.frames[4], here + clip.flow[3]) - clip.frames[3]).abs().mean(-1)[moving]
    stayed = (sample(clip.frames[4], here) - clip.frames[3]).abs().mean(-1)[moving]
    assert carried.median() < 8
    assert carried.median() < 0.3 * stayed.median()


def test_moving_objects_move(clip: SyntheticClip) -> None:
    share = clip.dynamic.float().mean(dim=(1, 2))
    assert share.min() > 0.02
    assert share.max() < 0.3
    middle = FRAMES // 2
    assert (clip.dynamic[0] & clip.dynamic[middle]).sum() < 0.4 * clip.dynamic[0].sum()


def test_camera_path_has_parallax() -> None:
    clip = render_synthetic(25, 48, 28)
    median = clip.depth.median()
    path = clip.cameras.c2w[:, :3, 3].diff(dim=0).norm(dim=1).sum() / median
    assert 0.5 <= path <= 0.8
    beside = (clip.right_cameras.c2w[:, :3, 3] - clip.cameras.c2w[:, :3, 3]).norm(dim=1) / median
    assert beside.min() > 0.07
    assert beside.max() < 0.1
    rotations = clip.cameras.c2w[:, :3, :3]
    assert torch.allclose(rotations @ rotations.mT, torch.eye(3, dtype=torch.float64).expand(25, 3, 3), atol=1e-12)
    assert torch.allclose(torch.linalg.det(rotations), torch.ones(25, dtype=torch.float64))


def test_deterministic_under_its_seed() -> None:
    first, again, other = (render_synthetic(2, 64, 36, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first.frames, again.frames)
    assert torch.equal(first.right_frames, again.right_frames)
    assert torch.equal(first.depth, again.depth)
    assert torch.equal(first.cameras.c2w, again.cameras.c2w)
    assert (first.frames.float() - other.frames).abs().mean() > 5


def test_seconds_follow_the_rate() -> None:
    clip = render_synthetic(4, 16, 16, fps=5.0)
    assert clip.seconds.tolist() == pytest.approx([0, 0.2, 0.4, 0.6])
    assert clip.as_clip().times.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize(("count", "width", "fps"), [(0, 16, 8.0), (2, 0, 8.0), (2, 16, float("nan")), (2, 16, 0.0)])
def test_bad_settings_are_refused(count: int, width: int, fps: float) -> None:
    with pytest.raises(SettingsError, match="above zero"):
        render_synthetic(count, width, 16, fps)


def test_box_and_sphere_against_closed_forms() -> None:
    ahead = torch.tensor([[0.0, 0.0, 1.0], [0.5, 0.0, 1.0], [5.0, 0.0, 1.0], [0.0, 0.0, -1.0]], dtype=torch.float64)
    origin = torch.tensor([0.0, 0.0, -3.0], dtype=torch.float64)
    box = Solid("box", (1.0, 1.0, 0.5), PLAIN, fixed((0.0, 0.0, 0.0)))
    # The second ray passes x = 1.25 at the front face: outside. From within, the exit counts.
    assert intersect(box, origin, ahead).tolist() == pytest.approx([2.5, np.inf, np.inf, np.inf])
    assert intersect(box, torch.zeros(3, dtype=torch.float64), ahead[:1]).tolist() == pytest.approx([0.5])
    sphere = Solid("sphere", (1.0, 1.0, 1.0), PLAIN, fixed((0.0, 0.0, 0.0)))
    assert intersect(sphere, origin, ahead).tolist() == pytest.approx([2.0, np.inf, np.inf, np.inf])
    assert normals_at(box, torch.tensor([[0.2, -0.9, 0.5], [-1.0, 0.3, 0.1]])).tolist() == [[0, 0, 1], [-1, 0, 0]]


def test_noise_is_the_lattice_at_lattice_points_and_smooth_between() -> None:
    lattice = random_lattice(torch.Generator().manual_seed(0))
    grid = lattice.view(LATTICE, LATTICE, LATTICE)  # z, y, x
    points = torch.tensor([[3.0, 4.0, 5.0], [-1.0, 0.0, 33.0], [3.5, 4.0, 5.0]])
    expected = torch.stack([grid[5, 4, 3], grid[1, 0, 31], (grid[5, 4, 3] + grid[5, 4, 4]) / 2])
    assert torch.allclose(value_noise(points, lattice), expected, atol=1e-6)
    assert octave_weight(2.0, torch.tensor([0.125, 0.25, 0.1])).tolist() == pytest.approx([1, 0, 1])


def test_saved_files_hold_the_clip(clip: SyntheticClip, tmp_path: Path) -> None:
    video = save_synthetic(clip, tmp_path)
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert float(container.streams.video[0].average_rate or 0) == pytest.approx(8)
    error = np.stack(frames).astype(float) - clip.frames.numpy()
    assert 10 * np.log10(255**2 / (error**2).mean()) > 33
    stored = np.load(tmp_path / "cameras.npz")
    assert np.array_equal(stored["frame_index"], np.arange(FRAMES))
    assert np.array_equal(stored["c2w"], clip.cameras.c2w.numpy())
    assert np.array_equal(stored["right_K"], clip.right_cameras.K.numpy())
    truth = np.load(tmp_path / "truth.npz")
    assert np.array_equal(truth["depth"], clip.depth.numpy())
    assert np.array_equal(truth["dynamic"], clip.dynamic.numpy())
    assert np.array_equal(truth["things"], clip.things.numpy())
    assert np.array_equal(truth["right_things"], clip.right_things.numpy())
    right = cv2.imread(str(tmp_path / "right_images" / "00003.png"))
    assert np.array_equal(right[:, :, ::-1], clip.right_frames[3].numpy())
    scale = json.loads((tmp_path / "about.json").read_text())["depth_scale"]
    depth = cv2.imread(str(tmp_path / "depth" / "00003.png"), cv2.IMREAD_UNCHANGED) / scale
    assert np.abs(depth - clip.depth[3].numpy()).max() <= 0.5 / scale + 1e-5


def test_things_are_told_apart_from_both_cameras(clip: SyntheticClip) -> None:
    assert clip.things.unique().tolist() == [0, 1, 2, 3]
    assert torch.equal(clip.dynamic, clip.things > 0)
    # Colours tell the thrown ball, the crate and the rolling ball apart: red, blue, violet.
    for number, (most, least) in {1: (0, 2), 2: (2, 0), 3: (2, 1)}.items():
        for frames, things in ((clip.frames, clip.things), (clip.right_frames, clip.right_things)):
            colour = frames[things == number].float().mean(dim=0)
            assert colour[most] > colour[least] + 20
    # The second camera stands to the right: what both see lies farther left there, as its depth demands.
    columns = torch.arange(WIDTH) + 0.5
    own, right = ((things[4] == 2).float() for things in (clip.things, clip.right_things))
    shift = (own * columns).sum() / own.sum() - (right * columns).sum() / right.sum()
    expected = 0.5 * float(clip.cameras.K[4, 0, 0]) / float(clip.depth[4][clip.things[4] == 2].median())
    assert float(shift) == pytest.approx(expected, rel=0.05)


def test_odd_sizes_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="even"):
        save_synthetic(render_synthetic(1, 15, 16), tmp_path)
