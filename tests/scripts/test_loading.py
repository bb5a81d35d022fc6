"""Simulated trainings against closed forms, the sampler's count of repeats, and the arithmetic of a cluster."""

from __future__ import annotations

from pathlib import Path

from _benchmark.cluster import Cluster, Data, generator_lines, reconstructor_lines
from _benchmark.loading import Loading, sampler_figures, simulate
from benchmark_loading import arithmetic

from neoverse_ns.training.data.sources import ClipSource

NOTHING = ClipSource("none", Path(), [])


def test_loaders_add_up_until_they_keep_up() -> None:
    # A batch takes three steps: one loader makes training wait two thirds of its time, four make it wait hardly ever.
    one = simulate(Loading(NOTHING, 0.3, 1), 1, 1, [0.1], 6)
    many = simulate(Loading(NOTHING, 0.3, 1), 1, 4, [0.1], 12)
    assert one.waiting > 0.5
    assert many.waiting < one.waiting - 0.2
    assert many.rate > 1.5 * one.rate
    assert (one.ranks, one.workers, one.step) == (1, 1, 0.1)


def test_the_sampler_leaves_none_out_and_repeats_none() -> None:
    found = sampler_figures(60, 4, [90, 40], [0.7, 0.3])
    assert found["samples"] > 300
    assert found["epochs"] >= 3
    assert (found["repeats"], found["missed"]) == (0, 0)


def test_figures_of_a_cluster_follow_from_what_is_given() -> None:
    lines = dict(reconstructor_lines(Cluster("any", nodes=1, gpus=2, step_seconds=3.0), Data()))
    # Keyframes 2..8 of 8 make 4, 2, 2, 1, 1, 1, 1 clips of 2k - 1 frames: 12 frames a step on average.
    assert lines["clips of a step and accelerator, on average"] == "1.71"
    assert lines["samples and frames a second"] == "1 and 8"
    assert lines["150 K steps"] == "5.2 days"
    assert lines["clips on disk"] == "3.7 TB"
    other = dict(generator_lines(Cluster("any", nodes=1, gpus=10, generator_seconds=20.0), Data(videos=500_000)))
    assert other["clips a second"] == "0.5"
    assert other["pairs in all"] == "0.5 M: every video of 0.5 M comes 1.0 times"
    assert other["50 K steps"] == "11.6 days"


def test_the_page_has_the_figures_that_are_computed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf8")
    rows = [line for line in "\n".join(arithmetic()).splitlines() if line.startswith("|")]
    assert len(rows) > 14
    assert [row for row in rows if row not in page] == []
