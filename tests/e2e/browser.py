"""A real browser without a window, on a page of the viewer, and everything its server sends it."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from PIL import Image

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    *("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--ignore-gpu-blocklist", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
SIZE: Any = {"width": 900, "height": 560}
PATIENCE = 60.0
"""Seconds that anything may take on a machine that draws without a GPU beside other work."""


@dataclass(frozen=True)
class Arrived:
    """A picture that the server sent.

    Attributes:
        at: When, in seconds of a steady clock.
        data: Its bytes.
    """

    at: float
    data: bytes

    def pixels(self) -> np.ndarray:
        """Colours [h, w, 3] in 0 to 255."""
        return np.asarray(Image.open(io.BytesIO(self.data)).convert("RGB"), dtype=np.float32)


class ViewerPage:
    """A page, driven as a user would, with the messages behind it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.pictures: list[Arrived] = []
        self.values: dict[str, Any] = {}
        """What the server last said of an element, by label."""
        self.notes: list[str] = []
        """Titles and bodies of what it has told."""
        self.scene: set[str] = set()
        """Names of what it has added to the scene, and not removed since."""
        self._labels: dict[str, str] = {}
        page.on("websocket", lambda socket: socket.on("framereceived", self._take))

    def _take(self, data: bytes | str) -> None:
        if isinstance(data, str):
            return
        unpacked = msgpack.unpackb(data, raw=False, strict_map_key=False)
        for message in unpacked if isinstance(unpacked, list) else [unpacked]:
            kind = message.get("type", "")
            if kind == "BackgroundImageMessage":
                self.pictures.append(Arrived(time.perf_counter(), message["rgb_bytes"]))
            elif kind.startswith("GuiAdd") and "id" in message:
                self._labels[str(message["id"])] = str(message.get("label") or kind)
            elif kind == "GuiUpdateMessage":
                name = str(message["id"])
                for value in message["updates"].values():
                    self.values[self._labels.get(name, name)] = value
            elif kind in ("CameraFrustumMessage", "CatmullRomSplineMessage"):
                self.scene.add(message["name"])
            elif kind == "RemoveSceneNodeMessage":
                self.scene.discard(message["name"])
            elif kind == "NotificationMessage":
                self.notes.append(f"{message['title']}: {message['body']}")

    def wait(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Let the page live on until `condition` holds."""
        deadline = time.perf_counter() + patience
        while not condition():
            assert time.perf_counter() < deadline, f"the viewer never had {what}; it told: {self.notes}"
            self.page.wait_for_timeout(50)

    def quiet(self, seconds: float) -> None:
        """Wait until no picture has come for a while."""
        self.wait(
            lambda: bool(self.pictures) and time.perf_counter() - self.pictures[-1].at > seconds, "a picture and a rest"
        )

    def tab(self, name: str) -> None:
        """Open a tab of the side panel."""
        self.page.get_by_role("tab", name=name).click()

    def button(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def tick(self, label: str) -> None:
        """Tick a box."""
        self._beside(label, "input[@type='checkbox']").click()

    def enter(self, label: str, value: str) -> None:
        """Type a number or a text."""
        field = self._beside(label, "input[not(@type='hidden')]")
        field.fill(value)
        field.press("Enter")
        field.press("Tab")

    def choose(self, label: str, option: str) -> None:
        """Choose from a list."""
        self._beside(label, "input[not(@type='hidden')]").click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def _beside(self, label: str, what: str) -> Any:
        """The first element of a kind that follows a label."""
        return self.page.locator(f"xpath=//*[normalize-space(text())='{label}']/following::{what}").first

    def canvas(self) -> np.ndarray:
        """What the page shows of the scene [h, w, 3]; its resolution is the browser's choice."""
        data = self.page.evaluate("() => [...document.querySelectorAll('canvas')].pop().toDataURL('image/png')")
        image = Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2])))
        return np.asarray(image.convert("RGB"), dtype=np.float32)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Of two pictures in 0 to 255 of one size."""
    return float(10 * np.log10(255**2 / np.mean((a - b) ** 2)))


def in_window(frame: np.ndarray, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A frame, and the part of a window that shows the whole of it, at one small size.

    Args:
        frame: [h, w, 3], of a camera whose axis goes through its middle.
        window: What is seen from that camera, wider or higher than the frame.
    """
    height, width = window.shape[:2]
    aspect = frame.shape[1] / frame.shape[0]
    h, w = (round(width / aspect), width) if width / height < aspect else (height, round(height * aspect))
    top, left = (height - h) // 2, (width - w) // 2
    part = window[top : top + h, left : left + w]
    return tuple(  # pyright: ignore
        np.asarray(Image.fromarray(np.uint8(x)).resize((96, round(96 / aspect)), Image.Resampling.BOX), np.float32)
        for x in (frame, part)
    )


@contextmanager
def open_page(address: str) -> Iterator[ViewerPage]:
    """Open the viewer in Chromium; skips the test where there is none, or nothing to drive it with."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS), headless=True)
        try:
            page = ViewerPage(browser.new_page(viewport=SIZE))
            page.page.set_default_timeout(1000 * PATIENCE)
            page.page.goto(address)
            yield page
        finally:
            browser.close()
