"""Pictures along a trajectory in files: the right values, whole or not at all, in flat memory."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.ffmpeg import provide_ffmpeg
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.render import film as film_module
from neoverse_ns.render.film import FilmOptions, InputFrames, film
from neoverse_ns.render.pictures import unseen_share
from neoverse_ns.render.writers import BT709
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.e2e.commands import read_video
from tests.export.layered_scene import FOCAL, HEIGHT, SQUARE, WALL, WIDTH, layered_scene

SCENE = layered_scene()
COUNT = 4


@pytest.fixture(autouse=True)
def ffmpeg() -> None:
    provide_ffmpeg()


def path(times: list[float] | None = None, aside: float = 2.0) -> Trajectory:
    """To the right past the wall's end, where there is nothing but the far field."""
    c2w = torch.eye(4).repeat(COUNT, 1, 1)
    c2w[:, 0, 3] = torch.linspace(0, aside, COUNT)
    cameras = PinholeCameras(c2w, SCENE.cameras.K[:1].repeat(COUNT, 1, 1), WIDTH, HEIGHT)
    return Trajectory(cameras, torch.tensor(times or [0.0, 0.3, 0.3, 1.0]), fps=12.0)


def expected(trajectory: Trajectory, background: torch.Tensor) -> np.ndarray:
    """The model's own drawing, one by one, as bytes."""
    frames = []
    for i, time in enumerate(trajectory.times.tolist()):
        view = trajectory.cameras[i : i + 1]
        drawing = draw_layers(SCENE.gaussians, time, view.viewmats, view.K, view.width, view.height)
        rgb = drawing.rgb[0] + (1 - drawing.alpha[0]) * background
        frames.append((rgb.clamp(0, 1) * 255).round().byte().numpy())
    return np.stack(frames)


def pngs(folder: Path) -> np.ndarray:
    files = sorted(folder.glob("*.png"))
    assert [file.name for file in files] == [f"{i:05d}.png" for i in range(len(files))]
    return np.stack([cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in files])


