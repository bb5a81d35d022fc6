"""The notebook: a valid one without results in it, whose cells run from top to bottom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.examples.conftest import EXAMPLES

NOTEBOOK = EXAMPLES / "neoverse.ipynb"


@pytest.fixture(scope="module")
def notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_valid_and_holds_no_results(notebook: Any) -> None:
    nbformat.validate(notebook)
    assert all(
        cell.cell_type != "code" or (not cell.outputs and cell.execution_count is None) for cell in notebook.cells
    )
    assert NOTEBOOK.stat().st_size < 20_000


def test_its_cells_run(
    notebook: Any, small_clip: Path, example_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").write_bytes(small_clip.read_bytes())
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert "STEPS = 200\n" in cells[0]
    cells[0] = cells[0].replace("STEPS = 200\n", "STEPS = 4\n")
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda *things, **options: shown.extend(things))
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(cells):
        exec(compile(cell, f"cell {number}", "exec"), names)
    assert [type(thing).__name__ for thing in shown] == ["Image", "Image", "Video", "Video", "Video", "Video"]
    assert names["made"].frames.shape == (17, 80, 128, 3)
    assert (tmp_path / "out" / "exports" / "gaussians.ply").is_file()
