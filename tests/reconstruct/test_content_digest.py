"""Keys of clips: whole where files are small, quick where they are large, never the same for two that differ."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from neoverse_ns.reconstruct import content_digest as module
from neoverse_ns.reconstruct.content_digest import READ_WHOLE, content_digest


def big(path: Path, size: int, blocks: dict[int, bytes] | None = None) -> Path:
    """A file of holes with a few bytes written; the same time of change for all."""
    with path.open("wb") as stream:
        stream.truncate(size)
        for start, content in (blocks or {}).items():
            stream.seek(start)
            stream.write(content)
    os.utime(path, ns=(10**18, 10**18))
    return path


def test_thirty_gigabytes_take_no_second(tmp_path: Path) -> None:
    path = big(tmp_path / "a.mp4", 30 << 30)
    started = time.perf_counter()
    content_digest(path)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("at", [0, (1 << 30) - 1, (1 << 30) // 63 * 31 + 100])
def test_large_files_differ_by_their_samples(tmp_path: Path, at: int) -> None:
    plain, changed = big(tmp_path / "a.mp4", 1 << 30), big(tmp_path / "b.mp4", 1 << 30, {at: b"x"})
    assert content_digest(plain) != content_digest(changed)
    assert content_digest(plain) == content_digest(big(tmp_path / "c.mp4", 1 << 30))


def test_large_files_differ_by_size_and_time_of_change(tmp_path: Path) -> None:
    path = big(tmp_path / "a.mp4", 1 << 30)
    known = content_digest(path)
    os.utime(path, ns=(10**18, 10**18 + 1))
    assert content_digest(path) != known
    assert content_digest(big(path, (1 << 30) + 1)) != known


def test_small_files_are_known_by_every_byte_and_by_nothing_else(tmp_path: Path) -> None:
    first, second = big(tmp_path / "a", READ_WHOLE), big(tmp_path / "b", READ_WHOLE)
    os.utime(second, ns=(1, 1))
    assert content_digest(first) == content_digest(second)
    with second.open("r+b") as stream:
        stream.seek(READ_WHOLE * 2 // 3 + 12345)
        stream.write(b"x")
    assert content_digest(first) != content_digest(second)


def test_a_folder_of_many_large_images_is_quick_and_told_by_each(tmp_path: Path) -> None:
    for i in range(400):
        big(tmp_path / f"{i:03d}.jpg", 1 << 20, {0: bytes([i % 256])})
    started = time.perf_counter()
    known = content_digest(tmp_path)
    assert time.perf_counter() - started < 2
    big(tmp_path / "200.jpg", 1 << 20, {0: b"other"})
    assert content_digest(tmp_path) != known


def test_a_word_is_said_before_much_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content_digest(big(tmp_path / "small.mp4", 1000))
    assert capsys.readouterr().out == ""
    content_digest(big(tmp_path / "large.mp4", 1 << 30))
    assert "recognising large.mp4" in capsys.readouterr().out


def test_at_most_a_few_megabytes_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[int] = []
    real = module.hashlib.sha256

    class Counting:
        def __init__(self) -> None:
            self.inner = real()

        def update(self, block: bytes) -> None:
            fed.append(len(block))
            self.inner.update(block)

        def hexdigest(self) -> str:
            return self.inner.hexdigest()

    monkeypatch.setattr(module.hashlib, "sha256", Counting)
    content_digest(big(tmp_path / "a.mp4", 8 << 30))
    assert 1 << 20 < sum(fed) < 8 << 20
