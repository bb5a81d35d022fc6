"""Flow led through frames between the sampled ones, against motion that is known exactly."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.tracking_frames import TrackingFrames
from neoverse_ns.reconstruct.bundle.flow.dense_flow import measure_flow, to_gray
from neoverse_ns.reconstruct.bundle.flow.frame_pairs import pair_graph
from neoverse_ns.reconstruct.bundle.tracks.tracked_flow import chained_starts, tracked_flow
from neoverse_ns.reconstruct.split import FrameSplit

WIDTH, HEIGHT, SIDE, BETWEEN = 256, 128, 24, 5
NOISE = 1.5
TRAIN = FrameSplit(train=[0, 1, 2, 3], held_out=[], keyframes=[0, 1, 2, 3])
HELD_OUT = FrameSplit(train=[0, 1, 3, 4], held_out=[2], keyframes=[0, 1, 3, 4])


def _position(seconds: float) -> tuple[float, float]:
    """Upper left corner of a small square that is as far away in every sampled frame as it is wide, twice over."""
    return 20.0 + 44.0 * seconds, 40.0 + 6.0 * seconds


def _frame(seconds: float) -> UInt8[ndarray, "h w 3"]:
    random = np.random.default_rng(0)
    ground = cv2.GaussianBlur(random.uniform(60, 120, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.5)
    square = cv2.GaussianBlur(random.uniform(100, 255, (SIDE, SIDE)).astype(np.float32), (0, 0), 1.2)
    x, y = _position(seconds)
    shift = np.array([[1, 0, x], [0, 1, y]], np.float32)
    cover = cv2.warpAffine(np.ones_like(square), shift, (WIDTH, HEIGHT))
    image = (1 - cover) * ground + cv2.warpAffine(square, shift, (WIDTH, HEIGHT))
    return np.repeat(image.round().clip(0, 255).astype(np.uint8)[..., None], 3, -1)


def _clip(count: int, hidden: tuple[float, float] = (0.0, 0.0)) -> Clip:
    """Sampled at whole seconds, with frames between them except inside `hidden`."""
    moments = [i + k / (BETWEEN + 1) for i in range(count - 1) for k in range(1, BETWEEN + 1)]
    moments = [moment for moment in moments if not hidden[0] < moment < hidden[1]]
    grey = to_gray(np.stack([_frame(moment) for moment in moments]))
    tracking = TrackingFrames(
        torch.from_numpy(np.stack(grey)),
        torch.tensor(moments, dtype=torch.float64),
        torch.tensor([round(moment * (BETWEEN + 1)) for moment in moments]),
    )
    frames = torch.from_numpy(np.stack([_frame(float(i)) for i in range(count)]))
    seconds = torch.arange(count, dtype=torch.float64)
    return Clip(frames, torch.arange(count) * (BETWEEN + 1), seconds, Path("square"), tracking=tracking)


def _square(frame: int) -> Bool[ndarray, "h w"]:
    """Pixels well inside the square."""
    x, y = _position(frame)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[round(y) + 5 : round(y) + SIDE - 5, round(x) + 5 : round(x) + SIDE - 5] = True
    return mask


def _error(flow: Float[ndarray, "h w 2"], i: int, j: int) -> float:
    """Median distance from where the square's pixels truly go."""
    truth = np.subtract(_position(j), _position(i))
    return float(np.median(np.linalg.norm(flow[_square(i)] - truth, axis=-1)))


def test_frames_between_lead_to_where_a_fast_thing_is() -> None:
    clip = _clip(4)
    gray = to_gray(clip.frames.numpy())
    alone = measure_flow(gray, pair_graph(TRAIN, (1,)), NOISE)
    led = tracked_flow(clip, gray, TRAIN, (1,), NOISE)
    assert set(led.flow) == set(alone.flow)
    for i, j in ((0, 1), (1, 2), (2, 1), (3, 2)):
        assert _error(alone.flow[i, j], i, j) > 10
        assert _error(led.flow[i, j], i, j) < 0.5
        # Nothing moves on the ground, far from the square.
        assert float(np.abs(led.flow[i, j][100:, :]).max()) < 0.5


def test_across_a_held_out_frame_things_go_on_as_they_came() -> None:
    clip = _clip(5, hidden=(1.0, 3.0))
    gray = to_gray(clip.frames.numpy())
    starts = chained_starts(clip, gray, pair_graph(HELD_OUT, (1, 2)), set(HELD_OUT.train))
    # Twice the way that it came, turned round, as roughly as steps are measured: near enough to search from.
    way = np.subtract(_position(1), _position(0)) * 2
    np.testing.assert_allclose(np.median(starts[1, 3][_square(1)], axis=0), way, atol=6.0)
    led = tracked_flow(clip, gray, HELD_OUT, (1, 2), NOISE)
    assert _error(led.flow[1, 3], 1, 3) < 0.5
    assert _error(led.flow[3, 1], 3, 1) < 0.5
    # Half of that leads to the held-out frame itself.
    assert _error(led.flow[1, 2], 1, 2) < 0.5


def test_held_out_pixels_touch_no_pair_of_training_frames() -> None:
    clip = _clip(5, hidden=(1.0, 3.0))
    frames = clip.frames.clone()
    frames[2] = torch.randint(0, 256, frames[2].shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    fields = [tracked_flow(clip, to_gray(pixels.numpy()), HELD_OUT, (1, 2), NOISE) for pixels in (clip.frames, frames)]
    for pair in fields[0].pairs:
        if 2 not in pair:
            np.testing.assert_array_equal(fields[0].flow[pair], fields[1].flow[pair])
            np.testing.assert_array_equal(fields[0].confidence[pair], fields[1].confidence[pair])


@pytest.mark.parametrize("split", [TRAIN, HELD_OUT])
def test_without_frames_between_flow_is_what_it_was(split: FrameSplit) -> None:
    clip = _clip(split.count)
    gray = to_gray(clip.frames.numpy())
    alone = Clip(clip.frames, clip.frame_indices, clip.seconds, clip.source)
    led, plain = tracked_flow(alone, gray, split, (1, 2), NOISE), measure_flow(gray, pair_graph(split, (1, 2)), NOISE)
    assert chained_starts(alone, gray, pair_graph(split, (1, 2)), set(split.train)) == {}
    assert led.pairs == plain.pairs
    for pair in plain.pairs:
        np.testing.assert_array_equal(led.flow[pair], plain.flow[pair])
