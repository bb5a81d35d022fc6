"""`ns-neoverse data`: a good set passes, a wrong one is named and ends in exit code 1, and clips are listed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.cli.data import Check, WriteManifest, _show
from neoverse_ns.cli.main import entrypoint
from neoverse_ns.console import CONSOLE
from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.training.data.check.measures import Measures
from neoverse_ns.training.data.check.report import CheckedSample, CheckReport, _unusable, check_data
from neoverse_ns.training.data.manifest import Manifest
from neoverse_ns.training.data.sets.own_write import RigidThings, write_clip
from neoverse_ns.training.data.sets.registry import data_set
from neoverse_ns.training.data.shards_write import write_shards
from neoverse_ns.training.data.sources import open_clip, open_source
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


def test_clips_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    WriteManifest(folder, folder / "clips.jsonl").run()
    manifest = Manifest(folder / "clips.jsonl")
    assert list(manifest) == data_set("own").find(folder)
    assert len(Manifest(folder / "clips.jsonl", split="val")) == 1
    assert "2 clips (train, val), 18 frames" in " ".join(capsys.readouterr().out.split())


def test_a_list_elsewhere_leads_to_its_clips(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    WriteManifest(folder, tmp_path / "new" / "clips.jsonl").run()
    assert "made the folder" in " ".join(capsys.readouterr().out.split())
    source = open_source(tmp_path / "new" / "clips.jsonl")
    direct = open_source(folder)
    with_list, without = open_clip(source.folder, source.rows[0]), open_clip(direct.folder, direct.rows[0])
    assert torch.equal(with_list.frame(0).rgb, without.frame(0).rgb)
    assert write_shards([source.rows[0]], source.folder, tmp_path / "shards") == 1
    packed = open_source(tmp_path / "shards")
    assert "folder" not in packed.rows[0].source
    assert torch.equal(open_clip(packed.folder, packed.rows[0]).frame(1).rgb, without.frame(1).rgb)
    (tmp_path / "file").touch()
    with pytest.raises(ClipError, match="cannot be written"):
        WriteManifest(folder, tmp_path / "file" / "clips.jsonl").run()


def test_clips_that_lack_what_they_promise_are_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "set"
    shutil.copytree(folder / "train", copy / "a")
    shutil.rmtree(copy / "a" / "depth")
    assert run(monkeypatch, "check", str(copy), "--samples", "1") == 1
    shown = " ".join("".join(capsys.readouterr()).split())
    assert "promises depth and motion, but has none" in shown
    assert "holds clips that cannot be used" in shown
    assert "fit its pictures" not in shown
    for picture in (copy / "a" / "rgb").iterdir():
        picture.write_bytes(picture.read_bytes()[:100])
    report = check_data(data_set("own"), copy, samples=1)
    assert report.samples[0].broken
    assert not report.contradicted
    assert report.used == 0


def test_a_tenth_of_clips_with_empty_cameras_is_wrong() -> None:
    good, short = CheckedSample("a"), CheckedSample("b", "too short")
    assert _unusable([good, good, short]) == []
    broken = CheckedSample("c", "cameras.npz: is empty", broken=True)
    assert _unusable([good] * 9 + [broken]) == ["1 of 10 samples could not be used; the first: cameras.npz: is empty"]


def test_figures_are_whole_in_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CONSOLE, "_width", 80)
    measures = Measures(1.0, 0.0123, 10.25, 111.25, 3.5, 22.5, 4.0)
    sample = CheckedSample(
        "own street/part_12/clip_034_left frames 120..128/4", moving=0.75, scale=12.34, measures=measures
    )
    _show(CheckReport(1, [sample]))
    shown = capsys.readouterr().out
    assert all(len(line) <= 80 for line in shown.splitlines())
    for figure in ("100 %", "1.23 %", "10.25", "111.25", "75 %", "12.34"):
        assert figure in shown
    assert "…" not in shown
