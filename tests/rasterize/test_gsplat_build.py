"""gsplat's build: whatever goes wrong ends in plain torch and one line, and a failure is not repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from neoverse_ns.errors import SettingsError
from neoverse_ns.rasterize import dispatch
from neoverse_ns.rasterize.gsplat_build import build_identity, failure_log, missing_gsplat
from neoverse_ns.rasterize.unavailable import Unavailable
from tests.owners import give_away

NINJA = """Error building extension 'gsplat_cuda': [1/2] /usr/local/cuda/bin/nvcc --options -c a.cu -o a.cuda.o
FAILED: [code=1] a.cuda.o
/usr/local/cuda/bin/nvcc --options -c a.cu -o a.cuda.o
a.cu(7): error: identifier "nonsense" is undefined
ninja: build stopped: subcommand failed.
"""


@dataclass(frozen=True)
class StandIn:
    """A package that takes gsplat's place."""

    folder: Path

    @property
    def builds(self) -> int:
        """How often its kernels were asked for."""
        return len((self.folder / "builds").read_text()) if (self.folder / "builds").exists() else 0

    def on_build(self, code: str) -> None:
        """What it does then."""
        count = f"open({str(self.folder / 'builds')!r}, 'a').write('.')\n"
        (self.folder / "gsplat" / "cuda" / "_backend.py").write_text(
            f"import os, subprocess\nos.environ['MAX_JOBS'] = '10'\n{count}{code}\n"
        )

    def asked_anew(self) -> Unavailable | None:
        """The answer of another process."""
        _forget()
        return missing_gsplat()


def _forget() -> None:
    missing_gsplat.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "gsplat"]:
        del sys.modules[name]


