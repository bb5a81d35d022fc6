"""What a clip's own hint does to the expectation of its focal length."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.focal.hint import FocalHint
from neoverse_ns.reconstruct.bundle.cameras.focal_prior import over_width, with_hint
from neoverse_ns.reconstruct.bundle.config import BundleConfig

CONFIG = BundleConfig()


def clip(hint: FocalHint | None) -> Clip:
    return Clip(
        frames=torch.zeros(1, 16, 16, 3, dtype=torch.uint8),
        frame_indices=torch.zeros(1, dtype=torch.int64),
        seconds=torch.zeros(1, dtype=torch.float64),
        source=Path("clip.mp4"),
        focal_hint=hint,
    )


def test_without_a_hint_the_settings_decide() -> None:
    assert with_hint(CONFIG, clip(None)) is CONFIG


def test_a_hint_moves_and_narrows_the_expectation() -> None:
    hinted = clip(FocalHint(1.2, 0.15, "a file"))
    config = with_hint(CONFIG, hinted)
    assert (config.focal_prior, config.focal_prior_spread, config.fov_degrees) == (1.2, 0.15, None)
    assert config.focal_prior_weight == CONFIG.focal_prior_weight
    vague = with_hint(CONFIG, clip(FocalHint(1.2, 2.0, "a file")))
    assert vague.focal_prior_spread == CONFIG.focal_prior_spread


def test_settings_count_by_the_longer_side_and_hints_by_the_width() -> None:
    upright = dataclasses.replace(clip(FocalHint(1.2, 0.15, "a file")), frames=torch.zeros(1, 32, 16, 3).byte())
    assert over_width(CONFIG, upright).focal_prior == pytest.approx(2 * CONFIG.focal_prior)
    assert over_width(CONFIG, upright).focal_guesses == tuple(2 * guess for guess in CONFIG.focal_guesses)
    assert over_width(with_hint(CONFIG, upright), upright).focal_prior == pytest.approx(1.2)


def test_a_view_that_was_calculated_is_known() -> None:
    config = with_hint(CONFIG, clip(FocalHint(0.5, 0.002, "a cut")))
    assert config.fov_degrees == pytest.approx(90)
    assert config.known_focal == pytest.approx(0.5)
    config.validate()


@pytest.mark.parametrize("uncertainty", [0.002, 0.15])
def test_a_field_of_view_that_the_user_gives_stays(uncertainty: float) -> None:
    given = dataclasses.replace(CONFIG, fov_degrees=60.0)
    assert with_hint(given, clip(FocalHint(2.0, uncertainty, "a file"))) is given
    assert given.known_focal == pytest.approx(0.5 / math.tan(math.radians(30)))
