"""Benchmarks for methods that need cameras: both splits, in nerfstudio's axes, as the data set has them."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import torch
from neoverse_ns.method_configs.benchmark_dataparser import neoverse_benchmark

from neoverse_ns.plugin.benchmark.other_methods import BenchmarkDataParserConfig
from tests.evaluation.data.fabricate_dycheck import write_dycheck

_FLIP = torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)


@pytest.mark.parametrize("split", ["train", "test"])
def test_cameras_and_pictures_are_those_of_the_protocol(split: str, tmp_path: Path) -> None:
    made = write_dycheck(
        tmp_path / "data", frames=5, size=(32, 48), missing={"2": [0]}, hole=(slice(0, 8), slice(0, 8))
    )
    made = made[0]
    parser = BenchmarkDataParserConfig(
        data=tmp_path / "data", protocol="dycheck-own@1", cache_dir=tmp_path / "cache"
    ).setup()
    outputs = parser.get_dataparser_outputs(split)
    names = ["0"] if split == "train" else ["1", "2"]
    expected = [f"{camera}_{time:05d}" for camera in names for time in made.times[camera]]
    assert len(outputs.image_filenames) == len(expected)
    # Back to the data set's own world and axes.
    c2w = outputs.cameras.camera_to_worlds.double()
    transform = outputs.dataparser_transform.double()
    centres = c2w[..., 3] / outputs.dataparser_scale
    back = (centres - transform[:, 3]) @ transform[:, :3]
    true = torch.stack([made.c2w[name] for name in expected])
    order = [min(range(len(true)), key=lambda i: float((true[i, :3, 3] - one).norm())) for one in back]
    torch.testing.assert_close(back, true[order][:, :3, 3], atol=1e-5, rtol=0)
    torch.testing.assert_close(transform[:, :3].mT @ c2w[..., :3] * _FLIP, true[order][:, :3, :3], atol=1e-5, rtol=0)
    assert float(outputs.cameras.fx[0]) == pytest.approx(float(made.K[0, 0]) / 2)
    assert float(outputs.cameras.cy[0]) == pytest.approx(float(made.K[1, 2]) / 2)
    assert (int(outputs.cameras.width[0]), int(outputs.cameras.height[0])) == (16, 24)
    times = outputs.cameras.times
    assert times is not None
    assert float(times.min()) == 0.0
    assert float(times.max()) == 1.0
    picture = cv2.imread(str(outputs.image_filenames[0]), cv2.IMREAD_UNCHANGED)
    source = cv2.imread(str(made.folder / f"rgb/2x/{expected[0]}.png"), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert source is not None
    assert (picture == source[..., :3]).all()
    # Only pictures of camera 1 have a hole.
    assert (outputs.mask_filenames is None) == (split == "train")
    if outputs.mask_filenames is not None:
        mask = cv2.imread(str(outputs.mask_filenames[0]), cv2.IMREAD_UNCHANGED)
        assert mask is not None
        assert ((mask == 0) == (source[..., 3] < 255)).all()
    if split == "train":
        assert float(c2w[..., 3].abs().max()) == pytest.approx(1.0, abs=1e-5)


def test_pictures_are_written_once(tmp_path: Path) -> None:
    write_dycheck(tmp_path / "data", frames=4, size=(32, 48))
    config = BenchmarkDataParserConfig(data=tmp_path / "data", protocol="dycheck-own@1", cache_dir=tmp_path / "cache")
    first = config.setup().get_dataparser_outputs("train").image_filenames[0]
    written = first.stat().st_mtime_ns
    assert config.setup().get_dataparser_outputs("test").image_filenames[0].parent.parent == first.parent.parent
    assert first.stat().st_mtime_ns == written


def test_it_is_registered() -> None:
    assert isinstance(neoverse_benchmark.config, BenchmarkDataParserConfig)
