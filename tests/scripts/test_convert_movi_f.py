"""The conversion of MOVi-F, with a stand-in for the package that reads its records."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from convert_movi_f import ConvertMoviF, convert, main

from neoverse_ns.training.data.sets.movi_f import LARGE, SMALL
from neoverse_ns.training.data.sets.registry import data_set

FRAMES = 24


def example(number: int) -> dict[str, Any]:
    shapes = {name: tuple(2 if size is None else size for size in shape) for name, shape in SMALL.items()}
    flat = {name: np.full(shape, number, np.float32) for name, shape in shapes.items()}
    flat |= {name: np.full((FRAMES, 8, 8, 3 if name == "video" else 1), number, np.uint8) for name in LARGE}
    nested: dict[str, Any] = {}
    for name, array in flat.items():
        group, _, feature = name.rpartition("/")
        (nested.setdefault(group, {}) if group else nested)[feature] = array
    return nested


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Records of five examples; what was asked for is noted."""
    asked: list[str] = []

    class Builder:
        info = SimpleNamespace(splits={"train": SimpleNamespace(num_examples=5)})

        def as_dataset(self, split: str, shuffle_files: bool) -> list[dict[str, Any]]:
            assert not shuffle_files
            asked.append(split)
            first, last = map(int, split.removeprefix("train[").removesuffix("]").split(":"))
            return [example(number) for number in range(first, last)]

    def builder(name: str, data_dir: str) -> Builder:
        asked.append(f"{data_dir}/{name}")
        return Builder()

    package = SimpleNamespace(builder=builder, as_numpy=list)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", package)
    return asked


def test_examples_are_written_under_their_numbers_and_once(tmp_path: Path, records: list[str]) -> None:
    options = ConvertMoviF(tmp_path, records="copy", size=128, splits=("train",), first=1, count=2)
    assert convert(options, "train") == 2
    assert records == ["copy/movi_f/128x128", "train[1:3]"]
    rows = data_set("movi_f").find(tmp_path)
    assert [(row.id, row.frames, row.width) for row in rows] == [("train/00001", FRAMES, 8), ("train/00002", FRAMES, 8)]
    with np.load(tmp_path / "train" / "00002.npz") as archive:
        assert (archive["camera/positions"] == 2).all()
        assert archive["video"].shape == (FRAMES, 8, 8, 3)
    assert convert(ConvertMoviF(tmp_path, splits=("train",), count=99), "train") == 3
    assert records[-1] == "train[0:5]"
    assert len(data_set("movi_f").find(tmp_path)) == 5


def test_the_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    monkeypatch.setattr(sys, "argv", ["convert_movi_f.py", str(tmp_path)])
    assert main() == 1
    assert "pip install tensorflow tensorflow_datasets" in capsys.readouterr().out
