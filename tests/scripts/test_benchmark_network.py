"""The network's benchmark on little work."""

from __future__ import annotations

import json
from pathlib import Path

import benchmark_network
import numpy as np
import pytest
import torch
from _benchmark.network_fixtures import fixture_errors
from _benchmark.network_speed import keyframe_gaussians

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.transition import alive_at
from neoverse_ns.networks.neoverse.splats import keyframe_splats
from tests.fixtures.published import REDUCED
from tests.networks.neoverse.fixtures import TINY, load
from tests.shared import shared_file

FILLER = """
import json, pathlib
import numpy as np
from tests.fixtures.filling import fill, images as network_images

def fill_parameters(network, seed, overrides):
    fill(network.state_dict(), seed, overrides)

def load_case(name):
    folder = pathlib.Path(__file__).parent
    return json.loads((folder / f"{name}.json").read_text()), dict(np.load(folder / f"{name}.npz"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of full numbers, those that the network computes itself."""
    case, _, network, images = load(REDUCED, "tiny_static")
    with torch.no_grad():
        predictions = network(images, is_static=True)
        (part,) = keyframe_splats(predictions, images, torch.tensor([case["timestamps"]]), True)[0]
    arrays = {"depth": predictions.depth, "camera_intrs": predictions.K}
    arrays |= {f"gaussians.0.{field}": getattr(part, field) for field in ("means", "scales", "timestamp")}
    np.savez(tmp_path / "tiny_static.npz", **{key: np.asarray(value) for key, value in arrays.items()})
    (tmp_path / "tiny_static.json").write_text(json.dumps(case))
    (tmp_path / "fill_weights.py").write_text(FILLER)
    return tmp_path


def test_errors_are_those_of_the_arrays_that_differ(folder: Path) -> None:
    errors = dict(fixture_errors(folder, "tiny_static"))
    assert set(errors) == set(np.load(folder / "tiny_static.npz"))
    assert max(errors.values()) < 1e-6
    arrays = dict(np.load(folder / "tiny_static.npz"))
    arrays["depth"] *= 1.01
    arrays["gaussians.0.scales"][7] += np.abs(arrays["gaussians.0.scales"]).max()
    np.savez(folder / "tiny_static.npz", **arrays)
    worse = dict(fixture_errors(folder, "tiny_static"))
    assert worse["depth"] == pytest.approx(0.01 / 1.01, rel=1e-3)
    assert 0.5 < worse["gaussians.0.scales"] <= 1.001
    assert {key for key in errors if worse[key] > 1e-6} == {"depth", "gaussians.0.scales"}


def test_errors_of_a_case_are_small_and_cover_maps_and_gaussians() -> None:
    errors = dict(fixture_errors(shared_file("fixtures"), "tiny_static"))
    assert {"depth", "camera_poses", "gaussians.0.means", "gaussians.0.opacities"} <= set(errors)
    assert 0 < max(errors.values()) < 1e-5


def test_a_folder_without_numbers_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="fill_weights"):
        list(fixture_errors(tmp_path, "tiny_static"))


def test_two_keyframes_of_the_clip_live_at_a_time() -> None:
    gaussians = keyframe_gaussians(5, 4, 6)
    for moment in (0.1, 0.3, 0.9):
        assert int(alive_at(gaussians, moment).sum()) == 2 * 24


def test_report_holds_every_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark_network, "SMALL", TINY)
    report = tmp_path / "report.md"
    options = benchmark_network.NetworkBenchmark(
        small_frames=2, small_size="42x28", keyframes=3, size="42x28", repeats=1, markdown=report
    )
    lines = benchmark_network.run(options)
    text = report.read_text("utf8")
    assert text.splitlines() == lines
    for words in ("meta device", "Small network, 2 frames of 42x28", "3,528 Gaussians", "processor time"):
        assert words in text
    shares = [float(line.split("|")[2].split("%")[0]) for line in lines if line.startswith("| `")]
    assert len(shares) == 8
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 101
