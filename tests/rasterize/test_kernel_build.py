"""The kernels' build cache: damage, races, unwritable folders, and machines without a compiler."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from neoverse_ns.rasterize.cpu import build
from tests.owners import give_away

ROOT = Path(__file__).resolve().parents[2]
DRAW_TWICE = """
    import torch
    from neoverse_ns.rasterize import rasterize
    for backend in ("auto", "auto"):
        means, quats = torch.tensor([[0.0, 0, 2]]), torch.tensor([[1.0, 0, 0, 0]])
        gaussians = (means, quats, torch.full((1, 3), 0.2), torch.ones(1), torch.ones(1, 3))
        K = torch.tensor([[[8.0, 0, 4], [0, 8, 4], [0, 0, 1]]])
        image, alpha, meta = rasterize(*gaussians, torch.eye(4)[None], K, 8, 8, backend=backend)
    print(f"drawn by {meta['backend']}, alpha {alpha.sum():.3f}")
"""


def start(code: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "COLUMNS": "500", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )


@pytest.fixture
def tiny_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for the kernels where only the cache matters, since it compiles at once."""
    source = tmp_path / "source.cpp"
    source.write_text('extern "C" int answer() { return 42; }\n')
    monkeypatch.setattr(build, "SOURCE", source)
    monkeypatch.setenv("NEOVERSE_CACHE_DIR", str(tmp_path / "cache"))
    return source


def test_built_once_per_source_and_compiler(tiny_source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = build.kernel_library()
    assert library.parent == tmp_path / "cache" / "kernels"
    built = library.stat().st_mtime_ns
    assert build.kernel_library() == library
    assert library.stat().st_mtime_ns == built
    tiny_source.write_text('extern "C" int answer() { return 43; }\n')
    other_source = build.kernel_library()
    monkeypatch.setattr(build, "cpu_name", lambda: "another CPU")
    assert len({library, other_source, build.kernel_library()}) == 3
    assert sorted(p.suffix for p in library.parent.iterdir()) == [".sha256"] * 3 + [".so"] * 3


@pytest.mark.parametrize("damage", ["cut off", "emptied", "flipped", "digest lost"])
@pytest.mark.usefixtures("tiny_source")
def test_a_damaged_library_is_built_again(damage: str) -> None:
    library = build.kernel_library()
    content = library.read_bytes()
    if damage == "digest lost":
        library.with_suffix(".sha256").unlink()
    else:
        changed = bytearray(content)
        changed[len(content) // 2] ^= 0xFF
        library.write_bytes({"cut off": content[:-100], "emptied": b"", "flipped": bytes(changed)}[damage])
    assert not build.is_intact(library)
    assert build.kernel_library() == library
    assert build.is_intact(library)
    assert library.read_bytes() == content


def test_flags_that_the_compiler_rejects_are_given_up(tiny_source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "FLAG_SETS", (("-march=no-such-cpu",), ()))
    assert build.is_intact(build.kernel_library())
    tiny_source.write_text("this is not C++\n")
    with pytest.raises(build.KernelBuildError, match="rejects the kernels"):
        build.kernel_library()


@pytest.mark.usefixtures("tiny_source")
def test_an_unusable_cache_folder_is_replaced_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("NEOVERSE_CACHE_DIR", str(tmp_path / "file"))
    library = build.kernel_library()
    assert build.is_intact(library)
    assert tmp_path not in library.parents
    assert "NEOVERSE_CACHE_DIR" in capsys.readouterr().out


FOREIGN = ["library of another user", "digest of another user", "library open to others", "linked library"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither such users nor such rights")
@pytest.mark.parametrize("case", FOREIGN)
@pytest.mark.usefixtures("tiny_source")
def test_kernels_that_others_may_have_written_are_compiled_again(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = os.umask(0o002)
    try:
        library = build.kernel_library()
    finally:
        os.umask(before)
    digest = library.with_suffix(".sha256")
    assert [stat.S_IMODE(p.stat().st_mode) for p in (library.parent, library, digest)] == [0o700, 0o700, 0o600]
    assert build.is_intact(library)
    if case == "library open to others":
        library.chmod(0o775)
    elif case == "linked library":
        library.rename(tmp_path / "elsewhere.so")
        library.symlink_to(tmp_path / "elsewhere.so")
    else:
        give_away(library if case.startswith("library") else digest, monkeypatch)
    assert not build.is_intact(library)
    inode = library.lstat().st_ino
    capsys.readouterr()
    assert build.kernel_library() == library
    assert library.lstat().st_ino != inode
    assert not library.is_symlink()
    output = " ".join(capsys.readouterr().out.split())
    assert output.count("not used, but compiled again") == 1
    monkeypatch.undo()
    assert build.is_intact(library)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no numbers of users")
@pytest.mark.usefixtures("tiny_source")
def test_a_cache_folder_of_another_user_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = build.kernel_library()
    give_away(theirs.parent, monkeypatch)
    mine = build.kernel_library()
    assert tmp_path not in mine.parents
    assert build.is_intact(mine)
    output = " ".join(capsys.readouterr().out.split())
    assert output.count("belongs to another user") == 1
    assert "NEOVERSE_CACHE_DIR" in output


def test_two_processes_may_build_at_once(tmp_path: Path) -> None:
    processes = [start(DRAW_TWICE, NEOVERSE_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert all("drawn by cpu" in output for output in outputs), outputs
    (library,) = (tmp_path / "kernels").glob("*.so")
    assert build.is_intact(library)
    assert len(list((tmp_path / "kernels").iterdir())) == 2


def test_without_a_compiler_torch_draws_with_one_warning(tmp_path: Path) -> None:
    process = start(DRAW_TWICE, NEOVERSE_CACHE_DIR=str(tmp_path), PATH=str(tmp_path), CXX="no-such-compiler")
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    assert "drawn by torch" in output
    assert output.count("plain torch") == 1
    assert output.count("no C++ compiler found") == 1
