"""The viewer in a real browser: opens at the clip, plays, shows what lies behind, works beside drawing."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.trajectory.camera_path import from_camera_path
from tests.e2e.browser import ViewerPage, in_window, open_page, psnr
from tests.e2e.commands import free_port, read_video
from tests.e2e.conftest import FRAMES, HEIGHT, WIDTH, TrainedRun
from tests.e2e.viewer_client import serve_viewer

RATE = 6.0


@dataclass(frozen=True)
class Opened:
    """One viewer and one page that all tests of this module share, in their order.

    Attributes:
        page: The page.
        address: Of the viewer.
        folder: The run folder that it works in, a copy.
        frames: What the clip shows.
        since: When the page was asked for.
    """

    page: ViewerPage
    address: str
    folder: Path
    frames: np.ndarray
    since: float

    def likeness(self, picture: np.ndarray) -> list[float]:
        """PSNR of a window's picture against every frame of the clip."""
        return [psnr(*in_window(frame, picture)) for frame in self.frames]

    def follow(self, frame: int) -> None:
        """Let the window show a frame from its own camera."""
        self.page.enter("Frame", str(frame))
        self.page.wait(
            lambda: int(np.argmax(self.likeness(self.page.pictures[-1].pixels()))) == frame, f"frame {frame}"
        )


