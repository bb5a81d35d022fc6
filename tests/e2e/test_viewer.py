"""ns-viewer: pictures arrive, the time slider works, the frames play."""

from __future__ import annotations

import math
from itertools import pairwise
from urllib.request import urlopen

import numpy as np
import pytest

from neoverse_ns.reconstruct.store import load_scene
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
        viewer.wait(lambda: {"Time", "Frame", "Cancel"} <= viewer.elements.keys(), "its panels")
        _opening(viewer, run)
        viewer.look((0.0, 0.0, 0.0), FORWARD, 0.9, WIDTH / HEIGHT)
        first = viewer.settled(QUIET)
        assert first.std() > 15, "an empty picture"
        _time_slider(viewer, first)
        _frame_slider(viewer)
        _playing(viewer)


def _opening(viewer: ViewerClient, run: TrainedRun) -> None:
    """A browser opens at the clip's first camera, and keeps the whole frame in sight while its window changes."""
    scene = load_scene(run.folder / "scene").geometry
    K = scene.cameras.K[0]
    # The first camera is the world: it stands at the origin and looks along nerfstudio's +y, upright. Refinement has
    # moved it by a little.
    depth = 10 * float(scene.depth[0].median())
    half_height, half_width = HEIGHT / 2 / float(K[1, 1]), WIDTH / 2 / float(K[0, 0])
    viewer.look((3.0, 3.0, 3.0), FORWARD, 1.3, 2.5, (0.0, 0.0, 0.0))
    viewer.wait(lambda: {"up", "position", "look_at", "fov"} <= viewer.camera.keys(), "an opening camera")
    assert list(viewer.camera) == ["up", "position", "look_at", "fov"]
    assert viewer.camera["position"] == pytest.approx((0, 0, 0), abs=0.5)
    assert np.subtract(viewer.camera["look_at"], viewer.camera["position"]) == pytest.approx((0, depth, 0), abs=0.5)
    assert viewer.camera["up"] == pytest.approx((0, 0, 1), abs=0.05)
    # A wide window leaves room at the sides, a narrow one above and below.
    assert viewer.camera["fov"] == pytest.approx(2 * math.atan(half_height), rel=1e-3)
    # The small picture at that camera would hide everything.
    viewer.wait(lambda: viewer.visible.get("/cameras/camera_00000") is False, "hidden training cameras")
    there = (viewer.camera["position"], FORWARD, viewer.camera["fov"])
    viewer.look(*there, 2.5, viewer.camera["look_at"])
    viewer.look(*there, 1.1, viewer.camera["look_at"])
    narrow = 2 * math.atan(half_width / 1.1)
    viewer.wait(lambda: viewer.camera["fov"] == pytest.approx(narrow, rel=1e-3), "a wider view for a narrow window")
    viewer.settled(QUIET)


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
    # The slider of nerfstudio's stands where it can stand next to the frame.
    viewer.wait(lambda: viewer.values.get(viewer.elements["Time"]) == 1.0, "the other slider's place")


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

    viewer.press("Play")
    viewer.wait(several_frames, "changing pictures while playing")
    viewer.press("Pause")
    # Playing goes through the frames in order, from the last one to the first.
    assert all((b - a) % 13 >= 1 for a, b in pairwise(shown))
