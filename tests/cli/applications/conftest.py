"""A small exact scene, saved where the command is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.reconstruct.store import save_scene
from tests.applications.courtyard import Courtyard, courtyard


@pytest.fixture(scope="module")
def yard() -> Courtyard:
    return courtyard()


@pytest.fixture
def scene(yard: Courtyard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert yard.scene.source is not None
    save_scene(yard.scene.source, tmp_path / "scene")
    return tmp_path / "scene"