@pytest.fixture(scope="module")
def opened(run: TrainedRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("viewed") / "run"
    shutil.copytree(run.folder, folder)
    port = free_port()
    command = ("ns-viewer", "--load-config", folder / "config.yml", "--viewer.websocket-port", str(port))
    with serve_viewer(run.shell, *command) as address:
        since = time.perf_counter()
        with open_page(address) as page:
            yield Opened(page, address, folder, run.frames, since)


def test_opens_with_the_whole_first_frame_in_view(opened: Opened) -> None:
    page = opened.page
    page.wait(lambda: bool(page.pictures), "a first picture")
    page.wait(lambda: opened.likeness(page.pictures[-1].pixels())[0] > 25, "the clip's first frame")
    page.wait(lambda: opened.likeness(page.canvas())[0] > 20, "the clip's first frame on the page itself")
    assert np.argmax(opened.likeness(page.pictures[-1].pixels())) == 0


def test_frames_are_exact_and_the_camera_follows(opened: Opened) -> None:
    page = opened.page
    page.tab("NeoVerse")
    page.tick("Follow the input camera")
    for frame in (FRAMES - 1, 5):
        opened.follow(frame)
    page.button(">")
    page.wait(lambda: page.values["Frame"] == 6, "the next frame")
    page.wait(lambda: int(np.argmax(opened.likeness(page.pictures[-1].pixels()))) == 6, "its picture")
    page.tick("Follow the input camera")
    page.button("Back to the first camera")
    page.enter("Frame", "0")
    page.wait(lambda: opened.likeness(page.pictures[-1].pixels())[0] > 25, "the first camera")


def test_plays_at_the_pace_asked_for(opened: Opened) -> None:
    page = opened.page
    page.enter("Frames per second", f"{RATE:g}")
    page.button("Play")
    # Once every frame has been drawn they are sent by the clock.
    page.wait(lambda: _loops(page), "all frames twice")
    order = [picture.data for picture in page.pictures[-FRAMES:]]
    first = len(page.pictures)
    page.wait(lambda: len(page.pictures) > first + 8 * RATE, "eight seconds of pictures")
    played = page.pictures[first:]
    page.button("Pause")
    numbers = [order.index(picture.data) for picture in played]
    steps = [(b - a) % FRAMES for a, b in pairwise(numbers)]
    # Where the machine is too busy to send a picture, the next one is still that of its time.
    assert sum(steps) / (played[-1].at - played[0].at) == pytest.approx(RATE, rel=0.05)
    assert steps.count(1) > 0.9 * len(steps)
    page.quiet(1.0)


def test_shows_what_lies_behind_and_the_input_frame(opened: Opened) -> None:
    page = opened.page
    page.enter("Frame", "0")
    page.quiet(1.0)
    plain = page.pictures[-1].pixels()
    for what in ("depth", "opacity", "what moves", "confidence"):
        seen = len(page.pictures)
        page.choose("Show", what)
        page.wait(lambda seen=seen: len(page.pictures) > seen, f"a picture of {what}")
        page.quiet(1.0)
        assert psnr(*in_window(plain, page.pictures[-1].pixels())) < 18, what
    page.choose("Show", "drawing")
    page.choose("Input frame", "wipe")
    # From the first camera the frame itself lies where its drawing was.
    page.enter("Wipe", "0")
    page.wait(lambda: opened.likeness(page.pictures[-1].pixels())[0] > 32, "the frame itself")
    page.choose("Input frame", "off")
    for box in ("Velocities", "Tracks", "Training cameras", "Current camera"):
        page.tick(box)
    page.quiet(1.0)
    assert page.scene >= {"/neoverse/training/00000", "/neoverse/current/00000"}
    changed = np.abs(page.pictures[-1].pixels()[: plain.shape[0], : plain.shape[1]] - plain).max(axis=-1) > 60
    assert 50 < changed.sum() < 0.2 * changed.size
    for box in ("Velocities", "Tracks", "Training cameras", "Current camera"):
        page.tick(box)


def test_path_is_drawn_played_and_sent_to_render(opened: Opened) -> None:
    page = opened.page
    page.choose("Move", "orbit_left")
    page.enter("Frames", "9")
    page.tick("Show the path")
    page.wait(lambda: "/neoverse/path/line" in page.scene, "the path in the scene")
    page.tick("Show the path")
    page.button("Play the path")
    begun = len(page.pictures)
    page.wait(lambda: len({p.data for p in page.pictures[begun:]}) >= 9, "nine pictures along the path")
    page.button("Leave the path")
    page.enter("Name", "../../out of here")
    page.button("Send to Render")
    file = opened.folder / "camera_paths" / "out-of-here.json"
    page.wait(file.exists, "the file")
    page.wait(lambda: any("out-of-here" in note for note in page.notes), "word of it")
    document = json.loads(file.read_text("utf8"))
    assert all(keyframe["override_time_enabled"] for keyframe in document["keyframes"])
    path = from_camera_path(document, WIDTH, HEIGHT)
    assert len(path) == 9
    np.testing.assert_allclose(path.times, np.linspace(0, 1, 9), atol=1e-6)
    page.tab("Render")
    page.button("Load Path")
    page.page.get_by_text("Select existing camera path").wait_for()
    # The dialogue may open with its list of files unfolded over its buttons.
    page.page.wait_for_timeout(500)
    page.page.keyboard.press("Escape")
    page.button("Load")
    page.wait(lambda: "/render_cameras/0" in page.scene, "keyframes in the Render tab")
    page.tab("NeoVerse")


def test_generates_beside_playing_and_plays_the_result(opened: Opened) -> None:
    page = opened.page
    page.button("Play")
    page.wait(lambda: _loops(page), "all frames twice")
    begun = len(page.pictures)
    page.button("Generate")
    page.wait(lambda: any("Generate: done" in note for note in page.notes), "the end of it")
    file = opened.folder / "videos" / "out-of-here-telea.mp4"
    assert len(read_video(file)) == 9
    gaps = np.diff([picture.at for picture in page.pictures[begun:]])
    assert gaps.max() < 0.5 + 1 / RATE, gaps
    ended = len(page.pictures)
    page.wait(lambda: len({p.data for p in page.pictures[ended:]}) >= 9, "the result")
    page.button("Leave the path")


def test_exports_what_is_shown_into_the_run_folder(opened: Opened) -> None:
    page = opened.page
    page.button("Export")
    page.wait(lambda: any("Export: done" in note for note in page.notes), "the end of it")
    assert (opened.folder / "exports" / "ply" / "gaussians.ply").stat().st_size > 100_000


def test_another_browser_looks_elsewhere_at_the_same_time(opened: Opened) -> None:
    page = opened.page
    page.enter("Frame", "0")
    page.quiet(1.0)
    context = page.page.context.browser
    other = ViewerPage(context.new_page(viewport={"width": 700, "height": 620}))
    other.page.goto(opened.address)
    other.wait(lambda: bool(other.pictures) and opened.likeness(other.pictures[-1].pixels())[0] > 25, "its own picture")
    assert other.pictures[-1].pixels().shape != page.pictures[-1].pixels().shape
    seen = len(other.pictures), len(page.pictures)
    page.enter("Frame", "12")
    other.wait(lambda: len(other.pictures) > seen[0], "the other frame")
    page.wait(lambda: len(page.pictures) > seen[1], "the other frame, too")
    other.page.close()
    page.enter("Frame", "0")
    page.quiet(1.0)


def _loops(page: ViewerPage) -> bool:
    """Whether the same frames have gone by twice."""
    last, before = (
        [p.data for p in page.pictures[-2 * FRAMES :]][half] for half in (slice(FRAMES, None), slice(FRAMES))
    )
    return last == before and len(set(last)) == FRAMES
