"""Outlines of things against the truth they were drawn with."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from neoverse_ns.reconstruct.bundle.motion.thing_masks import refine_masks
from neoverse_ns.reconstruct.bundle.motion.things import Things, find_things
from tests.reconstruct.bundle.motion.moving_squares import Drawn, Square, draw

NEAR = 2.4
COUNT = 5


def _drawn() -> Drawn:
    return draw([Square([40.0 + 6 * n for n in range(COUNT)], [NEAR] * COUNT)], COUNT)


def _overlap(found: np.ndarray, true: np.ndarray) -> float:
    return ((found > 0) & (true > 0)).sum() / ((found > 0) | (true > 0)).sum()


def test_a_rim_that_goes_along_is_cut_off_and_what_was_left_out_comes_in() -> None:
    drawn = _drawn()
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    for change in (cv2.dilate, cv2.erode):
        rough = np.stack([change(one.astype(np.uint8), disc) for one in drawn.labels]).astype(np.int32)
        fine = refine_masks(Things(rough, np.zeros(2, int)), drawn.images, None, drawn.flows)
        assert _overlap(rough, drawn.labels) < 0.9
        assert _overlap(fine.labels, drawn.labels) > 0.97


def test_where_colours_do_not_tell_a_thing_from_its_surroundings_its_mask_stays() -> None:
    drawn = _drawn()
    images = [torch.full_like(image, 128) for image in drawn.images]
    rough = np.roll(drawn.labels, 3, axis=2)
    assert np.array_equal(refine_masks(Things(rough, np.zeros(2, int)), images, None, drawn.flows).labels, rough)


def test_a_part_that_the_keyframes_beside_show_is_found() -> None:
    drawn = _drawn()
    rough = drawn.labels.copy()
    rough[2][52:] = 0
    fine = refine_masks(Things(rough, np.zeros(2, int)), drawn.images, None, drawn.flows)
    assert _overlap(rough[2], drawn.labels[2]) < 0.7
    assert _overlap(fine.labels[2], drawn.labels[2]) > 0.95


def test_a_thing_that_one_keyframe_missed_is_found_under_its_number() -> None:
    drawn = _drawn()
    moving = drawn.moving.clone()
    moving[2] = False
    things = find_things(moving, drawn.images, drawn.flows)
    fine = refine_masks(things, drawn.images, None, drawn.flows)
    assert fine.count == 1
    assert _overlap(fine.labels[2], drawn.labels[2]) > 0.95


def test_things_do_not_take_from_each_other_and_stay_out_of_what_is_no_part_of_the_world() -> None:
    drawn = draw([Square([40.0] * 3, [NEAR] * 3), Square([74.0] * 3, [NEAR] * 3)], 3)
    free = torch.ones(3, *drawn.labels.shape[1:], dtype=torch.bool)
    free[:, :40] = False
    fine = refine_masks(Things(drawn.labels, np.zeros(3, int)), drawn.images, free, drawn.flows)
    assert not fine.labels[:, :40].any()
    below = np.s_[:, 40:]
    assert (fine.labels[below] == drawn.labels[below]).mean() > 0.99


def test_where_nothing_moves_nothing_is_found() -> None:
    drawn = _drawn()
    nothing = Things(np.zeros_like(drawn.labels), np.zeros(1, int))
    assert not refine_masks(nothing, drawn.images, None, drawn.flows).labels.any()
