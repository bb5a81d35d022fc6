"""Bad clips: counted, listed, and a stop where they are too many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neoverse_ns.errors import ClipError, RunError
from neoverse_ns.training.data.tally import Tally, TallyConfig, Try, reason_of


def tries(count: int, bad: int, start: int = 0, reason: str = "damaged") -> list[Try]:
    """Clips that all differ, of which every `bad`-th cannot be used and the next one stands in."""
    found = []
    for number in range(start, start + count):
        if number % bad == 0:
            found.append(Try(number, 0, f"own/bad-{number}", reason, f"{number}: damaged"))
        found.append(Try(number, int(number % bad == 0), f"own/{number}"))
    return found


def test_all_are_counted_by_reason_and_listed(tmp_path: Path) -> None:
    tally = Tally(folder=tmp_path / "run")
    tally.note([Try(0, 0, "own/a", "too short", "own a: too short: 3 frames"), Try(0, 1, "own/b"), Try(1, 0, "own/c")])
    tally.note([Try(2, 0, "own/d", "damaged", "d"), Try(2, 1, "own/e", "damaged", "e"), Try(2, 2, "own/f")])
    assert tally.reasons == {"too short": 1, "damaged": 2}
    assert (tally.tries, tally.failures) == (6, 3)
    assert tally.summary() == "3 of 6 clips could not be used: damaged (2), too short (1)"
    lines = [json.loads(line) for line in (tmp_path / "run" / "bad_clips.jsonl").read_text().splitlines()]
    assert [(line["sample"], line["attempt"], line["clip"], line["reason"], line["instead"]) for line in lines] == [
        (0, 0, "own/a", "too short", "own/b"),
        (2, 0, "own/d", "damaged", "own/e"),
        (2, 1, "own/e", "damaged", "own/f"),
    ]
    assert lines[0]["message"] == "own a: too short: 3 frames"


def test_more_than_a_twentieth_of_the_last_thousand_stops() -> None:
    tally = Tally()
    # 1 in 20 and its stand-in: 50 of 1,050 tries.
    for start in range(0, 6000, 100):
        tally.note(tries(100, 20, start))
    assert tally.failures == 300
    with pytest.raises(RunError, match=r"more than 5.0% of 1000.*own/bad-"):
        tally.note(tries(2000, 10, 6000))
    assert tally.failures < 300 + 60


def test_few_clips_do_not_stop_it_before_they_are_many() -> None:
    tally = Tally()
    tally.note(tries(200, 5))
    assert tally.failures == 40
    with pytest.raises(RunError, match="more than 5"):
        tally.note(tries(200, 5, 200))


def test_the_same_few_bad_clips_of_many_epochs_are_no_more_than_they_are() -> None:
    tally = Tally()
    for epoch in range(40):
        # A twentieth of 200, at another place of every epoch.
        for number in range(200):
            clip = (number * 7 + epoch * 31) % 200
            bad = clip % 20 == 0
            tally.note([Try(number, 0, f"own/{clip}", "damaged" if bad else None)])
            if bad:
                tally.note([Try(number, 1, f"own/{clip + 1}")])
    assert tally.failures == 400
    more = [Try(n, 0, f"own/{n % 200}", "damaged" if n % 200 % 18 == 0 else None) for n in range(2000)]
    with pytest.raises(RunError, match="more than 5"):
        tally.note(more)


def test_one_reason_in_a_row_stops() -> None:
    fail = [Try(0, attempt, f"own/{attempt}", "no depth", "why") for attempt in range(49)]
    tally = Tally(TallyConfig(share=1.0))
    tally.note([*fail, Try(0, 49, "own/x", "too short"), *fail, Try(1, 0, "own/y"), *fail])
    with pytest.raises(RunError, match="50 clips in a row could not be used: no depth"):
        tally.note([Try(2, 49, "own/z", "no depth")])
    short = [Try(0, n, f"own/{n}", "too short: # frames", "too short: 3 frames") for n in range(50)]
    with pytest.raises(RunError, match="50 clips in a row could not be used; the last was own/49: too short: 3 frames"):
        Tally(TallyConfig(share=1.0)).note(short)


def test_a_checkpoint_goes_on_with_the_same_counts_and_list(tmp_path: Path) -> None:
    whole, part = Tally(folder=tmp_path / "whole"), Tally(folder=tmp_path / "part")
    whole.note(tries(700, 30))
    part.note(tries(350, 30))
    state = json.loads(json.dumps(part.state_dict()))
    # What was noted after the checkpoint was saved, and is noted again.
    part.note(tries(100, 30, 350))
    again = Tally(folder=tmp_path / "part")
    again.load_state_dict(state)
    again.note(tries(350, 30, 350))
    assert again.state_dict() == whole.state_dict()
    assert (tmp_path / "part" / "bad_clips.jsonl").read_text() == (tmp_path / "whole" / "bad_clips.jsonl").read_text()
    with pytest.raises(RunError):
        again.note(tries(400, 10, 700))
    with pytest.raises(RunError):
        whole.note(tries(400, 10, 700))
    assert again.state_dict() == whole.state_dict()


def test_processes_have_lists_of_their_own(tmp_path: Path) -> None:
    for rank in (0, 3):
        Tally(folder=tmp_path, rank=rank).note([Try(0, 0, "own/a", "damaged")])
    assert {path.name for path in tmp_path.iterdir()} == {"bad_clips.jsonl", "bad_clips.3.jsonl"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ClipError("/data/a b/clip_0001.mp4: not a video, or damaged (Invalid data)"), "not a video, or damaged"),
        (ClipError("own street_12 frames 0..8/2: too few valid pixels: 0.3 %"), "too few valid pixels: # %"),
        (ClipError("own a-3: frame 7: /x/000007.png: cannot be read (truncated)"), "cannot be read"),
        (ClipError("manifest.jsonl, line 12: not JSON"), "not JSON"),
        (ClipError("no frames"), "no frames"),
        (ClipError(""), "unknown"),
        (OSError(28, "No space left on device", "/data/x.png"), "OSError: No space left on device"),
        (KeyError("c2w"), "KeyError: 'c#w'"),
    ],
)
def test_reasons_tell_no_names(error: Exception, reason: str) -> None:
    found = reason_of(error)
    assert found == reason
