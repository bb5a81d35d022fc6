"""Fades written as a flat piece and half a bell curve."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neoverse_ns.export.fourdgs.fade import fade_table
from neoverse_ns.gaussians.transition import fade

DISTANCES = (np.arange(2000) + 0.5) / 2000


@pytest.mark.parametrize("gamma", [10.0, 3.0])
@pytest.mark.parametrize("life_span", [0.02, 0.5, 0.9, 0.97])
def test_the_error_told_is_that_of_the_curve_written(life_span: float, gamma: float) -> None:
    table = fade_table(gamma)
    spans = np.array([life_span])
    flat = table.flat_of(spans)
    width, told = table.width_of(spans, flat)[0], table.error_of(spans, flat)[0]
    written = np.where(flat[0] > DISTANCES, 1.0, np.exp(-0.5 * ((DISTANCES - flat[0]) / width) ** 2))
    ours = fade(torch.full((2000,), life_span), torch.from_numpy(DISTANCES).float(), gamma).numpy()
    measured = float(np.sqrt(np.mean((written - ours) ** 2)))
    assert told == pytest.approx(measured, abs=0.003)
    assert measured < (0.03 if life_span > 0.8 else 0.11)
    # The best of all such curves, up to the steps of the table.
    others = [
        np.sqrt(np.mean((np.where(f > DISTANCES, 1.0, np.exp(-0.5 * ((DISTANCES - f) / w) ** 2)) - ours) ** 2))
        for f in np.linspace(0, 1, 21)
        for w in np.geomspace(0.02, 1, 30)
    ]
    assert measured < min(others) + 0.004


def test_another_end_of_the_flat_piece_has_a_width_of_its_own() -> None:
    table = fade_table(10.0)
    spans = np.array([0.9, 0.9, 0.9])
    flats = np.array([0.3, 0.6, 0.75])
    widths = table.width_of(spans, flats)
    assert (np.diff(widths) < 0).all()
    assert table.error_of(spans, flats).argmax() == 0
