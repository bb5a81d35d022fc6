"""Even motion of a thing, from flow that is torn at its edge."""

from __future__ import annotations

import numpy as np
import pytest

from neoverse_ns.applications.track.local_motion import local_motion, sample

HEIGHT, WIDTH = 120, 384
SLOPE = np.array([[0.02, -0.05], [0.04, 0.01]])
MIDDLE = np.array([180.0, 60.0])
RADIUS = 25.0


def true_flow(xy: np.ndarray) -> np.ndarray:
    return (xy - MIDDLE) @ SLOPE.T + np.array([7.0, -3.0])


@pytest.fixture
def disc() -> tuple[np.ndarray, np.ndarray]:
    """Flow of a disc that turns and grows before a background that rests, and its pixels."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    xy = np.stack([x, y], -1)
    inside = ((xy - MIDDLE) ** 2).sum(-1) < RADIUS**2
    noise = np.random.default_rng(0).normal(0, 0.2, xy.shape)
    return np.where(inside[..., None], true_flow(xy) + noise, 0.0), inside


def test_motion_is_that_of_the_thing_up_to_its_edge_and_beyond(disc: tuple[np.ndarray, np.ndarray]) -> None:
    flow, inside = disc
    # A band along the edge is torn along with the background, as measured flow is.
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    rim = inside & (((np.stack([x, y], -1) - MIDDLE) ** 2).sum(-1) > (RADIUS - 3) ** 2)
    flow = np.where(rim[..., None] & (x < MIDDLE[0])[..., None], 0.0, flow)
    found = local_motion(flow, np.ones((HEIGHT, WIDTH)), inside)
    assert found is not None
    places = MIDDLE + np.array([[0, 0], [10, 0], [0, -15], [-RADIUS + 1, 0], [RADIUS + 4, 0]])
    moved, slope, evidence = found.at(places)
    np.testing.assert_allclose(moved[:3], true_flow(places[:3]), atol=0.15)
    np.testing.assert_allclose(moved[3:], true_flow(places[3:]), atol=0.6)
    np.testing.assert_allclose(slope[0], SLOPE, atol=0.012)
    assert evidence[0] == pytest.approx(1.0, abs=0.02)
    assert evidence[4] < evidence[3] < evidence[0]


def test_other_pixels_have_no_say(disc: tuple[np.ndarray, np.ndarray]) -> None:
    flow, inside = disc
    other = np.where(inside[..., None], flow, 50.0)
    motions = [local_motion(each, np.ones((HEIGHT, WIDTH)), inside) for each in (flow, other)]
    assert motions[0] is not None
    assert motions[1] is not None
    np.testing.assert_array_equal(motions[0].values, motions[1].values)


def test_too_little_is_nothing(disc: tuple[np.ndarray, np.ndarray]) -> None:
    flow, inside = disc
    assert local_motion(flow, np.zeros((HEIGHT, WIDTH)), inside) is None
    assert local_motion(flow, np.ones((HEIGHT, WIDTH)), np.zeros_like(inside)) is None


def test_outside_its_part_a_motion_has_no_evidence(disc: tuple[np.ndarray, np.ndarray]) -> None:
    flow, inside = disc
    found = local_motion(flow, np.ones((HEIGHT, WIDTH)), inside)
    assert found is not None
    assert found.at(np.array([[5.0, 5.0]]))[2] == 0


def test_values_are_interpolated_between_pixel_centres() -> None:
    picture = np.arange(12, dtype=np.float64).reshape(3, 4, 1)
    found = sample(picture, np.array([[0.5, 0.5], [1.0, 1.0], [3.5, 2.5], [-4.0, 9.0]]))[:, 0]
    np.testing.assert_allclose(found, [0.0, 2.5, 11.0, 8.0])
