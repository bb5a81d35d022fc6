"""`ns-neoverse export` on a run that needs no loading: where files go, and what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.cli.export import Export
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.reconstruct.store import save_scene
from tests.export.layered_scene import layered_scene
from tests.plugin.tiny_scene import FRAMES, tiny_scene


class LoadedRun:
    """Stands for a finished run; remembers where it was looked for."""

    asked: list[Path]

    def __init__(self) -> None:
        self.asked = []

    def open(self, config: Path) -> LoadedRun:
        self.asked.append(config)
        return self

    def loaded(self) -> tuple[None, None]:
        return None, None


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LoadedRun:
    loaded = LoadedRun()
    monkeypatch.setattr("neoverse_ns.plugin.run.open_run", loaded.open)
    monkeypatch.setattr("neoverse_ns.plugin.run_source.export_scene", lambda model, source: layered_scene())
    (tmp_path / "config.yml").touch()
    return loaded


def test_a_folder_or_its_config_and_exports_beside_it(
    run: LoadedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Export(tmp_path, format="npz").run()
    Export(tmp_path / "config.yml", tmp_path / "else" / "where", format="npz").run()
    assert run.asked == [tmp_path / "config.yml"] * 2
    assert (tmp_path / "exports" / "scene_4d.npz").is_file()
    assert (tmp_path / "else" / "where" / "scene_4d.npz").is_file()
    assert "for NumPy" in capsys.readouterr().out


def test_many_files_are_told_in_a_line(run: LoadedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Export(tmp_path, options=ExportOptions(fps=12.0, max_gaussians=50), format="ply-sequence").run()
    said = capsys.readouterr().out.replace("\n", "")
    assert "frame0001.ply to frame0007.ply (7 files)" in said


def test_a_place_that_cannot_be_written_is_told(run: LoadedRun, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(RunError, match="taken"):
        Export(tmp_path, tmp_path / "taken", format="npz").run()


def test_an_instant_that_there_is_not_leaves_no_folder(run: LoadedRun, tmp_path: Path) -> None:
    frame = ExportOptions(frame=99)
    with pytest.raises(SettingsError, match="frame must lie between 0 and"):
        Export(tmp_path, options=frame, format="ply").run()
    assert run.asked
    assert not (tmp_path / "exports").exists()
    run.asked.clear()
    # Where the run's scene says how many frames there are, it need not be loaded.
    save_scene(tiny_scene(), tmp_path / "scene", with_gaussians=False)
    with pytest.raises(SettingsError, match=f"frame must lie between 0 and {FRAMES - 1}, got 99"):
        Export(tmp_path, options=frame, format="ply").run()
    assert not run.asked


def test_flags_are_checked_before_the_run_is_opened(run: LoadedRun, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no use for --every"):
        Export(tmp_path, options=ExportOptions(every=2), format="npz").run()
    assert not run.asked
