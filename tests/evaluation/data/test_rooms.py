"""EyefulTower and ScanNet++, written with known cameras and lenses and read back."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.registry import benchmark_data
from tests.evaluation.data.fabricate_rooms import (
    DSLR,
    FISHEYE,
    FISHEYE_K,
    SMALL,
    brown_picture,
    fisheye_picture,
    straight_picture,
    write_eyeful,
    write_scannetpp,
)


def test_eyeful_tower_comes_back(tmp_path: Path) -> None:
    made = write_eyeful(tmp_path)
    data = benchmark_data("eyeful-tower")
    assert data.find(tmp_path) == ["office1b"]
    scene = data.open(tmp_path, "office1b")
    # By number, not by name: 9 comes before 10.
    assert [(frame.camera, frame.time) for frame in scene.frames] == [
        (camera, time) for camera in ("9", "10", "17") for time in range(3)
    ]
    for frame in scene.frames:
        key = frame.name.removeprefix("images-jpeg-1k/").removesuffix(".jpg")
        assert frame.c2w is not None
        assert frame.K is not None
        assert (frame.c2w - made.c2w[key]).abs().max() < 1e-6
        assert (frame.K - made.K).abs().max() < 1e-4
        assert (frame.width, frame.height) == SMALL
    assert scene.held_out == {frame.name for frame in scene.frames if frame.camera == "17"}
    assert data.missing(tmp_path, "office1b") == []


def test_eyeful_towers_lens_is_undone(tmp_path: Path) -> None:
    made = write_eyeful(tmp_path, positions=1, sensors=(9,))
    scene = benchmark_data("eyeful-tower").open(tmp_path, "office1b")
    (frame,) = scene.frames
    found = scene.read(frame, "rgb", "valid")
    assert found.rgb is not None
    direct = straight_picture(made.K.numpy(), SMALL).astype(float)
    valid = found.masks["valid"].numpy()
    straight = np.abs(found.rgb.numpy() - direct).mean(-1)[valid].mean()
    # A barrel sees more than a pinhole of its focal length.
    assert valid.mean() > 0.95
    assert straight < 2
    assert straight < 0.2 * np.abs(brown_picture(made.K.numpy()) - direct).mean()


def test_other_lenses_and_missing_splits_are_told(tmp_path: Path) -> None:
    made = write_eyeful(tmp_path)
    data = benchmark_data("eyeful-tower")
    (made.folder / "splits.json").unlink()
    assert "nobody knows which camera is kept" in data.missing(tmp_path, "office1b")[0]
    assert not data.open(tmp_path, "office1b").held_out
    file = made.folder / "cameras.json"
    rows = json.loads(file.read_text())
    file.write_text(json.dumps({"KRT": [{**rows["KRT"][0], "distortionModel": "Fisheye"}]}))
    with pytest.raises(ClipError, match="lens Fisheye is not read here"):
        data.open(tmp_path, "office1b")
    del rows["KRT"][0]["T"]
    file.write_text(json.dumps(rows))
    with pytest.raises(ClipError, match=r"cameras\.json: .*has no 'T'"):
        data.open(tmp_path, "office1b")


def test_scannetpp_comes_back(tmp_path: Path) -> None:
    made = write_scannetpp(tmp_path)
    data = benchmark_data("scannetpp")
    assert data.find(tmp_path) == ["0a5c013435"]
    scene = data.open(tmp_path, "0a5c013435")
    assert [Path(frame.name).name for frame in scene.frames] == list(made.c2w)
    assert [frame.name in scene.held_out for frame in scene.frames] == [False, True, False, False, False]
    for frame in scene.frames:
        assert frame.c2w is not None
        assert (frame.c2w - made.c2w[Path(frame.name).name]).abs().max() < 1e-6
    assert data.missing(tmp_path, "0a5c013435") == []


def test_the_fisheye_is_undone_as_by_opencv(tmp_path: Path) -> None:
    write_scannetpp(tmp_path, frames=2)
    scene = benchmark_data("scannetpp").open(tmp_path, "0a5c013435")
    frame = scene.frames[0]
    assert frame.K is not None
    fx, fy, cx, cy = FISHEYE_K
    K = np.array([[fx, 0, cx - 0.5], [0, fy, cy - 0.5], [0, 0, 1]])
    fitted = cv2.fisheye.estimateNewCameraMatrixForUndistortRectify(K, np.array(FISHEYE), DSLR, np.eye(3), balance=0.0)
    assert np.abs(frame.K.numpy()[[0, 1], [0, 1]] - fitted[[0, 1], [0, 1]]).max() < 1e-4
    assert frame.K[0, 2].item() == 30
    assert frame.K[1, 2].item() == 20
    found = scene.read(frame, "rgb", "valid")
    assert found.rgb is not None
    direct = straight_picture(frame.K.numpy(), DSLR).astype(float)
    valid = found.masks["valid"].numpy()
    straight = np.abs(found.rgb.numpy() - direct).mean(-1)
    # Half a level each by JPEG and by rounding, and what a bilinear sample misses of the wall's curvature.
    assert straight[2:-2, 2:-2].mean() < 2
    assert straight[2:-2, 2:-2].mean() < 0.2 * np.abs(fisheye_picture() - direct).mean()
    # What was made unrecognisable lies in the middle, which the lens hardly moves.
    assert not valid[17:23, 27:33].any()
    assert valid[:10].mean() > 0.9
