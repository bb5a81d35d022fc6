"""Manifests: what is written is read, by split too; damage is told by its line; a million rows take no memory."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data import manifest_index
from neoverse_ns.training.data.manifest import Manifest, write_manifest
from neoverse_ns.training.data.manifest_index import Choice, index_path
from neoverse_ns.training.data.manifest_rows import row_from_line, row_line
from neoverse_ns.training.data.row import ManifestRow

FULL = ManifestRow(
    "ä/1",
    "own",
    {"shard": "s.tar", "offset": 512, "size": 4_000_000},
    300,
    29.97,
    1280,
    720,
    "a street\nin the rain",
    "val",
    True,
    frozenset({"depth", "pose"}),
    2.5,
    "CC BY 4.0",
    "ab" * 32,
)


def rows(count: int) -> list[ManifestRow]:
    return [
        ManifestRow(
            f"clip-{n}", "own", {"path": f"{n}"}, 9, 10.0, split="val" if n % 5 == 0 else "train", static=n % 3 == 0
        )
        for n in range(count)
    ]


def test_a_row_is_read_as_it_was_written(tmp_path: Path) -> None:
    plain = ManifestRow("b", "toy", {"path": "b"}, 5, 30.0)
    assert write_manifest(iter([FULL, plain]), tmp_path / "m.jsonl") == 2
    manifest = Manifest(tmp_path / "m.jsonl")
    assert list(manifest) == [FULL, plain]
    assert manifest[-1] == plain
    assert manifest[0:2] == [FULL, plain]
    assert json.loads((tmp_path / "m.jsonl").read_text("utf8").splitlines()[1]) == {
        "id": "b",
        "set": "toy",
        "source": {"path": "b"},
        "frames": 5,
        "fps": 30.0,
    }
    with pytest.raises(IndexError, match="2 rows"):
        manifest[2]


def test_lines_of_others_are_read() -> None:
    row = row_from_line(
        '{"id": "a", "dataset": "own", "source": "a.mp4", "frames": 3, "fps": 2, '
        '"has": {"pose": true, "depth": false}, "unknown": [1]}'
    )
    assert row == ManifestRow("a", "own", {"path": "a.mp4"}, 3, 2.0, has=frozenset({"pose"}))
    # Longer than what is read at once.
    assert row_from_line(row_line(replace(FULL, caption="x" * 100_000))).caption == "x" * 100_000


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"id": "a"}', "'set'"),
        ('{"set": "own"}', "'id'"),
        ('{"id": "a", "set": "own", "source": {"path": 1.5}}', "'source'"),
        ('{"id": "a", "set": "own", "source": "x", "fps": 1}', "'frames'"),
        ('{"id": "a", "set": "own", "source": "x", "frames": true, "fps": 1}', "'frames'"),
        ('{"id": "a", "set": "own", "source": "x", "frames": 1, "fps": NaN}', "'fps'"),
        ('{"id": "a", "set": "own", "source": "x", "frames": 1, "fps": 1, "split": 3}', "'split'"),
        ('{"id": "a", "set": "own", "source": "x", "frames": 1, "fps": 1, "has": ["sound"]}', "'has'"),
        ('{"id": "a", "set": "own", "source": "x", "frames": 1, "fps": 1, "static": "no"}', "'static'"),
        ("\xff", "not"),
    ],
)
def test_damage_is_told_by_its_line(tmp_path: Path, line: str, what: str) -> None:
    good = row_line(FULL)
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"\n".join([good.encode(), b"\r", b"", line.encode("latin1"), good.encode()]))
    manifest = Manifest(path)
    assert len(manifest) == 3
    assert manifest[0] == manifest[2] == FULL
    with pytest.raises(ClipError, match=f"m.jsonl, line 4: .*{what}"):
        manifest[1]


def test_a_split_is_found_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.jsonl"
    every = rows(50)
    write_manifest(every, path)
    for split, static in (("val", None), ("train", True), (None, False)):
        want = [r for r in every if split in (None, r.split) and static in (None, r.static)]
        assert list(Manifest(path, split, static)) == want
    monkeypatch.setattr(manifest_index, "_chosen_starts", None)
    assert len(Manifest(path, "val")) == 10
    assert len(Manifest(path, "train", True)) == sum(r.split == "train" and r.static for r in every)


def test_a_damaged_line_is_told_when_a_split_is_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(f"{row_line(FULL)}\n{{\n")
    with pytest.raises(ClipError, match="line 2: damaged"):
        Manifest(path, "val")


def test_clips_come_in_proportion_to_their_weights(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    weights = {"a": 0.5, "b": 1.0, "c": 0.0, "d": 1.4}
    write_manifest([replace(FULL, id=name, weight=weight) for name, weight in weights.items()], path)
    assert [row.id for row in Manifest(path, "val")] == ["a", "b", "b", "d", "d", "d"]


@pytest.mark.parametrize("last_end", [b"\n", b""])
def test_the_index_is_made_anew_when_the_manifest_changes(tmp_path: Path, last_end: bytes) -> None:
    path = tmp_path / "m.jsonl"
    write_manifest(rows(3), path)
    index = index_path(path, Choice())
    assert np.fromfile(index, dtype="<u8").tolist()[-1] == path.stat().st_size
    assert [row.id for row in Manifest(path, "train")] == ["clip-1", "clip-2"]
    path.write_bytes(b"\n".join(row_line(row).encode() for row in rows(7)) + last_end)
    assert len(Manifest(path)) == 7
    assert len(Manifest(path, "train")) == 5
    # Of equal size, and an index that is younger: lines begin elsewhere.
    text = path.read_bytes()
    lines = text.split(b"\n")
    path.write_bytes(
        b"\n".join([lines[0][:-1] + b" " * 20 + b"}", lines[1].replace(b" ", b""), *lines[2:]])[: len(text)]
    )
    os.utime(path, ns=(1, 1))
    assert Manifest(path)[1].id == "clip-1"
    index.write_bytes(b"torn")
    assert Manifest(path)[1].id == "clip-1"


def test_where_nobody_writes_it_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text("\n".join(map(row_line, rows(5))))

    def refuse(path: Path, offsets: np.ndarray) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(manifest_index, "write_index", refuse)
    manifest = Manifest(path, "train")
    assert [row.id for row in manifest] == [row.id for row in rows(5) if row.split == "train"]
    assert list(pickle.loads(pickle.dumps(manifest))) == list(manifest)
    assert list(tmp_path.iterdir()) == [path]


def test_it_travels_to_another_process_without_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    write_manifest(rows(2000), path)
    manifest = Manifest(path)
    assert manifest[7].id == "clip-7"
    packed = pickle.dumps(manifest)
    assert len(packed) < 1000
    assert pickle.loads(packed)[1999] == manifest[1999]


def test_what_cannot_be_written_leaves_what_was(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    write_manifest(rows(2), path)
    with pytest.raises(ClipError, match=r"two clips of .* are called 'clip-1'"):
        write_manifest([*rows(2), rows(2)[1]], path)
    assert len(Manifest(path)) == 2
    assert {file.name for file in tmp_path.iterdir()} == {"m.jsonl", "m.jsonl.idx"}
    with pytest.raises(ClipError, match="cannot be read"):
        Manifest(tmp_path / "none.jsonl")


def test_a_million_rows_open_at_once_and_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    line = (
        '{"id": "clip-%07d", "set": "own", "source": {"shard": "a", "offset": %d, "size": 9}, "frames": 9, "fps":9}\n'
    )
    with path.open("w") as file:
        file.writelines(line % (n, 512 * n) for n in range(10**6))
    Manifest(path)
    script = (
        "import resource, sys, time\n"
        "from pathlib import Path\n"
        "from neoverse_ns.training.data.manifest import Manifest\n"
        "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "before, began = used(), time.perf_counter()\n"
        "manifest = Manifest(Path(sys.argv[1]))\n"
        "opened = time.perf_counter() - began\n"
        "for number in range(0, len(manifest), 499):\n"
        "    assert manifest[number].source['offset'] == 512 * number\n"
        "print(len(manifest), opened, used() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    count, seconds, megabytes = map(float, done.stdout.split())
    assert count == 10**6
    assert seconds <= 1
    assert megabytes <= 150
