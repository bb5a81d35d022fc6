"""The GPU check on the CPU, on little work, on a machine that has not even what the package itself asks for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import check_gpu
import pytest
import torch
from _gpu import drawing, drawing_speed, gsplat_build, machine, video_model
from _gpu.options import Options, Settings
from _gpu.requirements import advice, missing

from neoverse_ns.generate.refiners.wan.memory import Plan
from neoverse_ns.rasterize.gsplat_build import build_identity, failure_log
from neoverse_ns.rasterize.unavailable import Unavailable
from neoverse_ns.user_files import CACHE_VARIABLE

TINY = Settings("cpu", True, ".")
HIDDEN = (
    "nerfstudio",
    "tyro",
    "av",
    "plyfile",
    "viser",
    "mediapy",
    "gsplat",
    "diffusers",
    "transformers",
    "tensorboard",
)
"""What a machine with PyTorch alone does not have."""
HIDE = f"""
import importlib.machinery, sys
from importlib.machinery import PathFinder

class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {HIDDEN!r} else PathFinder.find_spec(name, path, target)

sys.meta_path = [Bare if finder is PathFinder else finder for finder in sys.meta_path]
"""


def test_the_command_runs_where_little_is_installed(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HIDE)
    command = [sys.executable, check_gpu.__file__, "--device", "cpu", "--tiny", "--minutes", "8"]
    command += ["--only", "build", "optimise", "network", "video", "--json", str(tmp_path / "gpu.json")]
    command += ["--markdown", str(tmp_path / "gpu.md")]
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NEOVERSE_CACHE_DIR": str(tmp_path / "cache")}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "pip install gsplat" not in result.stderr  # of no use on a CPU
    assert "missing here: diffusers" in result.stderr
    rows = {row["case"]: row for row in json.loads((tmp_path / "gpu.json").read_text())["rows"]}
    assert {name: row["status"] for name, row in rows.items()} == {
        **{"machine": "ok", "gsplat build": "not run", "video model, tiny, 2 steps": "not run"},
        **{"optimise on the CPU": "ok", "optimise again": "ok"},
        **{f"small network, {kind}": "ok" for kind in ("float32", "by stages", "bfloat16")},
        **{f"network, {count} frames of 56x28": "ok" for count in (2, 3)},
    }
    assert rows["gsplat build"]["text"] == "needs CUDA"
    assert rows["video model, tiny, 2 steps"]["text"].startswith("needs diffusers")
    again = rows["optimise again"]["values"]
    assert again["beside_the_cpu"] == {"training": 0.0, "aside": 0.0}
    assert again["after"]["training"] > again["before"]["training"] + 0.2
    assert set(rows["small network, by stages"]["values"]["apart"].values()) == {0.0}
    assert 0 < max(rows["small network, bfloat16"]["values"]["apart"].values()) < 0.1
    page = (tmp_path / "gpu.md").read_text()
    assert page.count("\n| ") == 1 + len(rows)
    assert f"torch {rows['machine']['values']['versions']['torch']}" in page


@pytest.mark.parametrize("kind", drawing.KINDS)
def test_the_kernels_draw_what_their_twin_draws(kind: str) -> None:
    finding = drawing.measure(TINY, kind)
    assert finding.good, finding.text
    assert finding.values["backend"] == "cpu"
    assert finding.values["mean"] < 1e-6


def test_a_drawing_that_differs_is_wrong() -> None:
    kind, values = drawing.KINDS["pixel-sized Gaussians"], torch.linspace(0, 1, 1000, dtype=torch.float64)
    twin = drawing.Drawn(values, {"means": values, "quats": 0 * values}, "torch")

    def judged(**changes: Any) -> bool:
        return drawing.compare(drawing.Drawn(**{**vars(twin), **changes}), twin, kind).good

    assert judged()
    assert judged(values=values + 5e-6)
    assert not judged(values=values + 2e-5)
    # One pixel may lack a Gaussian, four of a thousand may not.
    assert not judged(values=torch.where(values > 0.9961, values + 2e-3, values))
    assert not judged(gradients={"means": 1.01 * values, "quats": 0 * values})
    assert not judged(gradients={"means": values, "quats": values})
    assert not judged(gradients={"means": values, "quats": values.log()})


def test_speed_is_that_of_both_backends() -> None:
    values = drawing_speed.measure(TINY).values
    assert [values[name]["backend"] for name in ("own", "plain torch")] == ["cpu", "torch"]
    assert 0 < values["own"]["forward_best_ms"] < values["plain torch"]["forward_backward_best_ms"]


def test_the_video_model_is_timed_part_by_part() -> None:
    pytest.importorskip("diffusers")
    values = video_model.measure(TINY).values
    assert (values["frames"], values["steps"]) == (5, 2)
    assert all(values[f"{part}_s"] > 0 for part in ("encode", "sample", "decode"))


def test_the_longest_clip_that_fits_is_taken() -> None:
    plans = {frames: Plan("none", False, size, 0.0) for frames, size in ((81, 50e9), (21, 40e9))}
    assert video_model.most_frames(plans, None) == 81
    assert video_model.most_frames(plans, 45 * 10**9) == 21
    with pytest.raises(RuntimeError, match=r"needs 40\.0 GB, 20\.0 GB are free"):
        video_model.most_frames(plans, 20 * 10**9)


def test_without_cuda_there_is_nothing_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="no CUDA device here"):
        machine.measure(Settings("cuda", True, "."))


def test_a_build_that_fails_is_told_with_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, "elsewhere")
    monkeypatch.setenv("MAX_JOBS", "1")

    def missing_gsplat() -> Unavailable:
        log = failure_log(build_identity())
        assert log is not None
        log.write_text("kernel.cu(3): error: no such thing\nmore")
        return Unavailable("building gsplat failed (no such thing)", "read on")

    monkeypatch.setattr(gsplat_build, "missing_gsplat", missing_gsplat)
    with pytest.raises(RuntimeError, match=r"building gsplat failed \(no such thing\)"):
        gsplat_build.measure(Settings("cpu", True, str(tmp_path)))
    assert "error: no such thing\nmore" in capsys.readouterr().out
    assert list(tmp_path.glob("gsplat/*.log"))  # and not where the user's own cache is
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="no CUDA device"):
        gsplat_build.measure(Settings("cuda", True, str(tmp_path)))


def test_what_to_install_is_named_as_an_index_knows_it() -> None:
    assert missing(["json", "no_such_package", "no_such_package"]) == ["no_such_package"]
    assert "pip install opencv-python-headless gsplat==1.4.0" in advice(["cv2", "gsplat"])


def test_the_command_line_is_read() -> None:
    assert check_gpu.parse([]) == Options("cuda", False, 8.0)
    assert check_gpu.parse(["--only", "a", "b", "--minutes", "2"]).only == ("a", "b")
    with pytest.raises(SystemExit):
        check_gpu.parse(["--minutes", "0"])
