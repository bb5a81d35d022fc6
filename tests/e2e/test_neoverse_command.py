"""ns-neoverse: geometry only, and the demo."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from plyfile import PlyData

from tests.e2e.commands import Shell, both, changes, read_video
from tests.e2e.conftest import HEIGHT, WIDTH

COUNT = 9


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("neoverse"))


@pytest.fixture(scope="module")
def geometry(shell: Shell, clips: tuple[Path, np.ndarray]) -> Path:
    clip = clips[0] / "clip.mp4"
    shell.succeed(
        *("ns-neoverse", "reconstruct", clip, "--output-dir", "geometry"),
        *("--num-frames", str(COUNT), "--width", str(WIDTH), "--start", "0.25", "--duration", "1.2"),
    )
    return shell.folder / "geometry"


def test_cameras_json(geometry: Path) -> None:
    text = (geometry / "cameras.json").read_text("utf8")
    assert "NaN" not in text
    document = json.loads(text)
    assert document.keys() == {"convention", "width", "height", "frames", "report"}
    assert document["convention"] == "opencv_c2w"
    assert (document["width"], document["height"]) == (WIDTH, HEIGHT)
    frames = document["frames"]
    assert len(frames) == COUNT
    assert all(f.keys() == {"frame_index", "time_sec", "c2w", "K", "is_keyframe"} for f in frames)
    indices = [f["frame_index"] for f in frames]
    assert indices == sorted(set(indices))
    assert [f["time_sec"] for f in frames] == pytest.approx([i / 8 for i in indices], abs=1e-3)
    assert frames[0]["time_sec"] >= 0.25 - 1e-3
    c2w = np.array([f["c2w"] for f in frames])
    assert c2w.shape == (COUNT, 4, 4)
    np.testing.assert_allclose(c2w[0], np.eye(4), atol=1e-5)
    np.testing.assert_allclose(
        c2w[:, :3, :3] @ c2w[:, :3, :3].swapaxes(1, 2), np.eye(3)[None].repeat(COUNT, 0), atol=1e-5
    )
    K = np.array([f["K"] for f in frames])
    assert (K[:, 0, 0] > 0).all()
    np.testing.assert_allclose(K[:, :2, 2], [[WIDTH / 2, HEIGHT / 2]] * COUNT, atol=1e-3)
    assert frames[0]["is_keyframe"]
    assert frames[-1]["is_keyframe"]
    assert document["report"]["seconds"]["flow"] > 0


def test_depth_gaussians_and_camera_files(geometry: Path) -> None:
    document = json.loads((geometry / "cameras.json").read_text("utf8"))
    keyframes = [f["frame_index"] for f in document["frames"] if f["is_keyframe"]]
    with np.load(geometry / "depth.npz") as depth:
        assert depth["depth"].dtype == np.float32
        assert (
            depth["depth"].shape
            == depth["confidence"].shape
            == depth["dynamic"].shape
            == (len(keyframes), HEIGHT, WIDTH)
        )
        assert np.isfinite(depth["depth"]).all()
        assert (depth["depth"] > 0).all()
        assert depth["frame_index"].tolist() == keyframes
    vertex = PlyData.read(str(geometry / "gaussians.ply"))["vertex"]
    assert len(vertex) > HEIGHT * WIDTH
    assert np.isfinite(np.stack([vertex[name] for name in "xyz"])).all()
    motion = PlyData.read(str(geometry / "gaussians_4d.ply"))["vertex"]
    assert len(motion) == document["report"]["num_gaussians"] > len(vertex)
    assert set(np.unique(motion["layer"])) == {0, 1, 3}
    tum = np.loadtxt(geometry / "cameras.tum")
    assert tum.shape == (COUNT, 8)
    np.testing.assert_allclose(tum[:, 1:4], [np.array(f["c2w"])[:3, 3] for f in document["frames"]], atol=1e-5)
    sparse = geometry / "colmap" / "sparse" / "0"
    images = (sparse / "images.txt").read_text("utf8").splitlines()
    posed = [line.split()[-1] for line in images if line.endswith(".png")]
    assert len(posed) == COUNT
    assert all((geometry / "colmap" / "images" / name).is_file() for name in posed)
    assert (sparse / "cameras.txt").read_text("utf8").count("PINHOLE") == 1
    points = [line.split() for line in (sparse / "points3D.txt").read_text("utf8").splitlines()[1:]]
    assert len(points) > 500
    # Each is followed by pairs of image and place, one for every frame that sees it.
    assert min((len(row) - 8) / 2 for row in points) >= 2
    assert np.mean([float(row[7]) for row in points]) < 0.5


def test_reconstruct_refuses_bad_input_in_one_line(shell: Shell, clips: tuple[Path, np.ndarray]) -> None:
    (shell.folder / "empty").mkdir()
    (shell.folder / "broken.mp4").write_bytes(b"no video at all")
    (shell.folder / "file").write_text("not a folder")
    clip = clips[0] / "clip.mp4"
    lines: dict[str, str] = {}

    def fail(name: str, *arguments: str | Path) -> None:
        lines[name] = shell.fail("ns-neoverse", "reconstruct", *arguments)

    both(
        lambda: fail("missing", "nothing.mp4", "--output-dir", "x"),
        lambda: fail("empty", "empty", "--output-dir", "x"),
        lambda: fail("broken", "broken.mp4", "--output-dir", "x"),
        lambda: fail("width", clip, "--output-dir", "x", "--width", "3"),
        lambda: fail("output", clip, "--output-dir", "file", "--num-frames", "2", "--width", "64"),
    )
    assert "nothing.mp4" in lines["missing"]
    assert "empty" in lines["empty"]
    assert "broken.mp4" in lines["broken"]
    assert "width" in lines["width"]
    assert "cannot write to file" in lines["output"]


def test_demo_goes_all_the_way(shell: Shell) -> None:
    result = shell.succeed(
        *("ns-neoverse", "demo", "--output-dir", "demo", "--method", "neoverse-feedforward"),
        *("--num-frames", "9", "--width", "128", "--height", "80"),
    )
    folder = shell.folder / "demo"
    video = read_video(folder / "new_path.mp4")
    assert video.shape == (18, 80, 128, 3)
    assert changes(video).mean() > 0.5
    metrics = json.loads((folder / "metrics.json").read_text("utf8"))["results"]
    assert metrics["psnr"] > 17
    assert f"PSNR {metrics['psnr']:.2f} dB" in result.line_with("held-out frames")
    config = Path(result.line_with("ns-viewer --load-config").split()[-1])
    assert config.is_file()
    assert "second camera" in result.output
