"""Each thing that speaks against cameras is said with its remedy, and nothing is said where nothing does."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.cameras.bundle_adjustment import Adjustment
from neoverse_ns.reconstruct.bundle.cameras.doubt import (
    Doubt,
    doubt_about_depth,
    doubt_about_lens,
    doubt_about_links,
    doubt_about_motion,
    judge_cameras,
    largest_piece,
    shaking_degrees,
    unexplained_share,
)
from neoverse_ns.reconstruct.bundle.cameras.focal_interval import FocalInterval
from neoverse_ns.reconstruct.bundle.cameras.lens_choice import LensChoice
from neoverse_ns.reconstruct.bundle.cameras.no_parallax import NO_TEXTURE
from neoverse_ns.reconstruct.bundle.cameras.parallax import CameraSolution
from neoverse_ns.reconstruct.bundle.cameras.state import LensUnknowns, State
from tests.reconstruct.bundle.scenes import empty_observations, random_state

OBSERVATIONS = empty_observations(6)
STATE = random_state(6, OBSERVATIONS.points.shape[0], 0.7, seed=1, turn=0.001)


def solution(
    off: float = 0.03, disagreement: float = 0.0, interval: FocalInterval | None = None, state: State = STATE
) -> CameraSolution:
    """A solution that leaves a share `off` of the flow unexplained."""
    error = torch.zeros(OBSERVATIONS.weights.shape, dtype=torch.float64)
    error[:, : round(off * error.shape[1])] = 3.0
    lens = LensChoice("pinhole", state, LensUnknowns(), 1.0)
    return CameraSolution(Adjustment(state, error, 0.05), lens, interval, disagreement)


def around(focal: float, ratio: float) -> FocalInterval:
    return FocalInterval(focal / ratio, focal * ratio, STATE, 0.05)


def shaking() -> State:
    turns = torch.zeros(6, 6, dtype=torch.float64)
    turns[1::2, 4] = math.radians(3)
    return State(se3_exp(turns), STATE.inverse_depth, STATE.focal)


def test_nothing_is_doubted_where_nothing_speaks_against_it():
    assert judge_cameras(solution(interval=around(0.7, 1.05)), OBSERVATIONS, 3.0) == Doubt("good", ())


@pytest.mark.parametrize(
    ("found", "parallax", "confidence", "words"),
    [
        (solution(off=0.3), 3.0, "fair", "--ignore"),
        (solution(off=0.5), 3.0, "poor", "--start"),
        (solution(off=0.5, state=shaking()), 3.0, "poor", "rolling shutter"),
        (solution(disagreement=0.1), 3.0, "fair", "10% apart"),
        (solution(), 0.2, "fair", "hardly moves"),
        (solution(interval=around(0.7, 1.6)), 3.0, "fair", "--bundle.fov-degrees"),
    ],
)
def test_every_doubt_names_a_remedy(found: CameraSolution, parallax: float, confidence: str, words: str):
    doubt = judge_cameras(found, OBSERVATIONS, parallax)
    assert doubt.confidence == confidence
    assert any(words in reason for reason in doubt.reasons)


@pytest.mark.parametrize(
    ("focal", "ratio", "doubted"),
    [(0.7, 1.05, False), (1.8, 1.05, False), (1.8, 1.2, True), (3.0, 1.05, True), (0.3, 1.05, True), (0.35, 1.2, True)],
)
def test_unusual_fields_of_view_must_be_measured_and_unlikely_ones_are_always_doubted(
    focal: float, ratio: float, doubted: bool
):
    assert bool(doubt_about_lens(focal, around(focal, ratio)).reasons) == doubted
    assert doubt_about_lens(focal, None) == Doubt()


def test_a_thing_that_fills_the_picture_is_doubted_where_flow_disagrees():
    assert doubt_about_motion(0.2, 0.4).confidence == "poor"
    assert doubt_about_motion(0.2, 0.1) == Doubt()
    assert doubt_about_motion(0.05, 0.4) == Doubt()


def test_a_bent_lens_that_was_not_believed_is_told_of():
    bent = LensChoice("radial", replace(STATE, focal=0.75 * STATE.focal), LensUnknowns(radial=True), 0.8)
    found = replace(solution(), lens=replace(solution().lens, rival=bent))
    doubt = judge_cameras(found, OBSERVATIONS, 3.0)
    assert doubt.confidence == "fair"
    assert "20% better" in doubt.reasons[0]
    assert "--bundle.lens radial" in doubt.reasons[0]
    alike = replace(bent, state=STATE)
    assert judge_cameras(replace(found, lens=replace(found.lens, rival=alike)), OBSERVATIONS, 3.0) == Doubt()


def test_guesses_are_called_guesses():
    assert doubt_about_links(0, 12, "lost") == Doubt()
    assert doubt_about_links(2, 12, "lost") == Doubt("fair", ("lost",))
    assert doubt_about_links(5, 12, "lost") == Doubt("poor", ("lost",))
    assert len(doubt_about_depth("static", "assumed", 67.0).reasons) == 2
    assert len(doubt_about_depth("rotation", "measured", 67.0).reasons) == 1
    assert "16 degrees is unusual" in doubt_about_depth("rotation", "measured", 16.0).reasons[1]
    assert doubt_about_depth("static", "assumed", 67.0, NO_TEXTURE).confidence == "poor"


def test_doubts_add_up_and_the_lower_confidence_stays():
    both = Doubt("poor", ("a",)) | Doubt("fair", ("b",))
    assert both == Doubt("poor", ("a", "b"))
    assert Doubt() | Doubt("fair", ("b",)) == Doubt("fair", ("b",))


def test_measures():
    masks = torch.zeros(2, 10, 10, dtype=torch.bool)
    masks[0, :2, :5], masks[0, 5:, 5:], masks[1, 0] = True, True, True
    assert largest_piece(masks) == pytest.approx(0.25)
    assert shaking_degrees(shaking()) == pytest.approx(6.0, rel=1e-3)
    error = torch.zeros(OBSERVATIONS.weights.shape, dtype=torch.float64)
    error[:, ::2] = 2.0
    assert unexplained_share(OBSERVATIONS, error) == pytest.approx(0.5)
