"""ns-viewer: pictures arrive, the time slider works, the frames play."""

from __future__ import annotations

from itertools import pairwise
from urllib.request import urlopen

import numpy as np

from tests.e2e.commands import free_port
from tests.e2e.conftest import HEIGHT, WIDTH, TrainedRun
from tests.e2e.viewer_client import ViewerClient, differ, open_viewer

QUIET = 3.0
"""Seconds without a picture after which a view is finished."""

# Half a turn about x and a quarter back: from looking along +z with y down to looking along +y with z up.
FORWARD = (0.70710678, -0.70710678, 0.0, 0.0)


def test_viewer_shows_any_time_and_plays_the_frames(run: TrainedRun) -> None:
    port = free_port()
    command = ("ns-viewer", "--load-config", run.config, "--viewer.websocket-port", str(port))
    with open_viewer(run.shell, *command) as viewer:
        with urlopen(f"http://localhost:{port}/", timeout=60) as page:
            assert page.status == 200
        viewer.wait(lambda: {"Time", "Play frames", "Frame"} <= viewer.elements.keys(), "its panels")
        viewer.look((0.0, 0.0, 0.0), FORWARD, 0.9, WIDTH / HEIGHT)
        first = viewer.settled(QUIET)
        assert first.std() > 15, "an empty picture"
        _time_slider(viewer, first)
        _frame_slider(viewer)
        _playing(viewer)


def _time_slider(viewer: ViewerClient, first: np.ndarray) -> None:
    # The picture before any change may stay coarse on a slow machine; these have all been drawn alike. Waiting for one
    # that differs from the last keeps pictures that come late from being taken for the next.
    seen = [first]
    for moment in (1.0, 0.0, 1.0, 0.0):
        viewer.set("Time", moment)
        seen.append(viewer.settled(QUIET, unlike=seen[-1]))
    _, last, start, _, again = seen
    assert differ(start, last)
    assert np.abs(start - again).mean() < 0.5 * np.abs(start - last).mean()


def _frame_slider(viewer: ViewerClient) -> None:
    start = viewer.pictures[-1]
    viewer.set("Frame", 12)
    moved = viewer.new_picture(unlike=start)
    assert differ(moved, start)
    viewer.wait(lambda: viewer.values.get(viewer.elements["Use frame instead of Time"]) is True, "the frame switch")


def _playing(viewer: ViewerClient) -> None:
    slider = viewer.elements["Frame"]
    shown: list[float] = []
    seen = len(viewer.pictures)

    def several_frames() -> bool:
        value = viewer.values.get(slider)
        if value is not None and (not shown or shown[-1] != value):
            shown.append(value)
        pictures = viewer.pictures[seen:]
        distinct = [a for i, a in enumerate(pictures) if all(differ(a, b, 0.8) for b in pictures[:i])]
        return len(distinct) >= 3 and len(shown) >= 4

    viewer.set("Play frames", True)
    viewer.wait(several_frames, "changing pictures while playing")
    viewer.set("Play frames", False)
    # Playing goes through the frames in order, from the last one to the first.
    assert all((b - a) % 13 >= 1 for a, b in pairwise(shown))
