"""Clip folders as scenes: all their frames, and what the clip loader samples of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic, save_synthetic
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clips import demo as clip_demo
from neoverse_ns.evaluation.data.clips import folder
from neoverse_ns.evaluation.data.clips import layout as clips
from neoverse_ns.evaluation.data.clips.demo import still_clip
from neoverse_ns.evaluation.data.clips.folder import load_benchmark_clip
from neoverse_ns.evaluation.data.clips.scene import ClipScene
from neoverse_ns.evaluation.data.clips.windows import geometry_window, held_out_window
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.evaluate import plan, request
from tests.shared import shared_file

COUNT = 9


@pytest.fixture(scope="module")
def truth() -> SyntheticClip:
    return render_synthetic(COUNT, 48, 32)


@pytest.fixture(scope="module")
def root(truth: SyntheticClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip as a video and as images."""
    root = tmp_path_factory.mktemp("clips")
    save_synthetic(truth, root / "video")
    save_synthetic(truth, root / "images")
    (root / "images/clip.mp4").unlink()
    (root / "images/images").mkdir()
    for number, frame in enumerate(truth.frames.numpy()):
        cv2.imwrite(str(root / f"images/images/{number}.png"), frame[:, :, ::-1])
    return root


def opened(root: Path, name: str) -> ClipScene:
    scene = benchmark_data("clips").open(root, name)
    assert isinstance(scene, ClipScene)
    return scene


@pytest.mark.parametrize("name", ["video", "images"])
def test_all_frames_of_both_cameras_come_back(root: Path, truth: SyntheticClip, name: str) -> None:
    scene = opened(root, name)
    assert [(frame.camera, frame.time) for frame in scene.frames] == [(c, t) for c in "01" for t in range(COUNT)]
    for camera, cameras in (("0", truth.cameras), ("1", truth.right_cameras)):
        for frame in (frame for frame in scene.frames if frame.camera == camera):
            assert frame.c2w is not None
            assert frame.K is not None
            assert (frame.c2w - cameras.c2w[frame.time]).abs().max() < 1e-6
            assert (frame.K - cameras.K[frame.time]).abs().max() < 1e-4
    rate = 8 if name == "video" else 30
    assert scene.frames[5].seconds == pytest.approx(5 / rate, abs=1e-6)
    right = scene.read(scene.frames[COUNT + 4], "rgb", "dynamic", "depth")
    assert right.rgb is not None
    assert torch.equal(right.rgb, truth.right_frames[4])
    assert torch.equal(right.masks["dynamic"], truth.right_things[4] > 0)
    assert right.depth is None
    left = scene.read(scene.frames[4], "depth", "dynamic")
    assert left.rgb is None
    assert left.depth is not None
    assert (left.depth - truth.depth[4]).abs().max() < 1e-3
    assert torch.equal(left.masks["dynamic"], truth.dynamic[4])


def test_pictures_are_those_of_the_clip_loader(root: Path, truth: SyntheticClip) -> None:
    loaded = load_clip(root / "video/clip.mp4", ClipConfig(num_frames=COUNT, width=48)).frames
    video, images = opened(root, "video"), opened(root, "images")
    for at in (7, 2, 8):
        rgb, image = video.read(video.frames[at]).rgb, images.read(images.frames[at]).rgb
        assert rgb is not None
        assert image is not None
        assert torch.equal(rgb, loaded[at])
        assert torch.equal(image, truth.frames[at])


