"""What hides the still world that other keyframes have seen, in exact pictures of a floor, a wall and a box."""

from __future__ import annotations

import numpy as np
import torch

from neoverse_ns.reconstruct.bundle.motion.motion_cues import MotionCues
from neoverse_ns.reconstruct.bundle.motion.motion_labels import UNLIKE, with_uncovered
from neoverse_ns.reconstruct.bundle.motion.uncovered import StillView, reaching, still_view, uncovered_cues
from tests.reconstruct.bundle.motion.moving_squares import Drawn, Square, draw
from tests.reconstruct.bundle.motion.walked_scene import FRAMES, MIDDLE, F, H, W, walk

LEG = np.s_[30:50, 44:50]
"""Where a leg of the middle frame hides the floor, of a colour that the floor has nowhere."""

PURPLE = np.array([250, 5, 250], np.float32)


def _colour(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Of world points of floor and wall: smooth, and different everywhere."""
    waves = [np.sin(3 * x + phase) + np.sin(2 * z + 2 * y - phase) for phase in (0.0, 1.0, 2.0)]
    return (128 + 40 * np.stack(waves, -1)).astype(np.float32)


def _seen(viewmat: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Colours and depth of the floor and the wall at 4, from a camera that looks straight ahead and does not turn."""
    shift = np.linalg.inv(viewmat.numpy())[:3, 3]
    y, x = np.mgrid[:H, :W] + 0.5
    ray = np.stack([(x - W / 2) / F, (y - H / 2) / F, np.ones((H, W))], -1)
    with np.errstate(divide="ignore"):
        floor = np.where(ray[..., 1] > 0, (1.0 - shift[1]) / ray[..., 1], np.inf)
    depth = np.minimum(floor, 4.0 - shift[2])
    points = shift + ray * depth[..., None]
    return _colour(*np.moveaxis(points, -1, 0)), depth


def _views(leg: np.ndarray | None = None) -> list[StillView]:
    """What all frames of the walk show; the middle one also a leg."""
    result = []
    for place, viewmat in enumerate(walk()):
        colours, depth = _seen(viewmat)
        if leg is not None and place == MIDDLE:
            colours[LEG] = leg
        result.append(StillView(colours, depth.astype(np.float32), np.ones((H, W), bool), viewmat))
    return result


def test_what_hides_the_known_floor_moves_and_the_floor_does_not() -> None:
    views = _views(PURPLE)
    # The leg's own depth is a guess: nothing of it may be needed.
    views[MIDDLE].depth[LEG] = 0.3
    cues = uncovered_cues(views, F)
    inside, outside = np.zeros((H, W), bool), np.ones((H, W), bool)
    inside[31:49, 45:49], outside[28:52, 42:52] = True, False
    assert (cues[MIDDLE].moving.numpy()[inside] > 0.9).mean() > 0.95
    assert (cues[MIDDLE].moving.numpy()[outside] > 0.5).mean() < 0.02
    assert cues[MIDDLE].still.numpy()[outside].mean() > 5 * cues[MIDDLE].still.numpy()[inside].mean()


def test_one_keyframe_that_shows_a_leg_accuses_nobody_else() -> None:
    """The leg seems to lie on the floor of its own keyframe, from where it is looked for in the others."""
    cues = uncovered_cues(_views(PURPLE), F)
    for place in set(range(FRAMES)) - {MIDDLE}:
        assert (cues[place].moving.numpy() > 0.5).mean() < 0.03


def test_a_brighter_picture_is_no_motion() -> None:
    views = _views()
    views[MIDDLE].colours[:] += 25
    assert (uncovered_cues(views, F)[MIDDLE].moving.numpy() > 0.5).mean() < 0.05


def test_where_depth_is_poor_unlike_colours_say_nothing() -> None:
    good, poor = _views(PURPLE), _views(PURPLE)
    random = np.random.default_rng(0)
    for view in poor:
        view.depth[:] *= random.uniform(0.5, 1.5, (H, W)).astype(np.float32)
        view.colours[:] = np.where(random.random((H, W, 1)) < 0.5, view.colours, random.uniform(0, 255, (H, W, 3)))
    good, poor = (uncovered_cues(views, F)[MIDDLE].moving.numpy() for views in (good, poor))
    assert good[31:49, 45:49].mean() > 0.9
    assert not poor.any()


def test_alone_a_keyframe_says_nothing() -> None:
    cues = uncovered_cues(_views(PURPLE)[:1], F)[0]
    assert not cues.moving.any()
    assert not cues.still.any()


def test_what_moves_or_is_no_part_of_the_world_is_not_taken_for_still() -> None:
    moving, ignored = np.zeros((2, 96, 384), bool)
    moving[40, 100], ignored[10:20] = True, True
    trust = torch.ones(48, 192)
    trust[:, 150:] = 0.1
    image = np.zeros((96, 384, 3), np.uint8)
    view = still_view(image, torch.ones(48, 192), trust, moving, torch.eye(4), 2, ignored)
    assert not view.known[18:22, 48:52].any()
    assert view.known[30:, :150].all()
    assert not view.known[4:11].any()
    assert not view.known[:, 150:].any()


def _drawn() -> Drawn:
    """One thing that is larger than what is sure of it, and a place where only leaves flicker."""
    return draw([Square([40.0, 50.0, 60.0], [2.0, 2.0, 2.0])], 3)


def test_a_region_is_believed_as_a_whole_where_a_good_part_moves_for_sure() -> None:
    drawn = _drawn()
    found, sure = drawn.moving.clone(), drawn.moving.clone()
    sure[:, 40:] = False
    found[:, :10, 100:] = True
    kept = reaching(found, sure, drawn.flows)
    assert torch.equal(kept, drawn.moving)


def test_a_keyframe_in_which_nothing_is_sure_is_helped_by_those_beside() -> None:
    drawn = _drawn()
    sure = drawn.moving.clone()
    sure[1] = False
    assert torch.equal(reaching(drawn.moving, sure, drawn.flows), drawn.moving)


def test_of_a_region_that_is_hardly_sure_only_that_part_stays() -> None:
    drawn = _drawn()
    sure = torch.zeros_like(drawn.moving)
    sure[0, 44:50, 36:42] = True
    kept = reaching(drawn.moving, sure, drawn.flows)
    assert torch.equal(kept[0], sure[0])
    assert not kept[1:].any()


def test_an_unlike_colour_outweighs_flow_that_is_carried_along() -> None:
    one = torch.ones(1, 1)
    total = with_uncovered(MotionCues(0 * one, 3 * one), MotionCues(one, 0 * one))
    assert float(total.moving) == UNLIKE
    assert float(total.still) == 0
