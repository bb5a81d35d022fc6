"""Which pixels may become points."""

import numpy as np

from neoverse_ns.export.colmap.candidates import TRUSTED, cell_size, one_per_cell, sure_pixels


def test_what_moves_jumps_or_is_doubted_is_left_out_with_its_surroundings() -> None:
    depth = np.full((40, 384), 2.0, np.float32)
    depth[:, 100:] = 3.0
    confidence = np.full((40, 384), 0.9, np.float32)
    confidence[:, 300:] = TRUSTED - 0.01
    left_out = np.zeros((40, 384), bool)
    left_out[20, 200] = True
    sure = sure_pixels(depth, confidence, left_out, border=6)
    columns = np.nonzero(sure[10])[0]
    assert columns[0] == 6
    assert set(range(97, 103)).isdisjoint(columns)
    assert {96, 103} <= set(columns)
    assert columns[-1] == 299
    assert not sure[17:24, 197:204].any()
    assert sure[16, 200]
    assert not sure[:6].any()
    assert not sure[-6:].any()


def test_a_slope_is_no_edge() -> None:
    depth = np.linspace(2, 4, 384, dtype=np.float32)[None].repeat(40, 0)
    assert sure_pixels(depth, np.ones_like(depth), np.zeros(depth.shape, bool), 6)[20, 10:-10].all()


def test_each_free_cell_gives_its_best_corner() -> None:
    gray = np.full((60, 100), 50, np.uint8)
    gray[20:, 40:] = 200
    side = cell_size(60, 100)
    assert side == 3
    shape = (20, 34)
    rows, columns = one_per_cell(gray, np.ones(gray.shape, bool), np.zeros(shape, bool))
    # Only round the corner are there two directions; a window of 7 pixels sees it from 4 pixels away at most.
    assert len(rows) > 0
    assert (np.abs(rows - 20) <= 5).all()
    assert (np.abs(columns - 40) <= 5).all()
    cells = set(zip((rows // side).tolist(), (columns // side).tolist(), strict=True))
    assert len(cells) == len(rows)
    taken = np.zeros(shape, bool)
    taken[20 // side, 40 // side] = True
    fewer = one_per_cell(gray, np.ones(gray.shape, bool), taken)
    assert len(fewer[0]) == len(rows) - 1
    sure = np.ones(gray.shape, bool)
    sure[15:26, 35:46] = False
    assert len(one_per_cell(gray, sure, np.zeros(shape, bool))[0]) == 0


def test_cells_grow_with_the_picture() -> None:
    assert cell_size(224, 384) == 4
    assert cell_size(720, 1280) == 14
