"""Layouts told by what their folders hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets.detect import LAYOUTS, detect
from neoverse_ns.training.data.sets.registry import DATA_SETS
from neoverse_ns.training.data.sources import open_source
from tests.training.data.sets import test_rgbd_png, test_spatial_vid, test_tartan_air, test_virtual_kitti2, test_waymo
from tests.training.data.sets.known_world import known_world
from tests.training.data.sets.waymo_world import drive

WRITERS: list[tuple[str, Callable[[Path], object]]] = [
    ("rgbd_png", lambda folder: test_rgbd_png.write_seven_scenes(folder, known_world())),
    ("rgbd_png", lambda folder: test_rgbd_png.write_tum(folder, known_world())),
    ("rgbd_png", lambda folder: test_rgbd_png.write_scan_net(folder, known_world())),
    ("spatial_vid", test_spatial_vid.write),
    ("tartan_air", lambda folder: test_tartan_air.write(folder, known_world())),
    ("virtual_kitti2", lambda folder: test_virtual_kitti2.write(folder, known_world())),
    ("waymo", lambda folder: test_waymo.write(folder, drive())),
]


@pytest.mark.parametrize(("name", "write"), WRITERS)
def test_written_data_sets_are_recognised(tmp_path: Path, name: str, write: Callable[[Path], object]) -> None:
    write(tmp_path)
    assert detect(tmp_path) == name


def test_what_other_layouts_hold_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "a" / "train").mkdir(parents=True)
    np.savez(tmp_path / "a" / "train" / "0000.npz", **{"segmentations": np.ones(1), "camera/positions": np.ones(1)})
    assert detect(tmp_path / "a") == "movi_f"
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "frame_annotations_train.jgz").write_bytes(b"")
    assert detect(tmp_path / "b") == "dynamic_replica"
    (tmp_path / "a" / "train" / "0000.npz").rename(tmp_path / "b" / "0000.npz")
    with pytest.raises(ClipError, match="dynamic_replica and movi_f: say which"):
        detect(tmp_path / "b")


def test_other_folders_are_not(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "one.png").write_bytes(b"")
    np.savez(tmp_path / "pictures" / "other.npz", a=np.ones(1))
    (tmp_path / "pictures" / "broken.npz").write_bytes(b"PK")
    with pytest.raises(ClipError, match="none of the known layouts"):
        detect(tmp_path)
    with pytest.raises(ClipError, match="no folder at"):
        detect(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(ClipError, match="file is a file: give the folder"):
        detect(tmp_path / "file")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ClipError, match="nothing is empty"):
        detect(tmp_path / "nothing")
    with pytest.raises(ClipError, match=f"say which with NAME={tmp_path}$"):
        open_source(tmp_path)
    with pytest.raises(ClipError, match="file is neither a manifest"):
        open_source(tmp_path / "file")


def test_every_registered_layout_can_be_recognised() -> None:
    assert set(DATA_SETS) <= set(LAYOUTS)
