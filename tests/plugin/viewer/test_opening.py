"""Where the viewer opens, and how long its field of view follows the window."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from nerfstudio.cameras.cameras import Cameras
from nerfstudio.viewer.utils import parse_object
from nerfstudio.viewer.viewer_elements import ViewerControl

from neoverse_ns.plugin.viewer.opening import Opening, OpeningView
from neoverse_ns.plugin.world import opengl_to_viewmats
from tests.plugin.tiny_scene import HEIGHT, WIDTH, tiny_model, tiny_scene

VIEW = OpeningView((0.0, -0.1, 0.2), (0.0, 1.4, 0.2), (0.0, 0.0, 1.0), half_width=0.8, half_height=0.5)


class Browser:
    """Viser's side of one browser: a camera that remembers in which order it was set, and calls back."""

    def __init__(self, aspect: float = 1.6) -> None:
        self.given: list[tuple[str, Any]] = []
        self.callbacks: list[Callable[[Any], None]] = []
        self.camera: Any = self
        self.state: dict[str, Any] = {
            "position": (3.0, 3.0, 3.0),
            "look_at": (0.0, 0.0, 0.0),
            "up_direction": (0.0, 0.0, 1.0),
            "fov": 1.3,
            "aspect": aspect,
        }

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["state"][name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("position", "look_at", "up_direction", "fov"):
            self.given.append((name, value))
            self.state[name] = value
        else:
            self.__dict__[name] = value

    @contextmanager
    def atomic(self) -> Iterator[None]:
        yield

    def on_update(self, callback: Callable[[Any], None]) -> None:
        self.callbacks.append(callback)

    def says(self, **state: Any) -> None:
        """A message of the browser's."""
        self.state.update(state)
        for callback in self.callbacks:
            callback(self)


class Viewer:
    """As much of nerfstudio's viewer as a control sees while it is set up."""

    def __init__(self) -> None:
        self.viser_server = self
        self.connected: list[Callable[[Any], None]] = []
        # As if all was placed, so that nobody waits for it.
        self.train_state = "training"
        self.hide_images, self.show_images = SimpleNamespace(visible=True), SimpleNamespace(visible=False)

    def set_camera_visibility(self, visible: bool) -> None:
        assert not visible

    def on_client_connect(self, callback: Callable[[Any], None]) -> None:
        self.connected.append(callback)


def connect(aspect: float = 1.6) -> Browser:
    """A browser that has just connected; as viser does, its first message is told once more."""
    viewer, browser = Viewer(), Browser(aspect)
    Opening(lambda: VIEW)._setup(viewer)
    for callback in viewer.connected:
        callback(browser)
    browser.says()
    return browser


def follow(browser: Browser) -> None:
    """The browser has taken what it was given."""
    browser.says(**dict(browser.given))


def fitting(aspect: float) -> float:
    return 2 * math.atan(max(0.5, 0.8 / aspect))


def test_camera_is_given_whole_upright_and_in_an_order_that_keeps_it() -> None:
    browser = connect()
    assert [name for name, _ in browser.given] == ["up_direction", "position", "look_at", "fov"]
    values = dict(browser.given)
    np.testing.assert_allclose(values["position"], (0, -1, 2))
    np.testing.assert_allclose(values["look_at"], (0, 14, 2))
    assert values["up_direction"] == (0, 0, 1)
    assert values["fov"] == pytest.approx(fitting(1.6))


@pytest.mark.parametrize("aspect", [0.6, 1.0, 1.6, 3.0])
def test_whole_frame_is_in_sight_and_touches_the_window(aspect: float) -> None:
    up = math.tan(VIEW.vertical_fov(aspect) / 2)
    across = aspect * up
    assert up >= 0.5 - 1e-9
    assert across >= 0.8 - 1e-9
    assert min(up / 0.5, across / 0.8) == pytest.approx(1)


def test_field_of_view_follows_the_window_until_the_user_moves() -> None:
    browser = connect()
    # On its way the browser tells of its old camera, or of half of the new one.
    browser.says(position=(3.0, 3.0, 3.0), look_at=(0.0, 0.0, 0.0), fov=1.3)
    browser.says(position=(3.0, 3.0, 3.0), look_at=(0.0, 14.0, 2.0), fov=fitting(1.6), aspect=1.5)
    assert browser.given[-1] == ("fov", pytest.approx(fitting(1.5)))
    browser.given = [*browser.given[:3], browser.given[-1]]
    follow(browser)
    for aspect in (1.42, 1.37, 1.353):
        browser.says(aspect=aspect)
        assert browser.given[-1] == ("fov", pytest.approx(fitting(aspect)))
    # A message sent before the last angle arrived is no movement of the user's.
    browser.says(fov=fitting(1.37))
    browser.says(fov=fitting(1.353), aspect=1.2)
    assert browser.given[-1] == ("fov", pytest.approx(fitting(1.2)))
    given = len(browser.given)
    browser.says(position=(0.3, -1.0, 2.0), look_at=(0.3, 14.0, 2.0))
    browser.says(aspect=1.0)
    # Not even once they come back.
    browser.says(position=(0.0, -1.0, 2.0), look_at=(0.0, 14.0, 2.0), aspect=0.9)
    assert len(browser.given) == given


@pytest.mark.parametrize("change", [{"fov": 0.4}, {"look_at": (1.0, 14.0, 2.0)}])
def test_another_angle_or_pivot_is_the_users_too(change: dict[str, Any]) -> None:
    browser = connect()
    follow(browser)
    given = len(browser.given)
    browser.says(**change)
    browser.says(aspect=1.0)
    assert len(browser.given) == given


def test_nothing_is_sent_while_the_window_stays() -> None:
    browser = connect()
    follow(browser)
    follow(browser)
    assert len(browser.given) == 4


def test_view_is_the_first_cameras_as_refined() -> None:
    scene = tiny_scene()
    model = tiny_model(scene)
    with torch.no_grad():
        model.camera_optimizer.pose_adjustment[0, :3] = torch.tensor([0.02, -0.03, 0.01])
    # All that nerfstudio's viewer finds, and sets up.
    controls = dict(parse_object(model, ViewerControl, "model"))
    assert sorted(controls) == ["model/opening", "model/panel"]
    view = controls["model/opening"]._view()
    # The first camera is this package's world: it looks along nerfstudio's +y, with +z up.
    np.testing.assert_allclose(view.position, (-0.02, -0.01, -0.03), atol=1e-6)
    depth = float(scene.geometry.depth[0].median())
    np.testing.assert_allclose(np.subtract(view.look_at, view.position), (0, depth, 0), atol=1e-6)
    np.testing.assert_allclose(view.up, (0, 0, 1), atol=1e-6)
    # The principal point is (23, 17.5): the right side and the top are farther.
    assert view.half_width == pytest.approx((WIDTH - 23) / 40)
    assert view.half_height == pytest.approx(17.5 / 42)
    assert HEIGHT - 17.5 < 17.5


def test_pivot_stays_where_the_browsers_camera_can_reach_it() -> None:
    pose = torch.eye(4)[None, :3]
    camera = Cameras(pose, 40.0, 40.0, 24.0, 16.0, 48, 32)
    for depth, expected in ((1e-4, 0.02), (3.0, 3.0), (500.0, 15.0)):
        view = OpeningView.of(camera[0:1], opengl_to_viewmats(pose), depth)
        assert float(np.linalg.norm(np.subtract(view.look_at, view.position))) == pytest.approx(expected)
