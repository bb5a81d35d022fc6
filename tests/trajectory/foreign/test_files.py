"""Files of other programs, written by our exporters or by hand, read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.camera_files import cameras_json, transforms_json, write_tum
from neoverse_ns.export.colmap.binary import write_binary
from neoverse_ns.export.colmap.model import colmap_model
from neoverse_ns.export.colmap.text import write_text
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.trajectory.foreign.read import read_foreign
from tests.trajectory.foreign.made import FRAMES, SIZE, elsewhere

NAMES = [f"shot_{i}.png" for i in (2, 10, 1, 30, 4, 5)]
"""Not in order: natural order is 1, 2, 4, 5, 10, 30."""
ORDER = [2, 0, 4, 5, 1, 3]


@pytest.mark.parametrize("form", ["text", "binary"])
@pytest.mark.parametrize("place", ["", "sparse/0", "colmap/sparse/0"])
def test_colmap_models_are_found_and_read_in_natural_order(form: str, place: str, tmp_path: Path) -> None:
    cameras = elsewhere()
    write = write_text if form == "text" else write_binary
    write(colmap_model(cameras, NAMES), tmp_path / place)
    read = read_foreign(tmp_path)
    torch.testing.assert_close(read.c2w, cameras.c2w[ORDER], atol=1e-8, rtol=0)
    assert read.K is not None
    torch.testing.assert_close(read.K, cameras.K[ORDER], atol=1e-4, rtol=0)
    assert read.size == SIZE
    assert [label.number for label in read.labels or ()] == [1, 2, 4, 5, 10, 30]
    torch.testing.assert_close(read_foreign(tmp_path / place / f"images.{form[0]}{'xt' if form == 'text' else 'in'}").c2w, read.c2w)  # fmt: skip  # noqa: E501


def test_colmap_lenses_with_one_focal_length_and_bends_are_taken_as_straight(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cameras.txt").write_text("# c\n1 SIMPLE_RADIAL 640 480 500 320 240 0.1\n2 PINHOLE 320 240 250 260 1 2")
    (tmp_path / "images.txt").write_text(
        "# i\n#\n7 1 0 0 0 1 2 3 1 a b 1.png\n10 20 -1 30 40 5\n9 0.5 0.5 -0.5 0.5 0 0 1 2 a b 2.png\n\n"
    )
    read = read_foreign(tmp_path / "images.txt")
    assert read.K is not None
    assert read.K[0, 0].tolist() == [500, 0, 320]
    # The second picture is half as large: in pixels of the first.
    assert read.K[1].tolist() == [[500, 0, 2], [0, 520, 4], [0, 0, 1]]
    assert read.c2w[0, :3, 3].tolist() == [-1, -2, -3]
    assert [label.name for label in read.labels or ()] == ["a b 1", "a b 2"]
    assert "distortion" in capsys.readouterr().out


def test_pycolmap_writes_what_we_read(tmp_path: Path) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    write_binary(colmap_model(elsewhere(), NAMES), tmp_path)
    model = pycolmap.Reconstruction(str(tmp_path))
    (tmp_path / "again").mkdir()
    model.write(str(tmp_path / "again"))
    torch.testing.assert_close(read_foreign(tmp_path / "again").c2w, elsewhere().c2w[ORDER], atol=1e-8, rtol=0)


def test_transforms_are_read_by_name_or_by_time(tmp_path: Path) -> None:
    cameras = elsewhere()
    (tmp_path / "transforms.json").write_text(json.dumps(transforms_json(cameras, NAMES)))
    by_name = read_foreign(tmp_path)
    torch.testing.assert_close(by_name.c2w, cameras.c2w[ORDER].double(), atol=1e-6, rtol=0)
    assert by_name.times is None
    times = torch.tensor([0.0, 0.9, 0.2, 0.3, 1.0, 0.5], dtype=torch.float64)
    (tmp_path / "transforms.json").write_text(json.dumps(transforms_json(cameras, NAMES, times)))
    by_time = read_foreign(tmp_path / "transforms.json")
    torch.testing.assert_close(by_time.c2w, cameras.c2w[times.argsort()], atol=1e-6, rtol=0)
    assert by_time.times is not None
    assert by_time.times.tolist() == sorted(times.tolist())
    assert by_time.clock == "shares"


def test_our_own_cameras_have_numbers_and_seconds(tmp_path: Path) -> None:
    cameras = elsewhere()
    document = cameras_json(cameras, range(4, 22, 3), torch.arange(FRAMES) / 2, [0], {})
    (tmp_path / "cameras.json").write_text(json.dumps(document))
    read = read_foreign(tmp_path / "cameras.json")
    torch.testing.assert_close(read.c2w, cameras.c2w, atol=1e-9, rtol=0)
    assert [label.number for label in read.labels or ()] == [4, 7, 10, 13, 16, 19]
    assert read.times is not None
    assert (read.clock, read.times.tolist()) == ("seconds", [0, 0.5, 1, 1.5, 2, 2.5])


def test_tum_files_are_read_in_the_order_of_time(tmp_path: Path) -> None:
    cameras = elsewhere()
    write_tum(tmp_path / "path.txt", cameras.c2w, torch.arange(FRAMES) / 4)
    lines = (tmp_path / "path.txt").read_text().splitlines()
    (tmp_path / "path.tum").write_text("\n".join([lines[0], "", *reversed(lines[1:])]))
    (tmp_path / "path.csv").write_text("\n".join(line.replace(" ", ", ") for line in lines[1:]))
    for name in ("path.txt", "path.tum", "path.csv"):
        read = read_foreign(tmp_path / name)
        torch.testing.assert_close(read.c2w, cameras.c2w, atol=1e-6, rtol=0)
        assert read.times is not None
        assert read.times.tolist() == [0, 0.25, 0.5, 0.75, 1, 1.25]
    nanoseconds = [f"{1403636579763555584 + 50_000_000 * i} 0 0 {i} 0 0 0 1" for i in range(3)]
    (tmp_path / "euroc.txt").write_text("\n".join(nanoseconds))
    steps = read_foreign(tmp_path / "euroc.txt").times
    assert steps is not None
    assert steps.diff().tolist() == pytest.approx([0.05, 0.05], abs=1e-6)


def test_arrays_may_say_as_much_as_they_know(tmp_path: Path) -> None:
    cameras = elsewhere()
    c2w, K = cameras.c2w.numpy(), cameras.K.numpy()
    np.savez(tmp_path / "a.npz", c2w=c2w[:, :3], K=K[0], times=np.linspace(0, 1, FRAMES), fps=24)
    read = read_foreign(tmp_path / "a.npz")
    torch.testing.assert_close(read.c2w, cameras.c2w)
    assert read.K is not None
    torch.testing.assert_close(read.K, cameras.K[:1].expand(FRAMES, 3, 3))
    # Without a size the principal point is taken for the middle.
    assert (read.size, read.clock, read.fps, read.own_world) == (SIZE, "shares", 24.0, True)
    np.savez(tmp_path / "b.npz", c2w=c2w.astype(np.float32), frame_index=np.arange(FRAMES), width=100, height=50, K=K)
    read = read_foreign(tmp_path / "b.npz")
    assert (read.size, read.own_world) == ((100, 50), False)
    assert [label.number for label in read.labels or ()] == list(range(FRAMES))
    np.savez(tmp_path / "c.npz", c2w=c2w, seconds=np.arange(FRAMES))
    assert read_foreign(tmp_path / "c.npz").clock == "seconds"


def test_a_pose_of_colmap_is_world_to_camera(tmp_path: Path) -> None:
    cameras = elsewhere()
    model = colmap_model(cameras, NAMES)
    torch.testing.assert_close(
        se3_inverse(read_foreign_of(model, tmp_path).c2w)[:, :3, 3], torch.from_numpy(model.poses[ORDER, 4:]),
    )  # fmt: skip


def read_foreign_of(model, folder: Path):
    write_text(model, folder)
    return read_foreign(folder)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.txt", "", "holds no camera"),
        ("few.txt", "0 1 2 3", "line 1.*8 finite numbers"),
        ("word.txt", "0 0 0 0 0 0 0 1\n1 a 0 0 0 0 0 1", "line 2"),
        ("nan.tum", "0 0 0 nan 0 0 0 1", "finite"),
        ("zero.tum", "0 0 0 0 0 0 0 0", "quaternion"),
        ("bytes.txt", b"\xff\xfe\x00", "cannot be read as text"),
        ("images.bin", b"", "cameras.bin cannot be read"),
        ("images.txt", "1 1 0 0 0 0 0 0 1 a.png\n\n", "cameras.txt cannot be read"),
        ("a.npz", b"hello", "npz"),
        ("a.png", b"hello", "not valid JSON"),
        ("a.json", '{"keyframes": []}', "no file of cameras"),
        ("b.json", '{"frames": []}', "frames"),
    ],
)
def test_what_is_no_file_of_cameras_is_named(name: str, content: str | bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(SettingsError, match=said) as raised:
        read_foreign(file)
    assert name.split(".")[0].replace("images", "cameras") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_folders_without_cameras_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="neither a COLMAP model"):
        read_foreign(tmp_path)


def test_damaged_models_are_named(tmp_path: Path) -> None:
    write_binary(colmap_model(elsewhere(), NAMES), tmp_path)
    for name in ("cameras.bin", "images.bin"):
        whole = (tmp_path / name).read_bytes()
        for damaged in (whole[: len(whole) // 2], whole[:8], b"\xff" * len(whole), b""):
            (tmp_path / name).write_bytes(damaged)
            with pytest.raises(SettingsError, match=name):
                read_foreign(tmp_path)
        (tmp_path / name).write_bytes(whole)
    (tmp_path / "images.bin").unlink()
    (tmp_path / "images.txt").write_text("1 1 0 0 0 0 0 0 9 a.png\n\n")
    for lens, said in (("9 PINHOLE 5 5 1 1", "PINHOLE"), ("9 BOX 5 5 1", "BOX"), ("8 PINHOLE 5 5 1 1 2 2", "camera 9")):
        (tmp_path / "cameras.txt").write_text(lens)
        with pytest.raises(SettingsError, match=said):
            read_foreign(tmp_path)
    (tmp_path / "cameras.txt").write_text("9 PINHOLE 5 5 1 1 2 2")
    for image, said in (("1 0 0 0 0 0 0 0 9 a.png", "no usable pose"), ("1 1 0 0 0 0 0 0 x a.png", "damaged"), ("#", "no image")):  # fmt: skip  # noqa: E501
        (tmp_path / "images.txt").write_text(image)
        with pytest.raises(SettingsError, match=said):
            read_foreign(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"c2w": None}, "lacks the array 'c2w'"),
        ({"c2w": np.zeros((3, 3))}, "c2w"),
        ({"c2w": np.ones((2, 4, 4))}, r"c2w\[0\]"),
        ({"K": np.zeros((3, 3))}, "'K'"),
        ({"K": np.eye(3)}, "width"),
        ({"times": np.linspace(0, 2, FRAMES)}, "seconds"),
        ({"times": np.linspace(1, 0, FRAMES)}, "go back"),
        ({"times": np.zeros(2)}, "times"),
        ({"seconds": np.full(FRAMES, np.nan)}, "finite"),
        ({"frame_index": np.array(["a"] * FRAMES)}, "frame_index"),
        ({"fps": 0}, "fps"),
    ],
)
def test_arrays_of_other_content_are_refused(change: dict, said: str, tmp_path: Path) -> None:
    arrays = {"c2w": elsewhere().c2w.numpy()} | change
    np.savez(tmp_path / "a.npz", **{key: value for key, value in arrays.items() if value is not None})
    with pytest.raises(SettingsError, match=said):
        read_foreign(tmp_path / "a.npz")
