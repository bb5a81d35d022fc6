"""Settings are checked; frames are picked evenly in time; frames keep square pixels."""

from __future__ import annotations

from dataclasses import fields

import cv2
import numpy as np
import pytest
import tyro
import yaml
from hypothesis import given
from hypothesis import strategies as st

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.resize import fit, target_size
from neoverse_ns.clip.sampling import sample_evenly, spaced, spaced_start, window_end
from neoverse_ns.errors import SettingsError

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("start", v) for v in (NAN, INF, -0.1)],
        *[(name, v) for name in ("duration", "frame_rate", "image_rate") for v in (NAN, INF, 0.0, -1.0)],
        *[("num_frames", v) for v in (0, -3)],
        *[("width", v) for v in (0, 15, -384)],
        ("shot", -1),
    ],
)
def test_settings_out_of_range_are_named(name: str, value: float):
    config = ClipConfig(**{name: value})
    with pytest.raises(SettingsError, match=f"^{name} must be .*got {value}"):
        config.validate()


def test_defaults_and_limits_are_valid():
    ClipConfig().validate()
    ClipConfig(start=3.5, duration=0.01, num_frames=1, width=16, shot=0).validate()


def test_config_survives_yaml_and_the_command_line():
    config = ClipConfig(start=1.5, num_frames=12)
    assert yaml.load(yaml.dump(config), Loader=yaml.UnsafeLoader) == config
    parsed = tyro.cli(ClipConfig, args=["--start", "1.5", "--num-frames", "12"])
    assert parsed == config


def test_every_setting_is_documented(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        tyro.cli(ClipConfig, args=["--help"])
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for setting in fields(ClipConfig):
        assert f"--{setting.name.replace('_', '-')}" in text
    assert "None takes the longest" in text


@st.composite
def times_and_count(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    steps = draw(st.lists(st.floats(0.001, 3.0), min_size=0, max_size=40))
    times = np.concatenate([[0.0], np.cumsum(steps)])
    return times, draw(st.integers(1, len(times)))


@given(times_and_count())
def test_sampled_frames_are_distinct_and_span_the_clip(case: tuple[np.ndarray, int]):
    times, count = case
    picked = sample_evenly(times, count)
    assert len(picked) == count
    assert (np.diff(picked) > 0).all()
    assert picked[0] == 0
    assert count == 1 or picked[-1] == len(times) - 1


@given(times_and_count())
def test_nearest_frames_are_taken_wherever_they_are_distinct(case: tuple[np.ndarray, int]):
    times, count = case
    nearest = [int(np.abs(times - t).argmin()) for t in np.linspace(times[0], times[-1], count)]
    if len(set(nearest)) == count and count > 1:
        np.testing.assert_array_equal(sample_evenly(times, count), nearest)


def test_a_gap_is_surrounded_evenly():
    # Frames at 0..4 and 96..100: seven wanted times, three of them inside the gap.
    times = np.array([0.0, 1, 2, 3, 4, 96, 97, 98, 99, 100])
    picked = sample_evenly(times, 7)
    assert picked[0] == 0
    assert picked[-1] == 9
    assert set(picked) >= {4, 5}


def test_window_covers_the_default_duration():
    times = np.arange(300) / 30
    assert window_end(times, 25, 8.0) == 91
    assert window_end(times[:50], 25, 8.0) == 50
    assert window_end(np.arange(300) / 2.0, 25, 8.0) == 25
    assert window_end(times, 1, 8.0) == 1


def test_spacing_is_the_largest_that_fits():
    assert [spaced(n, 81, 5) for n in (81, 160, 161, 240, 241, 400, 401, 2000)] == [1, 1, 2, 2, 3, 4, 5, 5]
    assert spaced(50, 1, 5) == 5


def test_every_place_where_frames_fit_is_a_start_equally_often():
    # Nine frames, four apart, cover 33 of 38: six places.
    starts = [spaced_start(38, 9, 4, offset) for offset in np.linspace(0, 1, 600, endpoint=False)]
    assert [starts.count(place) for place in range(6)] == [100] * 6
    assert spaced_start(38, 9, 4, 1.0) == 5
    assert spaced_start(33, 9, 4, 0.7) == 0


@pytest.mark.parametrize(
    ("source", "width", "device", "expected"),
    [
        ((1280, 720), None, "cpu", (384, 224)),
        ((1280, 720), None, "cuda:0", (560, 320)),
        ((720, 1280), None, "cpu", (224, 384)),
        ((720, 1280), 384, "cpu", (384, 688)),
        ((640, 480), 320, "cpu", (320, 240)),
        ((1280, 720), 400, "cpu", (400, 224)),
        ((200, 100), None, "cpu", (192, 96)),
        ((100, 100), 4000, "cuda", (96, 96)),
        ((16, 16), None, "cpu", (16, 16)),
    ],
)
def test_target_sizes(source: tuple[int, int], width: int | None, device: str, expected: tuple[int, int]):
    assert target_size(source, width, device) == expected


@given(st.integers(16, 5000), st.integers(16, 5000), st.one_of(st.none(), st.integers(16, 3000)))
def test_target_is_a_multiple_of_16_and_no_larger_than_the_source(w: int, h: int, width: int | None):
    for out, source in zip(target_size((w, h), width, "cpu"), (w, h), strict=True):
        assert out % 16 == 0
        assert 16 <= out <= source


def test_fit_keeps_circles_round_and_centred():
    image = np.zeros((720, 1280, 3), np.uint8)
    cv2.circle(image, (640, 360), 250, (255, 255, 255), -1, cv2.LINE_AA)
    small = fit(image, (1280, 720), (384, 224))
    ys, xs = np.nonzero(small[..., 0] > 127)
    assert np.ptp(xs) == np.ptp(ys)
    assert abs(np.ptp(xs) + 1 - 500 * 224 / 720) <= 1
    assert abs(xs.mean() - 191.5) < 0.6
    assert abs(ys.mean() - 111.5) < 0.6


def test_fit_averages_areas():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (64, 128, 3)).astype(np.uint8)
    expected = image.reshape(16, 4, 32, 4, 3).mean(axis=(1, 3))
    assert np.abs(fit(image, (128, 64), (32, 16)) - expected).max() <= 0.51


def test_fit_stretches_pixels_that_are_not_square():
    image = np.repeat(np.arange(0, 240, 5, dtype=np.uint8)[None, :, None], 48, 0).repeat(3, 2)
    wide = fit(image, (96, 48), (96, 48))
    assert wide.shape == (48, 96, 3)
    assert np.abs(wide[0, ::2, 0].astype(int) - image[0, :, 0]).max() <= 3