@pytest.mark.parametrize("name", ["frames", "film.mp4", "film.mkv"])
def test_frames_and_lossless_videos_are_the_drawing_to_the_last_value(tmp_path: Path, name: str) -> None:
    grey = torch.full((3,), 0.4)
    film(SCENE.gaussians, path(), tmp_path / name, FilmOptions(lossless=True), grey)
    frames = pngs(tmp_path / name)[..., ::-1] if name == "frames" else read_video(tmp_path / name)
    np.testing.assert_array_equal(frames, expected(path(), grey))
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_an_ordinary_video_is_close_and_says_its_rate_and_colours(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    film(SCENE.gaussians, path(), tmp_path / "film.mp4")
    frames = read_video(tmp_path / "film.mp4").astype(float)
    error = np.square(frames - expected(path(), torch.zeros(3))).mean()
    assert 10 * math.log10(255**2 / error) > 32
    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.video[0]
        assert float(stream.average_rate) == 12
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert int(stream.codec_context.colorspace) == 1, "BT.709, as the flags ask for"
    assert "bt709" in BT709
    film(SCENE.gaussians, path(), tmp_path / "coarse.mp4", FilmOptions(crf=45))
    assert (tmp_path / "coarse.mp4").stat().st_size < 0.6 * (tmp_path / "film.mp4").stat().st_size


@pytest.mark.parametrize("kind", ["png", "npz"])
def test_depth_is_that_of_the_surfaces(tmp_path: Path, kind: str) -> None:
    files = film(SCENE.gaussians, path(), tmp_path / "film.mp4", FilmOptions(depth=kind, alpha=True))
    assert files.depth is not None
    if kind == "png":
        about = json.loads((tmp_path / "film_depth" / "about.json").read_text())
        levels = pngs(tmp_path / "film_depth")
        assert levels.dtype == np.uint16
        depth = levels / about["levels_per_unit"]
        assert about["fps"] == 12
        times = about["times"]
    else:
        with np.load(tmp_path / "film_depth.npz") as arrays:
            depth = np.stack([arrays[f"frame_{i:05d}"] for i in range(COUNT)])
            times, fps = arrays["times"], float(arrays["fps"])
        assert fps == 12
    np.testing.assert_allclose(times, path().times, atol=1e-6)
    assert depth.shape == (COUNT, HEIGHT, WIDTH)
    assert depth[0, HEIGHT // 2, WIDTH // 2] == pytest.approx(SQUARE, abs=0.03)
    assert depth[0, HEIGHT // 2, 4] == pytest.approx(WALL, abs=0.03)
    # Past the wall there is no surface, nor any opacity.
    assert (depth[-1, :, -8:] == 0).all()
    alpha = read_video(tmp_path / "film_alpha.mp4")
    assert alpha[0].min() > 240
    assert alpha[-1, :, -8:].max() < 15
    shown = read_video(tmp_path / "film_depth_picture.mp4").astype(int)
    assert shown[0, HEIGHT // 2, WIDTH // 2].sum() > shown[0, HEIGHT // 2, 4].sum() + 60, "near is bright"
    assert shown[-1, :, -8:].max() < 40


def test_the_input_of_the_same_time_stands_to_the_left(tmp_path: Path) -> None:
    levels = torch.tensor([0, 60, 120, 180, 240], dtype=torch.uint8)
    clip = InputFrames(levels[:, None, None, None].expand(5, 32, 48, 3).contiguous(), torch.linspace(0, 1, 5))
    options = FilmOptions(side_by_side=True)
    film(SCENE.gaussians, path([0.0, 0.3, 0.8, 1.0]), tmp_path / "frames", options, clip=clip)
    frames = pngs(tmp_path / "frames")[..., ::-1]
    # Brought to the same height, in its own shape.
    assert frames.shape == (COUNT, HEIGHT, 96 + WIDTH, 3)
    assert [int(frame[10, 10, 0]) for frame in frames] == [0, 60, 180, 240]
    assert [int(frame[:, :96].std()) for frame in frames] == [0] * COUNT
    alone = expected(path([0.0, 0.3, 0.8, 1.0]), torch.zeros(3))
    np.testing.assert_array_equal(frames[:, :, 96:], alone)
    with pytest.raises(SettingsError, match="no input to stand beside"):
        film(SCENE.gaussians, path(), tmp_path / "other", options)


def test_every_frame_is_watched_with_what_was_never_seen(tmp_path: Path) -> None:
    shares: list[float] = []
    film(SCENE.gaussians, path(), tmp_path / "frames", watch=lambda view: shares.append(unseen_share(view)))
    assert len(shares) == COUNT
    assert shares[0] < 0.01
    # The wall ends 2.4 to the right; the last camera stands 2 to the right of the first.
    assert shares[-1] == pytest.approx(0.5 - 0.4 * FOCAL / WALL / WIDTH, abs=0.05)


def test_any_size_will_do(tmp_path: Path) -> None:
    film(SCENE.gaussians, path().resized(51, 33), tmp_path / "frames")
    assert pngs(tmp_path / "frames").shape == (COUNT, 33, 51, 3)
    film(SCENE.gaussians, path().resized(51, 33), tmp_path / "odd.mp4")
    assert read_video(tmp_path / "odd.mp4").shape == (COUNT, 33, 51, 3)


def test_an_interrupted_film_leaves_nothing_and_an_older_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film(SCENE.gaussians, path(), tmp_path / "film.mp4")
    before = (tmp_path / "film.mp4").read_bytes()
    real = film_module.colours
    calls = []

    def failing(*given):
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(film_module, "colours", failing)
    for name in ("film.mp4", "frames"):
        calls.clear()
        with pytest.raises(KeyboardInterrupt):
            film(SCENE.gaussians, path(), tmp_path / name, FilmOptions(depth="png", alpha=True))
    assert [entry.name for entry in tmp_path.iterdir()] == ["film.mp4"]
    assert (tmp_path / "film.mp4").read_bytes() == before


def test_what_cannot_be_written_is_told_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*given, **named):
        raise AssertionError("nothing shall be drawn")

    monkeypatch.setattr(film_module, "views_along", never)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").write_text("")

    def refused(name: str, error: type[Exception], message: str, **options) -> None:
        with pytest.raises(error, match=message):
            film(SCENE.gaussians, path(), tmp_path / name, FilmOptions(**options))

    refused("film.gif", SettingsError, r"must end in one of \.mp4")
    refused("full", RunError, "not an empty folder")
    refused("folder.mp4", RunError, "is a folder: give the name of a video")
    refused("file/film.mp4", RunError, "cannot write")
    refused("film.mp4", SettingsError, "crf must lie between 0", crf=99)
    (tmp_path / "film_depth").mkdir()
    (tmp_path / "film_depth" / "a").write_text("")
    refused("film.mp4", RunError, "film_depth is not an empty folder", depth="png")
    monkeypatch.setenv("PATH", str(tmp_path))
    refused("film.mp4", RunError, "needs an ffmpeg program: pip install imageio-ffmpeg")
    with pytest.raises(SettingsError, match="holds no frame"):
        film(SCENE.gaussians, path()[[]], tmp_path / "none")


def test_frames_are_written_as_they_come(tmp_path: Path) -> None:
    """Flat memory: a picture is in its file before the next one is there."""
    seen = []
    real = film_module.views_along

    def watched(*given, **named):
        for view in real(*given, **named):
            seen.append(len(list(tmp_path.glob(".writing-*/*.png"))))
            yield view

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(film_module, "views_along", watched)
        film(SCENE.gaussians, path(), tmp_path / "frames")
    assert seen == [0, 1, 2, 3]


class FullDisk:
    """An ffmpeg that stops taking frames."""

    def __init__(self, *given, **named) -> None:
        pass

    def __enter__(self) -> FullDisk:
        return self

    def add_image(self, picture: np.ndarray) -> None:
        raise OSError("No space left on device")

    def close(self) -> None:
        raise RuntimeError("Error writing: half a video")


def test_a_full_disk_is_told_and_an_error_of_the_drawing_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mediapy.VideoWriter", FullDisk)
        with pytest.raises(RunError, match=r"cannot write .*a\.mp4 \(No space left.*free space, or choose another"):
            film(SCENE.gaussians, path(), tmp_path / "a.mp4")

    def broken(*given):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(film_module, "colours", broken)
    for name in ("a.mp4", "frames"):
        with pytest.raises(RuntimeError, match=r"^out of memory$"):
            film(SCENE.gaussians, path(), tmp_path / name, FilmOptions(depth="npz"))
    assert list(tmp_path.iterdir()) == []


def test_times_outside_the_clip_show_its_ends(tmp_path: Path) -> None:
    outside = replace(path(), times=torch.tensor([-0.5, 0.0, 1.0, 1.5]))
    film(SCENE.gaussians, outside, tmp_path / "frames")
    clamped = replace(path(), times=torch.tensor([0.0, 0.0, 1.0, 1.0]))
    np.testing.assert_array_equal(pngs(tmp_path / "frames")[..., ::-1], expected(clamped, torch.zeros(3)))
