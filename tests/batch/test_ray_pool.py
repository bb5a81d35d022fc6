"""Ray's actors as workers: against a stand-in everywhere, and for real where Ray is installed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
import torch

from neoverse_ns.batch import ray_pool
from neoverse_ns.batch.batch import run_batch
from neoverse_ns.batch.do_job import How, do_job
from neoverse_ns.batch.ray_pool import RayPool
from neoverse_ns.errors import PackageError, RunError
from neoverse_ns.reconstruct.feedforward.keeping import keep_networks
from tests.batch import stand_in_ray
from tests.batch.small_steps import job_of, said


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ray's actors are threads of this process, so what a worker sets for itself is set back afterwards."""
    stand_in_ray._STATE.update(up=False, asked={}, options=[], killed=0)
    monkeypatch.setitem(sys.modules, "ray", stand_in_ray)
    monkeypatch.setattr(ray_pool.importlib.util, "find_spec", lambda name: object())
    # Their output is the test's.
    monkeypatch.setattr(ray_pool, "do_job", lambda job, how: do_job(job, How(how.retry_failed, how.wait, log=False)))
    threads, cv2_threads = torch.get_num_threads(), cv2.getNumThreads()
    yield
    keep_networks(False)
    torch.set_num_threads(threads)
    cv2.setNumThreads(cv2_threads)


def test_every_clip_ends_as_it_must(tmp_path: Path, stand_in: None) -> None:
    texts = {"a": "hello", "b": "bad", "c": "dies", "d": "x"}
    table = run_batch([job_of(tmp_path, name, text) for name, text in texts.items()], RayPool(2))
    assert {row.job.name: row.state for row in table.rows} == {"a": "done", "b": "failed", "c": "killed", "d": "done"}
    assert "its actor died" in table.rows[2].reasons()[0]
    assert sorted(said(tmp_path)) == ["a make", "a use", "b make", "d make", "d use"]
    options = stand_in_ray._STATE["options"]
    assert (options[0]["num_cpus"], options[0]["num_gpus"], options[0]["max_restarts"]) == (1.0, 0.5, 0)
    assert stand_in_ray._STATE["asked"] == {"address": None, "log_to_driver": False, "include_dashboard": False}


def test_what_takes_too_long_is_given_up(tmp_path: Path, stand_in: None) -> None:
    jobs = [job_of(tmp_path, "a", "slow", steps=("make",)), job_of(tmp_path, "b", "hello", steps=("make",))]
    pool = RayPool(2, limit_seconds=0.5)
    found = {end.job.name: end.how for end in pool.run(jobs, How(log=False))}
    assert found == {"a": "late", "b": "returned"}
    assert stand_in_ray._STATE["killed"] == 2


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, stand_in: None) -> None:
    with pytest.raises(RunError, match=r"Ray cluster at nowhere:1 cannot be reached: could not find any running"):
        RayPool(1, address="nowhere:1")
    monkeypatch.setattr(ray_pool.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PackageError, match=r"neoverse-ns\[ray\]"):
        RayPool(1)


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_ray_itself(tmp_path: Path) -> None:
    import ray

    texts = {"a": "hello", "b": "bad", "c": "dies once", "d": "dies always"}
    try:
        table = run_batch([job_of(tmp_path, name, text) for name, text in texts.items()], RayPool(2))
    finally:
        ray.shutdown()
    assert {row.job.name: row.state for row in table.rows} == {"a": "done", "b": "failed", "c": "done", "d": "killed"}
    assert said(tmp_path).count("d make") == 2
    assert not list((tmp_path / "out").glob("*/.draft*"))
