"""PLY files of Gaussians, read back with plyfile alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from plyfile import PlyData

from neoverse_ns.export.gaussian_ply import write_instant, write_motion
from neoverse_ns.export.instant import rows_of
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from tests.export.splat_viewer import columns
from tests.gaussians.scenes import random_gaussians

SPLAT = [*("x", "y", "z", "nx", "ny", "nz"), *(f"f_dc_{i}" for i in range(3))]
SHAPE = ["opacity", *(f"scale_{i}" for i in range(3)), *(f"rot_{i}" for i in range(4))]


def names_of(path: Path) -> list[str]:
    return [p.name for p in PlyData.read(str(path))["vertex"].properties]


@pytest.mark.parametrize("bands", [1, 4])
def test_an_instant_has_the_columns_of_splat_viewers(tmp_path: Path, bands: int) -> None:
    gaussians = random_gaussians(20)
    now = at_time(gaussians.with_(sh=torch.randn(20, bands, 3)), 0.4)
    path = tmp_path / "g.ply"
    write_instant(path, now, ["first line", "second line"])
    rest = [f"f_rest_{i}" for i in range(3 * (bands - 1))]
    assert names_of(path) == [*SPLAT, *rest, *SHAPE]
    data = PlyData.read(str(path))
    assert data.comments == ["first line", "second line"]
    assert data["vertex"].data.dtype == np.dtype([(name, "<f4") for name in names_of(path)])
    assert torch.equal(columns(path, "x", "y", "z"), now.means)
    torch.testing.assert_close(columns(path, "scale_0", "scale_1", "scale_2").exp(), now.scales)
    torch.testing.assert_close(torch.sigmoid(columns(path, "opacity"))[:, 0], now.opacities, atol=1e-6, rtol=1e-5)
    quats = columns(path, *SHAPE[-4:])
    torch.testing.assert_close(quats.norm(dim=-1), torch.ones(len(quats)))
    torch.testing.assert_close(quats, now.quats / now.quats.norm(dim=-1, keepdim=True))
    assert torch.equal(columns(path, "f_dc_0", "f_dc_1", "f_dc_2"), now.sh[:, 0])
    if rest:
        # Channel by channel, as in the layout of 3D Gaussian Splatting.
        assert torch.equal(columns(path, *rest).reshape(-1, 3, 3), now.sh[:, 1:].mT)


@pytest.mark.parametrize("bands", [1, 4])
def test_an_instant_of_nothing_is_an_empty_file(tmp_path: Path, bands: int) -> None:
    now = at_time(random_gaussians(2).with_(sh=torch.zeros(2, bands, 3)), 0.4)
    write_instant(tmp_path / "some.ply", now)
    write_instant(tmp_path / "none.ply", rows_of(now, torch.zeros(2, dtype=torch.bool)))
    assert names_of(tmp_path / "none.ply") == names_of(tmp_path / "some.ply")
    assert len(PlyData.read(str(tmp_path / "none.ply"))["vertex"].data) == 0


def test_full_and_empty_opacity_stay_finite(tmp_path: Path) -> None:
    now = at_time(random_gaussians(3).with_(opacity_logits=torch.tensor([200.0, -200.0, 0.0])), 0.5)
    write_instant(tmp_path / "g.ply", now)
    opacity = columns(tmp_path / "g.ply", "opacity")
    assert opacity.isfinite().all()
    assert torch.sigmoid(opacity).max() > 0.9999


def test_the_file_with_motion_holds_everything_and_says_what_it_is(tmp_path: Path) -> None:
    parts = {FRAMES: random_gaussians(20), BACKGROUND: random_gaussians(5, seed=1), FAR_FIELD: random_gaussians(2, 2)}
    scene = LayeredGaussians(parts)
    path = tmp_path / "g.ply"
    write_motion(path, scene)
    data = PlyData.read(str(path))
    header = "\n".join(data.comments)
    assert "all keyframes" in header
    assert "splat viewers" in header
    assert "layer 1 background" in header
    vertex = data["vertex"]
    assert vertex["layer"].tolist() == [0] * 20 + [1] * 5 + [3] * 2
    assert len(header.splitlines()) == 6
    whole = scene.flat()
    expected = {"opacity": whole.opacity_logits, "life_span": whole.life_span_logits, "keyframe": whole.keyframe}
    expected |= {"dynamic": whole.dynamic, "rot_2": whole.quats[:, 2], "scale_1": whole.log_scales[:, 1]}
    expected |= {"t_prev": whole.interval[:, 0], "t": whole.interval[:, 1], "t_next": whole.interval[:, 2]}
    for axis in range(3):
        for side, toward in enumerate(("next", "prev")):
            expected[f"velocity_{toward}_{axis}"] = whole.velocities[:, side, axis]
            expected[f"angular_{toward}_{axis}"] = whole.angular_velocities[:, side, axis]
        expected["xyz"[axis]] = whole.means[:, axis]
        expected[f"f_dc_{axis}"] = whole.sh[:, 0, axis]
    for name, value in expected.items():
        np.testing.assert_array_equal(vertex[name], value.numpy(), err_msg=name)
    assert set(names_of(path)) == {*expected, *SPLAT, *SHAPE, "layer"}
