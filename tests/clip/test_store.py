"""A saved clip comes back bit for bit, or says what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.focal.hint import FocalHint
from neoverse_ns.clip.store import load_saved_clip, save_clip
from neoverse_ns.errors import RunError


@pytest.fixture
def clip() -> Clip:
    torch.manual_seed(0)
    return Clip(
        frames=torch.randint(0, 256, (3, 16, 32, 3), dtype=torch.uint8),
        frame_indices=torch.tensor([4, 17, 123456]),
        seconds=torch.tensor([0.1, 1 / 3, 7.7], dtype=torch.float64),
        source=Path("some/where.mp4"),
        notes=("using everything", "„quoted“ and\nbroken"),
        source_size=(1280, 720),
    )


def test_round_trip(tmp_path: Path, clip: Clip):
    save_clip(clip, tmp_path / "run" / "clip")
    names = sorted(path.name for path in (tmp_path / "run" / "clip").iterdir())
    assert names == ["clip.json", "frame_00004.png", "frame_00017.png", "frame_123456.png"]
    again = load_saved_clip(tmp_path / "run" / "clip")
    assert torch.equal(again.frames, clip.frames)
    assert torch.equal(again.frame_indices, clip.frame_indices)
    assert torch.equal(again.seconds, clip.seconds)
    assert (again.source, again.notes, again.source_size) == (clip.source, clip.notes, clip.source_size)
    assert again.digest() == clip.digest()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["clip"]


def test_what_is_known_of_the_focal_length_comes_back(tmp_path: Path, clip: Clip):
    hint = FocalHint(focal=0.731, uncertainty=0.03, origin="EXIF, 26 mm in 35 mm terms")
    save_clip(replace(clip, focal_hint=hint), tmp_path / "clip")
    assert load_saved_clip(tmp_path / "clip").focal_hint == hint
    save_clip(clip, tmp_path / "clip")
    # Clips of versions that knew of none are read, too.
    written = json.loads((tmp_path / "clip" / "clip.json").read_text())
    assert written.pop("focal_hint") is None
    (tmp_path / "clip" / "clip.json").write_text(json.dumps(written))
    assert load_saved_clip(tmp_path / "clip").focal_hint is None


def test_ignored_pixels_come_back(tmp_path: Path, clip: Clip):
    ignored = torch.zeros(3, 16, 32, dtype=torch.bool)
    ignored[1, :4, 5:9] = True
    masked = replace(clip, ignored=ignored)
    save_clip(masked, tmp_path / "clip")
    again = load_saved_clip(tmp_path / "clip")
    assert again.ignored is not None
    assert torch.equal(again.ignored, ignored)
    assert again.digest() == masked.digest() != clip.digest()
    (tmp_path / "clip" / "ignored.npz").write_bytes(b"PK broken")
    with pytest.raises(RunError, match="ignored pixels are damaged"):
        load_saved_clip(tmp_path / "clip")
    (tmp_path / "clip" / "ignored.npz").unlink()
    with pytest.raises(RunError, match="ignored pixels are missing"):
        load_saved_clip(tmp_path / "clip")


def test_saving_again_replaces(tmp_path: Path, clip: Clip):
    save_clip(clip, tmp_path / "clip")
    shorter = Clip(clip.frames[:1], clip.frame_indices[:1], clip.seconds[:1], clip.source)
    save_clip(shorter, tmp_path / "clip")
    assert load_saved_clip(tmp_path / "clip").digest() == shorter.digest()
    assert sorted(path.name for path in (tmp_path / "clip").iterdir()) == ["clip.json", "frame_00004.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


def test_an_empty_folder_is_taken_but_nothing_else_is_overwritten(tmp_path: Path, clip: Clip):
    (tmp_path / "empty").mkdir()
    save_clip(clip, tmp_path / "empty")
    assert len(load_saved_clip(tmp_path / "empty")) == 3
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    with pytest.raises(RunError, match="something other than a saved clip"):
        save_clip(clip, tmp_path / "full")
    (tmp_path / "file").write_text("precious")
    with pytest.raises(RunError, match="something other than a saved clip"):
        save_clip(clip, tmp_path / "file")
    assert (tmp_path / "full" / "thesis.txt").read_text() == (tmp_path / "file").read_text() == "precious"


def test_failure_leaves_the_old_clip(tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch):
    save_clip(clip, tmp_path / "clip")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("PIL.Image.Image.save", full)
        with pytest.raises(RunError, match=r"cannot be saved .*No space left"):
            save_clip(Clip(clip.frames[:1], clip.frame_indices[:1], clip.seconds[:1], clip.source), tmp_path / "clip")
    assert load_saved_clip(tmp_path / "clip").digest() == clip.digest()
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


def test_no_clip_there(tmp_path: Path):
    with pytest.raises(RunError, match=r"no saved clip here \(clip\.json is missing\)"):
        load_saved_clip(tmp_path / "nothing")


def edit(folder: Path, **changes: object) -> None:
    description = json.loads((folder / "clip.json").read_text())
    description.update(changes)
    kept = {key: value for key, value in description.items() if value != "dropped"}
    (folder / "clip.json").write_text(json.dumps(kept))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"version": 99}, "has version 99, this program reads version 1"),
        ({"frame_indices": "dropped"}, "clip.json: is damaged"),
        ({"seconds": "dropped"}, "clip.json: is damaged"),
        ({"seconds": None}, "clip.json: is damaged"),
        ({"frame_indices": [], "seconds": []}, "clip.json: is damaged"),
        ({"frame_indices": [4, 17]}, "clip.json: is damaged .*2 frames and 3 times"),
        ({"seconds": [0.1, 0.2]}, "clip.json: is damaged .*3 frames and 2 times"),
        ({"frame_indices": [4, 17], "seconds": [0.1, 1 / 3]}, "not the ones that were saved"),
        ({"seconds": [0.1, 0.2, 0.3]}, "not the ones that were saved"),
        ({"frame_indices": [4, 17, 18]}, r"frame_00018\.png: this frame of the saved clip is missing"),
    ],
)
def test_damaged_description(tmp_path: Path, clip: Clip, changes: dict, match: str):
    save_clip(clip, tmp_path / "clip")
    edit(tmp_path / "clip", **changes)
    with pytest.raises(RunError, match=match):
        load_saved_clip(tmp_path / "clip")


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null"])
def test_description_that_is_no_description(tmp_path: Path, clip: Clip, text: str):
    save_clip(clip, tmp_path / "clip")
    (tmp_path / "clip" / "clip.json").write_text(text)
    with pytest.raises(RunError, match=r"clip\.json: (cannot be read|has version)"):
        load_saved_clip(tmp_path / "clip")


def test_damaged_frames(tmp_path: Path, clip: Clip):
    save_clip(clip, tmp_path / "clip")
    frame = tmp_path / "clip" / "frame_00017.png"
    whole = frame.read_bytes()
    frame.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunError, match=r"frame_00017\.png: this frame of the saved clip is damaged"):
        load_saved_clip(tmp_path / "clip")
    frame.write_bytes((tmp_path / "clip" / "frame_00004.png").read_bytes())
    with pytest.raises(RunError, match="not the ones that were saved"):
        load_saved_clip(tmp_path / "clip")
    frame.unlink()
    with pytest.raises(RunError, match=r"frame_00017\.png: this frame of the saved clip is missing"):
        load_saved_clip(tmp_path / "clip")
