"""Paired differences against closed forms and tables of Student's t."""

from __future__ import annotations

import math

import pytest

from neoverse_ns.evaluation.ablations.paired import paired, student


def test_differences_are_of_pairs() -> None:
    found = paired([(11.0, 10.0), (22.0, 20.0), (33.0, 30.0)])
    assert found.mean == pytest.approx(2.0)
    assert found.spread == pytest.approx(1.0)
    assert found.scenes == 3
    # Three scenes say nothing of significance, whatever they differ by.
    assert found.significant is None


def test_pairs_that_lack_a_side_are_left_out() -> None:
    assert paired([(1.0, math.nan), (math.inf, 1.0), (3.0, 1.0)]).scenes == 1
    assert math.isnan(paired([]).mean)


def test_the_interval_is_students() -> None:
    gaps = [0.8, 1.0, 1.2, 0.9, 1.1]
    found = paired([(20 + gap, 20.0) for gap in gaps])
    assert found.half_interval == pytest.approx(2.776 * math.sqrt(0.025) / math.sqrt(5), rel=1e-6)
    assert found.significant is True
    assert (
        paired([(20 + sign * gap, 20.0) for gap, sign in zip(gaps, (1, -1, 1, -1, 1), strict=True)]).significant
        is False
    )


@pytest.mark.parametrize(("freedom", "quantile"), [(4, 2.776), (11, 2.201), (20, 2.086), (60, 2.000)])
def test_quantiles_are_those_of_printed_tables(freedom: int, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, abs=1e-3)
