"""A run folder that was copied elsewhere works by itself, and nothing appears where it was trained."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.commands import read_video
from tests.e2e.conftest import HELD_OUT, TrainedRun
from tests.e2e.test_train_eval import strict_json


def test_every_command_reads_the_copy_and_writes_nothing_at_the_old_place(run: TrainedRun, tmp_path: Path) -> None:
    copy, kept = tmp_path / "copied run", tmp_path / "kept"
    shutil.copytree(run.folder, copy)
    # The clip and the cache are gone, too: a copy is taken to other machines.
    old = [run.folder, run.shell.cache / "scenes", run.clip]
    for number, path in enumerate(old):
        shutil.move(path, kept.with_name(f"kept{number}"))
    load = ("--load-config", copy / "config.yml")
    try:
        run.shell.succeed("ns-eval", *load, "--output-path", tmp_path / "metrics.json")
        run.shell.succeed(
            *("ns-render", "interpolate", *load, "--output-path", tmp_path / "through.mp4"),
            *("--interpolation-steps", "1", "--pose-source", "eval"),
        )
        run.shell.succeed("ns-export", "gaussian-splat", *load, "--output-dir", tmp_path / "splat")
        run.shell.succeed("ns-neoverse", "export", copy, "--output-dir", tmp_path / "export")
        assert not [path for path in old if path.exists()]
    finally:
        for number, path in enumerate(old):
            shutil.rmtree(path, ignore_errors=True)
            shutil.move(kept.with_name(f"kept{number}"), path)
    metrics = strict_json(tmp_path / "metrics.json")
    assert Path(metrics["checkpoint"]).parent == copy / "nerfstudio_models"
    assert metrics["results"]["num_held_out"] == len(HELD_OUT)
    assert len(read_video(tmp_path / "through.mp4")) == len(HELD_OUT) - 1
    assert (tmp_path / "splat" / "splat.ply").is_file()
    assert (tmp_path / "export" / "gaussians.ply").is_file()
