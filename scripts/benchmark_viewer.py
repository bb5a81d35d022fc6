"""How soon the viewer answers: from a moved slider to a coarse and to a sharp picture, and at which pace it plays.

    python scripts/benchmark_viewer.py RUN/config.yml

starts `ns-viewer` on a run, stands in for a browser, whose own drawing would disturb the figures, and prints medians.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
from _benchmark.viewer import PATIENCE, running_viewer
from PIL import Image
from websockets.sync.client import ClientConnection, connect

FORWARD = (0.70710678, -0.70710678, 0.0, 0.0)
"""Looking along nerfstudio's +y with z up."""


class Window:
    """A browser's side of the viewer, without a browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.elements: dict[str, str] = {}
        self.pictures: list[tuple[float, tuple[int, int]]] = []
        """When each came, and its width and height."""

    def send(self, **message: Any) -> None:
        self._connection.send(msgpack.Packer().pack(message))

    def set(self, label: str, value: Any) -> None:
        """Move a slider or press a button of the NeoVerse tab."""
        self.send(type="GuiUpdateMessage", id=self.elements[label], updates={"value": value})

    def listen(self, done: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Take messages until something holds, or time is up."""
        deadline = time.perf_counter() + patience
        while not done() and time.perf_counter() < deadline:
            try:
                data = self._connection.recv(timeout=0.05)
            except TimeoutError:
                continue
            now = time.perf_counter()
            unpacked = msgpack.unpackb(data, raw=False, strict_map_key=False)
            for message in unpacked if isinstance(unpacked, list) else [unpacked]:
                kind = message.get("type", "")
                if kind.startswith("GuiAdd") and "label" in message:
                    self.elements[message["label"]] = message["id"]
                elif kind == "BackgroundImageMessage":
                    self.pictures.append((now, Image.open(io.BytesIO(message["rgb_bytes"])).size))

    def rest(self, seconds: float) -> None:
        """Until no picture has come for a while."""
        self.listen(lambda: bool(self.pictures) and time.perf_counter() - self.pictures[-1][0] > seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path, help="a run's config.yml")
    parser.add_argument("--changes", type=int, default=12, help="how often the slider is moved")
    parser.add_argument("--longest", type=int, default=384, help="longer side of sharp pictures, pixels")
    parser.add_argument("--aspect", type=float, default=384 / 224, help="of the window")
    parser.add_argument("--rate", type=float, default=8.0, help="frames per second played")
    options = parser.parse_args()
    with running_viewer(options.config) as port:
        measure(f"ws://127.0.0.1:{port}", options)


def measure(socket: str, options: argparse.Namespace) -> None:
    """Connect to a viewer, and print how it answers."""
    with connect(socket, max_size=None, open_timeout=60) as connection:
        window = Window(connection)
        window.listen(lambda: {"Frame", "Max res", "Cancel"} <= window.elements.keys())
        opened = time.perf_counter()
        look(window, options.aspect, 0.0)
        window.listen(lambda: bool(window.pictures))
        print(f"first picture after the page has connected: {window.pictures[0][0] - opened:.2f} s")
        window.rest(2.0)
        window.set("Max res", options.longest)
        window.rest(2.0)
        time_answers("slider", window, lambda i: window.set("Frame", 1 + i % 2), options)
        time_answers("camera", window, lambda i: look(window, options.aspect, 0.01 * (1 + i % 2)), options)
        window.set("Frames per second", options.rate)
        window.set("Play", True)
        window.listen(lambda: False, 12.0)
        seen = len(window.pictures)
        window.listen(lambda: False, 6.0)
        times = [at for at, _ in window.pictures[seen:]]
        window.set("Pause", True)
        print(f"played: {(len(times) - 1) / (times[-1] - times[0]):.2f} pictures a second of {options.rate:g}")


def look(window: Window, aspect: float, aside: float) -> None:
    """Send a browser's camera to the origin, or by a little to the right of it."""
    window.send(
        type="ViewerCameraMessage", wxyz=FORWARD, position=(aside, 0.0, 0.0), fov=0.7, aspect=aspect,
        look_at=(aside, 10.0, 0.0), up_direction=(0.0, 0.0, 1.0),
    )  # fmt: skip


def time_answers(name: str, window: Window, change: Callable[[int], None], options: argparse.Namespace) -> None:
    """Change something again and again, each time at rest, and print how long pictures took."""
    first, sharp = [], []
    for i in range(options.changes):
        seen = len(window.pictures)
        begun = time.perf_counter()
        change(i)
        window.listen(lambda seen=seen: any(max(s) >= options.longest for _, s in window.pictures[seen:]), 10.0)
        # A coarse picture may be as large as a sharp one, where drawing is fast: the sharp one is the last.
        window.rest(0.5)
        first.append(window.pictures[seen][0] - begun)
        sharp.append(window.pictures[-1][0] - begun)
    for what, seconds in (("first picture", first), ("sharp picture", sharp)):
        print(f"{name} to {what}: median {1e3 * statistics.median(seconds):.0f} ms, worst {1e3 * max(seconds):.0f} ms")


if __name__ == "__main__":
    main()
