"""Time directed apart from the camera: every way to write a curve, and what holds for all of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.time_curve import TimeCurve, frame_count
from neoverse_ns.trajectory.time_text import Knot

SECONDS = 3.0
FRAMES = torch.linspace(0, 1, 25)


def curve(text: str, duration: float | None = None, fps: float = 16.0) -> TimeCurve:
    return TimeCurve.parse(text, SECONDS, FRAMES, fps, duration)


def shown(text: str, at: list[float], duration: float | None = None) -> list[float]:
    """Seconds of the clip at moments of the video."""
    return (SECONDS * curve(text, duration).at(torch.tensor(at, dtype=torch.float64))).tolist()


@pytest.mark.parametrize(
    ("text", "length", "at", "expected"),
    [
        ("as-filmed", 3.0, [0, 1.25, 3, 9], [0, 1.25, 3, 3]),
        ("slow 2x", 6.0, [0, 1, 6], [0, 0.5, 3]),
        ("slow 4", 12.0, [1], [0.25]),
        ("fast 1.5x", 2.0, [0, 1, 2], [0, 1.5, 3]),
        ("reverse", 3.0, [0, 1, 3], [3, 2, 0]),
        ("ping-pong", 6.0, [0, 1, 3, 4, 6], [0, 1, 3, 2, 0]),
        ("fit", 3.0, [0, 1.25, 3], [0, 1.25, 3]),
        ("ease", 3.0, [0, 1.5, 3], [0, 1.5, 3]),
        ("freeze@1.5s", None, [0, 1, 100], [1.5, 1.5, 1.5]),
        ("freeze@12", None, [0, 7], [1.5, 1.5]),
        ("Freeze@25%", None, [0, 7], [0.75, 0.75]),
        ("0:0, 2s:1.5s, hold 2s, 6s:0", 6.0, [0, 1, 2, 3.3, 4, 5, 6, 8], [0, 0.75, 1.5, 1.5, 1.5, 0.75, 0, 0]),
        ("1s:1s,2s:100%", 2.0, [0, 1, 1.5, 2], [1, 1, 2, 3]),
        ("16f:12f, 32:24", 2.0, [0, 1, 1.5, 2], [1.5, 1.5, 2.25, 3]),
    ],
)
def test_every_way_to_write_a_curve(text: str, length: float | None, at: list[float], expected: list[float]) -> None:
    assert curve(text).seconds == length
    assert shown(text, at) == pytest.approx(expected, abs=1e-12)


def test_whole_clips_fill_the_length_that_is_asked_for_and_speeds_stay_speeds() -> None:
    assert shown("fit", [0, 2, 12], 12.0) == pytest.approx([0, 0.5, 3])
    assert shown("reverse", [0, 6, 12], 12.0) == pytest.approx([3, 1.5, 0])
    assert shown("ping-pong", [0, 3, 6, 12], 12.0) == pytest.approx([0, 1.5, 3, 0])
    assert shown("0:0, 25%:100%, 100%:50%", [1.5, 3, 12], 12.0) == pytest.approx([1.5, 3, 1.5])
    assert shown("as-filmed", [2, 12], 12.0) == pytest.approx([2, 3])
    assert shown("slow 2x", [2], 1.0) == pytest.approx([1])


def test_easing_starts_and_ends_gently_and_never_turns_back() -> None:
    t = torch.linspace(0, 3, 3001, dtype=torch.float64)
    eased = curve("ease").at(t)
    speed = eased.diff() / t.diff() * SECONDS
    assert (speed >= 0).all()
    assert float(speed[0]) < 0.01
    assert float(speed[-1]) < 0.01
    assert float(speed.max()) == pytest.approx(1.5, abs=1e-3)
    piece = curve("0:0, 1s:1s ease, 2s:2s").at(t)
    assert float(piece[500]) == pytest.approx(1 / 6)
    torch.testing.assert_close(piece[1000:2001], t[1000:2001] / SECONDS)


def test_frames_of_the_clip_are_shown_one_by_one() -> None:
    text = "0-10, 10 x 30, 10-24"
    moments = curve(text)
    count = frame_count(moments.seconds or 0, 16.0)
    assert count == 25 + 30
    numbers = (moments.at(torch.arange(count) / 16) * 24).round(decimals=4).tolist()
    assert numbers == [*range(10), *[10] * 31, *range(11, 25)]
    # Held frames show that very instant.
    assert (moments.at(torch.linspace(10 / 16, 40 / 16, 100)) == FRAMES[10]).all()
    back = curve("24-20, 3 x 2, 3-5f")
    assert (back.at(torch.arange(9) / 16) * 24).round(decimals=4).tolist() == [24, 23, 22, 21, 20, 3, 3, 4, 5]


def test_frames_unevenly_spread_in_time_are_found_by_their_number() -> None:
    times = torch.tensor([0.0, 0.1, 0.5, 1.0])
    read = TimeCurve.parse("0-3", 2.0, times, 10.0)
    torch.testing.assert_close(read.at(torch.arange(4) / 10), times.double())
    assert float(TimeCurve.parse("freeze@1", 2.0, times).at(torch.zeros(1))) == float(times[1])
    evenly = TimeCurve.parse("freeze@8", 2.0, None, 8.0)
    assert float(evenly.at(torch.zeros(1))) == 0.5


def test_time_may_jump_and_says_where() -> None:
    jump = curve("0:0, 2s:1.5s, hold 2s, 4s:0")
    assert jump.jumps() == [4.0]
    assert (SECONDS * jump.at(torch.tensor([2.0, 3.999, 4.0, 5.0]))).tolist() == [1.5, 1.5, 0.0, 0.0]
    middle = curve("0:0, 1s:1s, 1s:2s, 2s:3s")
    assert middle.jumps() == [1.0]
    assert (SECONDS * middle.at(torch.tensor([0.5, 1.0, 1.5]))).tolist() == pytest.approx([0.5, 2.0, 2.5])
    # A hold whose end rounding has moved ends where the frame lies.
    tenths = TimeCurve.parse("0:0, 0.1s:1s, hold 0.2s, 0.3s:2s", SECONDS, FRAMES, 10.0)
    assert float(tenths.at(torch.tensor([3 / 10], dtype=torch.float64))) * SECONDS == 2.0
    assert curve("as-filmed").jumps() == []


@pytest.mark.parametrize("seed", range(30))
def test_any_curve_reaches_its_knots_holds_exactly_and_stays_between_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 7))
    video = np.cumsum(rng.uniform(0.05, 2, count))
    clip = rng.uniform(0, 1, count)
    hold = int(rng.integers(1, count))
    clip[hold] = clip[hold - 1]
    eased = rng.uniform(size=count) < 0.4
    made = TimeCurve.through([Knot(v, c, bool(e)) for v, c, e in zip(video, clip, eased, strict=True)])
    assert made.at(torch.from_numpy(video)).tolist() == clip.tolist()
    for i, (start, end) in enumerate(pairwise(video)):
        inside = made.at(torch.from_numpy(np.linspace(start, end, 50)))
        steps = inside.diff() * (1 if clip[i + 1] >= clip[i] else -1)
        assert (steps >= -1e-15).all()
        if i + 1 == hold:
            assert (inside == clip[hold]).all()
    assert made.at(torch.tensor([-1.0, video[0] - 1e-3, video[-1] + 1e-3])).tolist() == [clip[0], clip[0], clip[-1]]


@pytest.mark.parametrize("seed", range(10))
def test_written_curves_mean_the_knots_they_name(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 6))
    video, clip = np.cumsum(rng.uniform(0.1, 2, count)).round(3), rng.uniform(0, SECONDS, count).round(3)
    text = ", ".join(f"{v:g}s:{c:g}s" for v, c in zip(video, clip, strict=True))
    assert shown(text, video.tolist()) == pytest.approx(clip.tolist(), abs=1e-12)
    assert curve(text).seconds == pytest.approx(video[-1])


def test_any_rate_ends_where_the_curve_ends() -> None:
    for fps in (23.976, 24.0, 25.0, 29.97, 60.0, 240.0):
        for seconds in (0.5, 1.0, 3.003, 10.0):
            last = (frame_count(seconds, fps) - 1) / fps
            assert seconds - 1 / fps < last <= seconds + 1e-6
    assert frame_count(2.0, 24.0) == 49
    assert frame_count(0.1 + 0.2, 10.0) == 4


def test_a_photo_has_one_moment() -> None:
    for text in ("as-filmed", "slow 2x", "reverse", "ping-pong", "freeze@0", "0:0, 2s:0s"):
        still = TimeCurve.parse(text, 0.0, torch.zeros(1))
        assert set(still.at(torch.linspace(0, 5, 7)).tolist()) <= {0.0, 1.0}
        assert len(set(still.at(torch.linspace(0, 5, 7)).tolist())) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "as-filmed"),
        ("slower", "ping-pong"),
        ("slow 0x", "slow 2x"),
        ("0:0, then", "'then'"),
        ("hold 2s", "begin with 0:0"),
        ("0:0, 1s:3.2s", "'3.2s'.*end of the clip.*3 s"),
        ("0:0, 1s:101%", "101%.*100 %"),
        ("0:0, 1s:25", "no frame 25.*0 to 24"),
        ("0-30", "no frame 30"),
        ("30 x 2", "no frame 30"),
        ("3 x 0", "1 to"),
        ("0-4, 2s:1s", "'2s:1s'"),
        ("2s:0, 1s:1s", "forward.*1 s comes after 2 s"),
        ("0:0, 50%:1s", "duration"),
        ("-1s:0", "'-1s'"),
        ("0:0:0", "'0:0'"),
        ("0:nan", "'nan'"),
        ("٣:0", "no moment"),
        ("9" * 400 + ":0", "no moment"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        curve(text)
    assert "\n" not in str(raised.value)


def test_impossible_rates_and_lengths_are_refused() -> None:
    with pytest.raises(SettingsError, match="fps"):
        TimeCurve.parse("fit", SECONDS, FRAMES, 0.0)
    with pytest.raises(SettingsError, match="duration"):
        TimeCurve.parse("fit", SECONDS, FRAMES, 16.0, float("nan"))
    with pytest.raises(SettingsError, match="at least one"):
        TimeCurve.through([])