@pytest.fixture
def gsplat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A gsplat whose kernels are there, and an empty cache."""
    real = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "gsplat"}
    (tmp_path / "gsplat" / "cuda").mkdir(parents=True)
    for folder in ("gsplat", "gsplat/cuda"):
        (tmp_path / folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("NEOVERSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("MAX_JOBS", raising=False)
    stand_in = StandIn(tmp_path)
    stand_in.on_build("_C = object()")
    _forget()
    yield stand_in
    _forget()
    sys.modules.update(real)


ERRORS = {
    "IndexError('list index out of range')": "IndexError: list index out of range",
    "RuntimeError('')": "RuntimeError",
    f"RuntimeError({NINJA!r})": 'RuntimeError: a.cu(7): error: identifier "nonsense" is undefined',
    "OSError(2, 'No such file', 'nvcc')": "FileNotFoundError: [Errno 2] No such file: 'nvcc'",
    "subprocess.CalledProcessError(1, 'ninja')": "CalledProcessError: Command 'ninja' returned non-zero exit status 1.",
    "ImportError('undefined symbol')": "ImportError: undefined symbol",
    "AssertionError()": "AssertionError",
    "SystemExit(3)": "SystemExit: 3",
}


@pytest.mark.parametrize("error", ERRORS)
def test_a_failed_build_is_told_in_one_line_and_not_repeated_until_its_log_is_deleted(
    error: str, gsplat: StandIn
) -> None:
    gsplat.on_build(f"raise {error}")
    first = missing_gsplat()
    assert first is not None
    assert first.reason == f"building gsplat failed ({ERRORS[error]})"
    (log,) = (gsplat.folder / "cache" / "gsplat").iterdir()
    assert str(log) in first.remedy
    assert "delete" in first.remedy
    text = log.read_text()
    assert "Traceback" in text
    assert torch.__version__ in text
    if "nonsense" in error:
        assert NINJA in text
    again = gsplat.asked_anew()
    assert again is not None
    assert again.reason == f"building gsplat failed earlier ({ERRORS[error]})"
    assert again.remedy == first.remedy
    assert gsplat.builds == 1
    log.unlink()
    gsplat.on_build("_C = object()")
    assert gsplat.asked_anew() is None
    assert gsplat.builds == 2
    assert "MAX_JOBS" not in os.environ


def test_another_environment_is_another_build(gsplat: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    gsplat.on_build("raise RuntimeError('no')")
    assert missing_gsplat() is not None
    monkeypatch.setenv("TORCH_CUDA_ARCH_LIST", "9.0")
    assert gsplat.asked_anew() is not None
    monkeypatch.setattr(torch.version, "cuda", "99.0")
    assert gsplat.asked_anew() is not None
    assert gsplat.builds == 3
    assert len(list((gsplat.folder / "cache" / "gsplat").iterdir())) == 3
    assert {"gsplat", "torch", "cuda"} <= build_identity().keys()


def test_kernels_that_came_with_the_package_need_no_build(gsplat: StandIn) -> None:
    gsplat.on_build("raise RuntimeError('no')")
    assert missing_gsplat() is not None
    (gsplat.folder / "gsplat" / "csrc.py").write_text("")
    gsplat.on_build("from gsplat import csrc as _C")
    assert gsplat.asked_anew() is None


def test_what_costs_nothing_to_find_out_is_not_remembered(gsplat: StandIn) -> None:
    gsplat.on_build("_C = None")
    problem = missing_gsplat()
    assert problem is not None
    assert "nvcc" in problem.reason
    (gsplat.folder / "gsplat" / "__init__.py").write_text("import no_such_module")
    problem = gsplat.asked_anew()
    assert problem is not None
    assert "cannot be imported (ModuleNotFoundError: No module named 'no_such_module')" in problem.reason
    assert not (gsplat.folder / "cache").exists() or not list((gsplat.folder / "cache" / "gsplat").iterdir())


def test_without_gsplat(gsplat: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    problem = missing_gsplat()
    assert problem is not None
    assert problem.reason == "gsplat is not installed"
    assert gsplat.builds == 0


def test_a_user_who_stops_the_build_stops_the_command_and_nothing_is_remembered(gsplat: StandIn) -> None:
    gsplat.on_build("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        missing_gsplat()
    gsplat.on_build("_C = object()")
    assert gsplat.asked_anew() is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no numbers of users")
def test_what_another_user_says_of_a_build_is_not_believed(gsplat: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    gsplat.on_build("raise RuntimeError('no')")
    assert missing_gsplat() is not None
    log = failure_log(build_identity())
    assert log is not None
    assert log.is_file()
    give_away(log, monkeypatch)
    problem = gsplat.asked_anew()
    assert problem is not None
    assert "earlier" not in problem.reason
    assert gsplat.builds == 2


def test_where_nothing_can_be_kept_the_line_says_what_is_needed(
    gsplat: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gsplat.folder / "file").write_text("")
    monkeypatch.setenv("NEOVERSE_CACHE_DIR", str(gsplat.folder / "file"))
    gsplat.on_build("raise RuntimeError('no')")
    for _ in range(2):
        problem = gsplat.asked_anew()
        assert problem is not None
        assert problem.reason == "building gsplat failed (RuntimeError: no)"
        assert "CUDA toolkit" in problem.remedy
    assert gsplat.builds == 2


def test_plain_torch_takes_over_on_the_device_with_one_warning(
    gsplat: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    gsplat.on_build("raise IndexError('list index out of range')")
    with FakeTensorMode():
        means = torch.empty(3, 3, device="cuda")
    assert means.is_cuda
    assert [dispatch.choose_backend(means, "auto") for _ in range(3)] == ["torch"] * 3
    output = " ".join(capsys.readouterr().out.split())
    assert output.count("neoverse:") == 1
    assert "building gsplat failed (IndexError: list index out of range); drawing with plain torch" in output
    with pytest.raises(SettingsError, match=r"building gsplat failed.*delete") as raised:
        dispatch.choose_backend(means, "gsplat")
    assert "\n" not in str(raised.value)
    gsplat.on_build("_C = object()")
    for log in (gsplat.folder / "cache" / "gsplat").iterdir():
        log.unlink()
    _forget()
    assert dispatch.choose_backend(means, "auto") == "gsplat"


@pytest.mark.skipif(os.name == "nt", reason="its tools are shell scripts")
def test_a_real_build_that_fails_is_remembered_too(tmp_path: Path) -> None:
    """The installed gsplat with a compiler that refuses everything, in processes of their own."""
    pytest.importorskip("gsplat")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("nvcc", "ninja"):
        (tools / name).write_text('#!/bin/sh\necho "nvcc fatal   : no architecture for $0"\nexit 1\n')
        (tools / name).chmod(0o755)
    code = "from neoverse_ns.rasterize.gsplat_build import missing_gsplat; print(missing_gsplat().reason)"
    environment = os.environ | {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "NEOVERSE_CACHE_DIR": str(tmp_path / "cache"),
        "TORCH_EXTENSIONS_DIR": str(tmp_path / "extensions"),
        "TORCH_CUDA_ARCH_LIST": "8.0",
    }
    said = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.splitlines()[-1])
    assert said[0].startswith("building gsplat failed (")
    assert said[1] == said[0].replace("failed (", "failed earlier (")
