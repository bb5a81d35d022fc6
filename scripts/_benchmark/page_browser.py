"""The system's Chromium with software WebGL2, driven by playwright."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from neoverse_ns.errors import RunError
from neoverse_ns.geometry.cameras import PinholeCameras

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000
"""Milliseconds; software drawing on a busy machine is slow."""


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser.

    Raises:
        RunError: Chromium or playwright is not installed.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None or find_spec("playwright") is None:
        raise RunError(f"a browser is needed: install one of {', '.join(PROGRAMS)}, and pip install playwright")
    api = import_module("playwright.sync_api")
    with api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class OpenPage:
    """A page of ours in a tab, and what happened there.

    Attributes:
        requests: Addresses that it asked for.
        errors: What was thrown or said to be an error.
        tab: Playwright's own page.
    """

    def __init__(self, browser: Any, path: Path, script: str = "", **window: Any) -> None:
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.tab = browser.new_page(viewport={"width": 480, "height": 320}, **window)
        self.tab.set_default_timeout(PATIENCE)
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.tab.add_init_script(script)
        self.tab.goto(path.as_uri())

    def run(self, script: str, argument: Any = None) -> Any:
        """Value of `script`, which may use `page` (what the page offers) and `argument`."""
        return self.tab.evaluate(f"async (argument) => {{ const page = await window.neoverse; {script} }}", argument)

    def until(self, condition: str) -> None:
        """Wait for what `page` says to become true."""
        wait = "await new Promise((next) => setTimeout(next, 50))"
        done = self.run(f"for (let i = 0; i < 1200; i++) {{ if ({condition}) return true; {wait}; }} return false")
        if not done:
            raise RunError(f"the page never came to this: {condition}")

    def draw(self, time: float, camera: PinholeCameras | None = None) -> torch.Tensor:
        """The picture [h, w, 3] at a time from a camera of ours."""
        what: dict[str, Any] = {"time": time}
        if camera is not None:
            K = camera.K[0]
            lens = [float(value) for value in (K[0, 0], K[1, 1], K[0, 2], K[1, 2])]
            what["camera"] = {"c2w": camera.c2w[0].flatten().tolist(), "lens": lens}
            what["camera"] |= {"width": camera.width, "height": camera.height}
        url = self.run("return page.draw(argument)", what)
        image = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")
        return torch.from_numpy(np.array(image)).float() / 255
