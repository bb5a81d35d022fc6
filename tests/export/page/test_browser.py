"""The page in a real browser: what it shows, and what it does when it is touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from _benchmark.page import SIDES
from _benchmark.page import agreement as measured
from _benchmark.page_browser import OpenPage, chromium

from neoverse_ns.errors import RunError
from neoverse_ns.export.instant import around
from neoverse_ns.export.page.page import write_page
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.rasterize.layers import draw_layers
from tests.export.layered_scene import SQUARE
from tests.export.page.moving_scene import moving_scene
from tests.export.splat_viewer import agreement

SCENE = moving_scene(8.0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        with chromium() as running:
            yield running
    except RunError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "scene.html"
    write_page(path, SCENE, "A scene")
    return path


@pytest.fixture(scope="module")
def opened(browser: Any, path: Path) -> OpenPage:
    page = OpenPage(browser, path)
    page.run("page.stop()")
    return page


def layered(scene: ExportScene, time: float, camera: PinholeCameras) -> torch.Tensor:
    drawn = draw_layers(
        scene.gaussians, time, camera.viewmats, camera.K, camera.width, camera.height, scene.options
    )  # fmt: skip
    return drawn.rgb[0]


@pytest.mark.parametrize("time", [0.0, 0.5, 0.25, 0.6, 0.93])
def test_it_shows_what_the_layers_show_at_and_between_frames(opened: OpenPage, time: float) -> None:
    own = camera_at(SCENE.cameras, SCENE.times, time)
    drawn = opened.draw(time)
    assert agreement(drawn, layered(SCENE, time, own)) >= 42
    # Moments differ from each other, or the above would say little.
    assert agreement(drawn, layered(SCENE, (time + 0.4) % 1, own)) < 38


def test_it_shows_what_the_layers_show_from_aside(opened: OpenPage) -> None:
    views = around(SCENE.cameras[[1]], SQUARE)
    for side in (1, 2, 3, 4):
        camera = views[[side]]
        assert agreement(opened.draw(0.25, camera), layered(SCENE, 0.25, camera)) >= 42
    assert agreement(opened.draw(0.25, views[[1]]), layered(SCENE, 0.25, views[[2]])) < 30


def test_lens_and_size_of_any_camera_are_heeded(opened: OpenPage) -> None:
    camera = around(SCENE.cameras[[2]], SQUARE, 3.0)[[3]]
    K = camera.K.clone()
    K[:, 0, 0] *= 0.9
    K[:, 0, 2] += 7
    K[:, 1, 2] -= 4
    camera = PinholeCameras(camera.c2w, K, 130, 70)
    drawn = opened.draw(0.4, camera)
    assert drawn.shape == (70, 130, 3)
    assert agreement(drawn, layered(SCENE, 0.4, camera)) >= 42


def test_the_benchmark_looks_from_every_side_at_and_between_frames(opened: OpenPage) -> None:
    table = measured(SCENE, opened, [1], 1)
    assert set(table) == {*SIDES, "between"}
    for found in table.values():
        assert 42 <= found["worst"] <= found["mean"] < 60


def test_options_of_drawing_are_heeded(browser: Any, tmp_path: Path) -> None:
    options = DrawOptions(nearest_only=True, gamma=3.0, rasterize_mode="antialiased")
    scene = replace(SCENE, options=options)
    write_page(tmp_path / "b.html", scene, "other")
    page = OpenPage(browser, tmp_path / "b.html")
    page.run("page.stop()")
    for time in (0.2, 0.25, 0.3):
        own = camera_at(scene.cameras, scene.times, time)
        drawn = page.draw(time)
        assert agreement(drawn, layered(scene, time, own)) >= 42
        assert agreement(drawn, layered(SCENE, time, own)) < 36
    page.tab.close()


def test_it_needs_no_network_and_meets_no_error(opened: OpenPage, path: Path) -> None:
    opened.draw(0.1)
    assert [url for url in opened.requests if not url.startswith(("blob:", "data:"))] == [path.as_uri()]
    assert opened.errors == []


def state(page: OpenPage) -> dict[str, Any]:
    return page.run("return page.state()")


def test_playing_runs_at_the_chosen_rate_and_goes_on_from_the_start(browser: Any, path: Path) -> None:
    page = OpenPage(browser, path)
    page.run("")
    assert page.tab.title() == "A scene"
    assert not state(page)["playing"]
    page.tab.select_option("#rate", "0.25")
    page.tab.keyboard.press("Space")
    # Seconds between pictures, and what the clip's clock made of them.
    pairs = page.run(
        "const tick = () => new Promise((next) => requestAnimationFrame((now) => next([now, page.state().time])));"
        "await tick(); const seen = []; while (seen.length < 5) seen.push(await tick());"
        "return seen.slice(1).map(([now, time], i) => [(now - seen[i][0]) / 1000, 8 * (time - seen[i][1])])"
    )
    assert [clip for _, clip in pairs] == pytest.approx([0.25 * min(wall, 1) for wall, _ in pairs], abs=1e-3)
    page.run("page.setTime(0.999)")
    page.until("page.state().time < 0.5")
    page.tab.click("#play")
    before = state(page)
    assert not before["playing"]
    page.tab.wait_for_timeout(200)
    assert state(page)["time"] == before["time"]
    assert page.errors == []
    page.tab.close()


def test_steps_and_slider_reach_frames(browser: Any, path: Path) -> None:
    page = OpenPage(browser, path)
    page.run("page.setTime(0.3)")
    page.tab.keyboard.press("ArrowRight")
    assert state(page)["time"] == pytest.approx(0.5)
    page.tab.click("#back")
    assert state(page)["time"] == pytest.approx(0.25)
    assert page.tab.inner_text("#clock").split()[:3] == ["2", "/", "5"]
    page.tab.evaluate("s = document.getElementById('slider'); s.value = 6.4; s.dispatchEvent(new Event('input'))")
    assert state(page)["time"] == pytest.approx(0.8)
    page.tab.close()


def test_mouse_and_keys_move_the_camera_and_home_brings_it_back(browser: Any, path: Path) -> None:
    page = OpenPage(browser, path)
    page.run("page.setTime(0.5)")
    home = state(page)["camera"]
    mouse = page.tab.mouse
    mouse.move(240, 120)
    mouse.down()
    mouse.move(280, 130)
    mouse.up()
    turned = state(page)
    assert turned["offset"]["yaw"] > 0.1
    assert turned["offset"]["pitch"] < 0
    # A circle about the point before the clip's camera.
    header = page.run("return page.header")
    pivot = torch.tensor([home["centre"][0], home["centre"][1], home["centre"][2] + header["distance"]])
    assert float((torch.tensor(turned["camera"]["centre"]) - pivot).norm()) == pytest.approx(header["distance"])
    mouse.wheel(0, -120)
    page.until("page.state().offset.nearer > 0.1")
    nearer = state(page)["camera"]["centre"]
    assert float((torch.tensor(nearer) - pivot).norm()) < 0.95 * header["distance"]
    mouse.down(button="right")
    mouse.move(300, 130)
    mouse.up(button="right")
    assert state(page)["offset"]["shift"][0] < 0
    page.tab.keyboard.press("Home")
    page.until("page.state().offset.yaw === 0")
    assert state(page)["camera"]["centre"] == pytest.approx(home["centre"])
    assert page.errors == []
    page.tab.close()


def test_the_camera_follows_the_clip_or_stays(browser: Any, path: Path) -> None:
    page = OpenPage(browser, path)
    page.run("page.setTime(0.5)")
    page.run("page.setTime(1)")
    assert state(page)["camera"]["centre"][0] == pytest.approx(0.04)
    page.tab.click("#follow")
    page.run("page.setTime(0.25)")
    assert state(page)["camera"]["centre"][0] == pytest.approx(0.04)
    assert page.tab.get_attribute("#follow", "aria-pressed") == "false"
    page.tab.click("#home")
    assert state(page)["camera"]["centre"][0] == pytest.approx(0.01)
    page.tab.close()


def test_fingers_turn_pinch_and_shift(browser: Any, path: Path) -> None:
    page = OpenPage(browser, path, has_touch=True)
    page.run("page.stop()")
    session = page.tab.context.new_cdp_session(page.tab)

    def touch(kind: str, *points: tuple[int, int]) -> None:
        listed = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": listed})

    touch("touchStart", (200, 100))
    touch("touchMove", (230, 100))
    touch("touchEnd")
    assert state(page)["offset"]["yaw"] > 0.05
    touch("touchStart", (200, 100), (260, 100))
    touch("touchMove", (180, 100), (280, 100))
    touch("touchEnd")
    assert state(page)["offset"]["nearer"] == pytest.approx(0.51, abs=0.05)
    assert state(page)["offset"]["yaw"] < 0.5
    page.tab.close()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "const old = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext = "
            "function (kind, ...rest) { return kind === 'webgl2' ? null : old.call(this, kind, ...rest); }",
            "WebGL2",
        ),
        ("delete window.DecompressionStream", "DecompressionStream"),
    ],
)
def test_it_says_what_the_browser_lacks(browser: Any, path: Path, script: str, words: str) -> None:
    page = OpenPage(browser, path, script)
    page.tab.wait_for_selector("#message.failed")
    assert words in page.tab.inner_text("#message")
    assert not page.tab.is_visible("#controls")
    page.tab.close()
