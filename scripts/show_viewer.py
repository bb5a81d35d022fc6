"""Photograph the viewer's NeoVerse tab on a finished run, in a browser without a window.

    python scripts/show_viewer.py RUN/config.yml docs/pictures

writes `viewer_play.jpg`, `viewer_show.jpg` and `viewer_path.jpg`. Needs playwright and Chromium (the extra `dev`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tyro
from _benchmark.viewer import PATIENCE, running_viewer

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    *("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--ignore-gpu-blocklist", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WINDOW: Any = {"width": 1100, "height": 620}


def main(
    config: tyro.conf.Positional[Path],
    folder: tyro.conf.Positional[Path],
    /,
    rest: float = 8.0,
    chromium: str = CHROMIUM,
) -> None:
    """Photograph the viewer.

    Args:
        config: A run's config.yml.
        folder: Where the pictures go.
        rest: Seconds that every picture is given to become sharp.
        chromium: The browser.
    """
    from playwright.sync_api import sync_playwright

    with running_viewer(config) as port, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(FLAGS), headless=True)
        page = browser.new_page(viewport=WINDOW)
        page.set_default_timeout(1000 * PATIENCE)
        # Without a GPU a browser goes down to a fifth of its resolution, which shall be that of the page.
        page.add_init_script("Object.defineProperty(window, 'devicePixelRatio', { get: () => 5 })")
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_role("tab", name="NeoVerse").click()
        folder.mkdir(parents=True, exist_ok=True)
        photograph(page, folder, rest)
        browser.close()


def photograph(page: Any, folder: Path, rest: float) -> None:
    """Go through the tab, from the clip's first camera."""

    def keep(name: str) -> None:
        page.wait_for_timeout(1000 * rest)
        page.screenshot(path=folder / name, type="jpeg", quality=85)

    keep("viewer_play.jpg")
    # Lower elements are shown only once the panel has been rolled there.
    _beside(page, "Tracks", "input[@type='checkbox']").click()
    _beside(page, "Input frame", "input[not(@type='hidden')]").click()
    page.get_by_role("option", name="beside", exact=True).click()
    page.get_by_role("button", name=">", exact=True).click()
    _beside(page, "Show", "input[not(@type='hidden')]").scroll_into_view_if_needed()
    keep("viewer_show.jpg")
    _beside(page, "Tracks", "input[@type='checkbox']").click()
    _beside(page, "Input frame", "input[not(@type='hidden')]").click()
    page.get_by_role("option", name="off", exact=True).click()
    _beside(page, "Show the path", "input[@type='checkbox']").click()
    # A step back, to see the path from behind: the browser's own camera goes where the mouse wheel sends it.
    page.mouse.move(300, 350)
    page.mouse.wheel(0, 400)
    keep("viewer_path.jpg")


def _beside(page: Any, label: str, what: str) -> Any:
    return page.locator(f"xpath=//*[normalize-space(text())='{label}']/following::{what}").first


if __name__ == "__main__":
    tyro.cli(main)
