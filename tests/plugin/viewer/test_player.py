"""Playing: by the clock, frame by frame, whoever draws."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

# Importing takes longer than playing on a busy machine: not while a test waits for pictures.
from nerfstudio.viewer.render_state_machine import RenderAction

from neoverse_ns.plugin.viewer.player import Player
from neoverse_ns.plugin.viewer.reels import ClientReel, Picture, Reel, SharedReel, padded


class Browser:
    """As much of viser's client as playing needs; remembers what it was sent, and when."""

    def __init__(self, number: int, aspect: float = 2.0) -> None:
        self.client_id = number
        self.camera = SimpleNamespace(aspect=aspect, place=0)
        self.scene = self
        self.sent: list[tuple[float, int]] = []
        self.shapes: list[tuple[int, ...]] = []
        self.flushed = 0

    def set_background_image(self, image: np.ndarray, **options: Any) -> None:
        self.sent.append((time.perf_counter(), int(image.max())))
        self.shapes.append(image.shape)

    def flush(self) -> None:
        self.flushed += 1


class Machine:
    """Nerfstudio's thread of one browser: counts what it is asked to draw."""

    def __init__(self) -> None:
        self.asked = 0

    def action(self, action: RenderAction) -> None:
        assert action.action == "move"
        self.asked += 1


class Run:
    """As much of a run as playing needs."""

    def __init__(self, *browsers: Browser) -> None:
        self.browsers = list(browsers)
        self.machines = {browser.client_id: Machine() for browser in browsers}
        self.viewer = SimpleNamespace(render_statemachines=self.machines, get_camera_state=lambda client: client.camera)
        self.visible: list[bool] = []
        self.server = SimpleNamespace(scene=SimpleNamespace(set_global_visibility=self.visible.append))

    def clients(self) -> list[Any]:
        return self.browsers


def picture(number: int) -> Picture:
    return Picture(np.full((4, 8, 3), number % 256, np.uint8))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + 20
    while not condition():
        assert time.perf_counter() < deadline
        time.sleep(0.01)


def player(run: Run, shown: list[int] | None = None) -> Player:
    told = [] if shown is None else shown
    return Player(run, lambda reel, index: told.append(index), lambda: True)  # pyright: ignore


def clip_reel(count: int, seconds: float = 0.0) -> tuple[ClientReel, list[tuple[int, int]]]:
    """Frame i is grey 10 i + place of the browser's camera; and what was drawn."""
    drawn: list[tuple[int, int]] = []

    def draw(client: Any, frame: int) -> Picture:
        time.sleep(seconds)
        drawn.append((client.client_id, frame))
        return picture(10 * frame + client.camera.place)

    return ClientReel(count, lambda client: client.camera.place, draw), drawn


def test_pictures_are_sent_in_order_at_the_rate_asked_for() -> None:
    browser, shown = Browser(1), []
    playing = player(Run(browser), shown)
    reel, drawn = clip_reel(5)
    playing.load(reel)
    playing.play(25.0)
    until(lambda: len(browser.sent) > 40)
    playing.pause()
    times = [at for at, _ in browser.sent[10:]]
    # The clock catches up where a thread was late: what counts is the pace over a while.
    assert (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(25, rel=0.25)
    assert sorted({frame for _, frame in drawn}) == [0, 1, 2, 3, 4]
    assert len(drawn) == 5
    time.sleep(0.1)
    still = len(browser.sent)
    time.sleep(0.2)
    assert len(browser.sent) == still


def test_frames_that_are_not_there_yet_are_drawn_by_the_browsers_machine() -> None:
    browser = Browser(1)
    run = Run(browser)
    playing = player(run)
    reel, _ = clip_reel(4, seconds=0.15)
    playing.load(reel)
    playing.play(30.0)
    until(lambda: len(browser.sent) > 8)
    playing.pause()
    assert run.machines[1].asked > 2


def test_who_moves_starts_anew_and_others_keep_what_they_have() -> None:
    one, two = Browser(1), Browser(2)
    playing = player(Run(one, two))
    reel, drawn = clip_reel(3)
    playing.load(reel)
    playing.play(30.0)
    until(lambda: len(drawn) == 6)
    one.camera.place = 7
    assert playing.picture_for(one) is None
    assert playing.picture_for(two) is not None
    until(lambda: len(drawn) == 9)
    playing.pause()
    assert [client for client, _ in drawn[6:]] == [1, 1, 1]
    assert reel.get(one, 2).image.max() == 27  # pyright: ignore


def test_a_path_hides_the_scene_and_gives_it_back() -> None:
    browser = Browser(1, aspect=1.0)
    run = Run(browser)
    playing = player(run)
    playing.load(SharedReel(3, 40.0, picture))
    assert run.visible == [False]
    playing.play(1.0)
    until(lambda: len({value for _, value in browser.sent}) == 3)
    playing.load(None)
    assert run.visible == [False, True]
    assert run.machines[1].asked == 0
    # Its own aspect is kept, between bars.
    assert set(browser.shapes) == {(8, 8, 3)}


def test_without_a_loop_it_ends_at_the_end() -> None:
    browser, shown = Browser(1), []
    playing = player(Run(browser), shown)
    playing.loop = False
    reel, _ = clip_reel(4)
    playing.load(reel)
    playing.play(40.0)
    until(lambda: not playing.playing)
    until(lambda: shown[-1] == 3)
    assert playing.index == 3
    playing.play(40.0)
    assert playing.index == 0
    playing.pause()


def test_pace_changes_without_a_jump() -> None:
    browser = Browser(1)
    playing = player(Run(browser))
    reel, _ = clip_reel(1000)
    playing.load(reel)
    playing.play(20.0)
    until(lambda: playing.index > 5)
    before = playing.index
    playing.set_rate(0.1)
    time.sleep(0.3)
    assert before <= playing.index <= before + 1
    playing.pause()


class Fixed(Reel):
    """Knows which pictures it has."""

    def __init__(self, count: int, there: set[tuple[int, int]]) -> None:
        self.count, self.there = count, there

    def get(self, client: Any, index: int) -> Picture | None:
        return picture(0) if (client.client_id, index) in self.there else None

    def draw(self, client: Any, index: int) -> None:
        raise NotImplementedError


def test_what_is_shown_soonest_is_drawn_first() -> None:
    one, two = Browser(1), Browser(2)
    reel = Fixed(4, {(1, 2), (2, 2), (1, 3)})
    assert reel.next_missing([one, two], 2) == (two, 3)
    assert reel.next_missing([one], 2) == (one, 0)
    assert Fixed(1, {(1, 0)}).next_missing([one], 0) is None


def test_bars_make_the_aspect_and_leave_the_picture_whole() -> None:
    image = np.full((40, 100, 3), 9, np.uint8)
    for aspect in (1.0, 2.5, 4.0):
        result = padded(image, aspect)
        assert result.shape[1] / result.shape[0] == pytest.approx(aspect, rel=0.02)
        assert (result == 9).all(-1).sum() == 4000


def test_nobody_goes_beyond_the_ends() -> None:
    playing = player(Run(Browser(1)), [])
    playing.load(clip_reel(4)[0])
    for asked, there in ((99, 3), (-3, 0), (2, 2)):
        playing.seek(asked)
        assert playing.index == there
