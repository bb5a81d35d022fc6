"""PLY files of 4D Gaussians."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from plyfile import PlyData, PlyElement

from neoverse_ns.errors import RunError
from neoverse_ns.export.gaussian_ply import read_ply, write_ply
from tests.gaussians.scenes import random_gaussians


@pytest.mark.parametrize("bands", [1, 4])
def test_round_trip_is_exact(tmp_path: Path, bands: int) -> None:
    gaussians = random_gaussians(20)
    gaussians = gaussians.with_(sh=torch.randn(20, bands, 3))
    write_ply(tmp_path / "g.ply", gaussians)
    read = read_ply(tmp_path / "g.ply")
    for name, value in gaussians.tensors().items():
        assert torch.equal(getattr(read, name), value), name


def test_has_the_columns_of_splat_viewers(tmp_path: Path) -> None:
    gaussians = random_gaussians(7)
    write_ply(tmp_path / "g.ply", gaussians)
    vertex = PlyData.read(str(tmp_path / "g.ply"))["vertex"]
    names = [p.name for p in vertex.properties]
    assert names[:9] == ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2"]
    assert names[9:17] == ["opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"]
    np.testing.assert_array_equal(vertex["scale_1"], gaussians.log_scales[:, 1].numpy())


def test_errors_name_the_file_and_the_column(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"missing\.ply"):
        read_ply(tmp_path / "missing.ply")
    (tmp_path / "text.ply").write_text("hello")
    with pytest.raises(RunError, match=r"text\.ply"):
        read_ply(tmp_path / "text.ply")
    table = np.zeros(3, dtype=[("x", "<f4"), ("y", "<f4"), ("z", "<f4")])
    PlyData([PlyElement.describe(table, "vertex")]).write(str(tmp_path / "points.ply"))
    with pytest.raises(RunError, match="f_dc_0"):
        read_ply(tmp_path / "points.ply")