@pytest.mark.parametrize("name", ["video", "images"])
def test_samples_are_those_of_the_benchmark(root: Path, tmp_path: Path, name: str) -> None:
    scene, window = opened(root, name), geometry_window(0.0, 1.0, 6)
    frames = scene.choose(window)
    wanted = load_benchmark_clip(root / name, window, tmp_path / "wanted")
    assert [frame.time for frame in frames] == wanted.clip.frame_indices.tolist()
    # Some of a choice stand for all of it, and the second camera's for nothing.
    found = scene.sample([*frames[1:3], scene.frames[-1]], tmp_path / "found")
    assert found.clip.digest() == wanted.clip.digest()
    assert scene.window(frames) == window
    assert scene.repeated(frames) == frozenset()
    if name == "video":
        with pytest.raises(ClipError, match="not what the loader samples"):
            scene.sample(scene.frames[:COUNT], tmp_path)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many frames the synthetic clips were rendered with, tiny ones here."""
    rendered: list[int] = []

    def small(frames: int) -> SyntheticClip:
        rendered.append(frames)
        return render_synthetic(frames, 16, 16)

    def still(frames: int) -> SyntheticClip:
        rendered.append(frames)
        return still_clip(frames, 16, 16)

    monkeypatch.setattr(clip_demo, "render_synthetic", small)
    monkeypatch.setattr(clip_demo, "still_clip", still)
    monkeypatch.setattr(clip_demo, "LEAST_FRAMES", 5)
    monkeypatch.setattr(clip_demo, "SIZE", (16, 16))
    clips._rendering.cache_clear()
    yield rendered
    clips._rendering.cache_clear()


@pytest.mark.parametrize("name", ["demo", "demo_still"])
def test_synthetic_clips_are_known_before_they_are_rendered(asked: list[int], tmp_path: Path, name: str) -> None:
    for window in (held_out_window(0.0, 3.0, 4), held_out_window(0.1, 0.5, 7), geometry_window(0.0, 1.0, 20)):
        scene = opened(tmp_path, name)
        planned, frames = scene.choose(window), scene.frames
        assert asked == []
        # What was planned is what the clip loader samples of what is rendered; else this would raise.
        rgb = scene.read(planned[1]).rgb
        assert rgb is not None
        real = ClipScene(scene.folder)
        assert [frame.name for frame in real.choose(window)] == [frame.name for frame in planned]
        for one, other in zip(frames, real.frames, strict=True):
            assert (one.name, one.camera, one.seconds, one.width) == (
                other.name,
                other.camera,
                other.seconds,
                other.width,
            )
            assert one.c2w is not None
            assert other.c2w is not None
            assert torch.equal(one.c2w, other.c2w)
            assert one.K is not None
            assert other.K is not None
            assert torch.equal(one.K, other.K)
        again = real.read(real.frames[planned[1].time]).rgb
        assert again is not None
        assert torch.equal(rgb, again)
        assert asked == [max(window.num_frames, 5)]
        asked.clear()
        clips._rendering.cache_clear()


def test_a_plan_renders_nothing(asked: list[int], root: Path) -> None:
    lines = plan(request("clips-cameras@1", root)).lines()
    assert "demo: 16 frames of 16x16 in, 0 judged" in lines
    assert "video: 9 frames of 48x32 in, 0 judged" in lines
    plan(request("clips-right@1", root, scenes=("demo",))).lines()
    assert asked == []


def test_clips_that_come_out_otherwise_are_refused(
    asked: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_demo, "SIZE", (16, 18))
    scene = opened(tmp_path, "demo")
    frames = scene.choose(held_out_window(0.0, 3.0, 4))
    with pytest.raises(ClipError, match="not as it was said"):
        scene.sample(frames, tmp_path)


def test_synthetic_clips_are_in_every_folder(asked: list[int], root: Path, tmp_path: Path) -> None:
    assert benchmark_data("clips").find(root) == ["demo", "demo_still", "images", "video"]
    assert benchmark_data("clips").find(tmp_path) == ["demo", "demo_still"]
    scene = opened(tmp_path, "demo")
    assert scene.name == "demo"
    assert len(scene.frames) == 10
    frames = scene.choose(held_out_window(0.0, 3.0, 4))
    assert [frame.time for frame in frames] == [0, 1, 3, 4]
    assert asked == []
    for _ in range(2):
        assert len(scene.sample(frames, tmp_path / "work").clip) == 4
    again = opened(tmp_path, "demo")
    again.read(again.frames[0])
    assert asked == [5]
    # More frames are rendered where a window asks for more.
    assert len(scene.choose(held_out_window(0.0, 3.0, 7))) == 7
    assert len(scene.frames) == 14
    assert scene.frames[0].c2w is not None
    scene.read(scene.frames[6])
    assert asked == [5, 7]
    with pytest.raises(ClipError, match="no such folder"):
        benchmark_data("clips").find(tmp_path / "nowhere")
    with pytest.raises(ClipError, match="no clip named else"):
        opened(root, "else")


def test_the_driving_cars_every_second_image() -> None:
    folder = shared_file("clips/street_stereo")
    scene = opened(folder.parent, folder.name)
    assert [frame.time for frame in scene.choose(geometry_window(2.0, 3.0))] == list(range(0, 48, 2))
    assert sum(frame.camera == "1" for frame in scene.frames) == 51


def test_what_is_damaged_in_a_folder_is_told(tmp_path: Path) -> None:
    for name in ("cameras.npz", "truth.npz"):
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(ClipError, match=r"cameras\.npz: cannot be read"):
        folder.true_cameras(tmp_path, torch.arange(2), (64, 48), (64, 48))
    with pytest.raises(ClipError, match=r"truth\.npz: cannot be read"):
        folder.pixel_truth(tmp_path)
    np.savez(tmp_path / "cameras.npz", frame_index=np.arange(2), c2w=np.eye(4)[None].repeat(2, 0))
    with pytest.raises(ClipError, match="has no array 'fx_over_width'"):
        folder.true_cameras(tmp_path, torch.arange(2), (64, 48), (64, 48))
    with pytest.raises(ClipError, match="does not tell depth_scale"):
        folder.depth_picture(tmp_path, 0)
