"""One small clip for all examples: reconstructed by the first, taken from the cache by the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.clip.synthetic import render_synthetic, save_synthetic

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """13 frames of 128x80."""
    return save_synthetic(render_synthetic(13, 128, 80), tmp_path_factory.mktemp("example_clip"))


@pytest.fixture(scope="session")
def _example_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("example_cache")


@pytest.fixture
def example_cache(_example_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the examples keep reconstructions; what else is cached, as compiled kernels, lies where it always does.

    The folder lasts for the session, but the name is replaced for one test alone: later tests need the real one.
    """
    monkeypatch.setattr("neoverse_ns.reconstruct.cache.cache_root", lambda chosen=None: _example_folder)
    return _example_folder
