"""The network's benchmark on little work."""

from __future__ import annotations

from pathlib import Path

import benchmark_network
import pytest
import torch
from _benchmark.network_fixtures import fixture_errors
from _benchmark.network_speed import keyframe_gaussians

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.transition import alive_at
from tests.networks.neoverse.fixtures import TINY
from tests.shared import shared_file


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
        small_frames=2, small_size="42x28", keyframes=3, size="42x28", gpu_frames=(), repeats=1, markdown=report
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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_section_measures_time_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark_network, "NetworkArchitecture", lambda: TINY)
    lines = benchmark_network.gpu_section(benchmark_network.NetworkBenchmark(size="42x28", gpu_frames=(2,)))
    assert lines[-1].startswith("| 2 |")
