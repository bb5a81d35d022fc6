"""One small clip for all examples: reconstructed by the first, taken from the cache by the others."""

from __future__ import annotations

from collections.abc import Iterator
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
def example_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the examples keep reconstructions; what else is cached, as compiled kernels, lies where it always does."""
    folder = tmp_path_factory.mktemp("example_cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("neoverse_ns.reconstruct.cache.cache_root", lambda chosen=None: folder)
        yield folder
