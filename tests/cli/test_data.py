"""`ns-neoverse data`: a good set passes, a wrong one is named and ends in exit code 1, and clips are listed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.cli.data import Check, WriteManifest
from neoverse_ns.cli.main import entrypoint
from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.manifest import Manifest
from neoverse_ns.training.data.sets.own_write import RigidThings, write_clip
from neoverse_ns.training.data.sets.registry import data_set
from tests.training.data.synthetic_truth import SyntheticTruth, rendered, thing_poses


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sets") / "own"
    things = RigidThings(thing_poses(), lambda index: rendered().things[index].int())
    for split in ("train", "val"):
        write_clip(made / split, SyntheticTruth(furthest=1), things, "png", split=split)
    return made


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["ns-neoverse", "data", *words])
    try:
        entrypoint()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_a_good_set_passes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Check(folder, samples=3, output=tmp_path / "pictures").run()
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 clips of own" in shown
    assert "agree with the pictures" in shown
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == [f"sample_0{i}.jpg" for i in range(3)]
    with pytest.raises(SettingsError, match="--samples"):
        Check(folder, samples=0).run()


def test_a_wrong_set_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {}
    for path in folder.glob("*/cameras.npz"):
        kept[path] = path.read_bytes()
        with np.load(path) as file:
            arrays = dict(file)
        np.savez(path, **(arrays | {"c2w": np.linalg.inv(arrays["c2w"])}))
    code = run(monkeypatch, "check", str(folder), "--samples", "3", "--dataset", "own")
    for path, content in kept.items():
        path.write_bytes(content)
    assert code == 1
    shown = " ".join("".join(capsys.readouterr()).split())
    assert "poses are inverted" in shown


def test_clips_are_listed(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    WriteManifest(folder, tmp_path / "clips.jsonl").run()
    manifest = Manifest(tmp_path / "clips.jsonl")
    assert list(manifest) == data_set("own").find(folder)
    assert len(Manifest(tmp_path / "clips.jsonl", split="val")) == 1
    assert "2 clips (train, val), 18 frames" in " ".join(capsys.readouterr().out.split())
