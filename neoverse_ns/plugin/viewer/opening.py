"""The viewer opens where the clip does: at its first camera, with that camera's view and upright."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from nerfstudio.cameras.cameras import Cameras
from nerfstudio.viewer.viewer_elements import ViewerControl
from torch import Tensor

from neoverse_ns.plugin.viewer.training_cameras import hide_training_cameras

Place = tuple[float, float, float]

_NEAREST, _FARTHEST = 0.02, 15.0
"""How far look_at may lie ahead, in nerfstudio's units; viser's controls allow 0.01 to 20."""

_SAME = 1e-3
"""Relative difference up to which a browser's camera counts as the one it was given."""


@dataclass(frozen=True)
class OpeningView:
    """A camera as the viewer places them: looking at what it turns around.

    Attributes:
        position: Of the camera, in nerfstudio's world.
        look_at: On its optical axis, at the distance of what it shows.
        up: Its upward direction.
        half_width: Tangent of the angle from the optical axis to the farther side.
        half_height: Tangent of the angle to the farther of top and bottom.
    """

    position: Place
    look_at: Place
    up: Place
    half_width: float
    half_height: float

    @staticmethod
    def of(camera: Cameras, viewmats: Float[Tensor, "1 4 4"], depth: float) -> OpeningView:
        """The view of a nerfstudio camera.

        Args:
            camera: A single perspective camera; its pose is not looked at.
            viewmats: Its pose, world-to-camera in OpenCV axes.
            depth: Distance of what it shows.
        """
        c2w = torch.linalg.inv(viewmats[0].double())
        # The browser's camera never stands nearer to look_at, nor farther from it.
        depth = min(max(depth, _NEAREST), _FARTHEST)
        right_side = max(float(camera.cx[0]), float(camera.width[0] - camera.cx[0]))
        lower_side = max(float(camera.cy[0]), float(camera.height[0] - camera.cy[0]))
        return OpeningView(
            position=_place(c2w[:3, 3]),
            look_at=_place(c2w[:3, 3] + depth * c2w[:3, 2]),
            up=_place(-c2w[:3, 1]),
            half_width=right_side / float(camera.fx[0]),
            half_height=lower_side / float(camera.fy[0]),
        )

    def vertical_fov(self, aspect: float) -> float:
        """Vertical field of view in radians with which a window of this aspect (width / height) shows all of it."""
        return 2 * math.atan(max(self.half_height, self.half_width / aspect))


class Opening(ViewerControl):
    """Places the camera of every browser that connects, and hides what would stand in its way.

    The viewer finds it because it is a public attribute of the model.

    Args:
        view: The view to open with, asked for when a browser connects: training changes it.
    """

    def __init__(self, view: Callable[[], OpeningView]) -> None:
        self._view = view

    def _setup(self, viewer: Any) -> None:
        super()._setup(viewer)
        viewer.viser_server.on_client_connect(lambda client: _OpenedClient(client, self._view()).open())
        hide_training_cameras(viewer)


class _OpenedClient:
    """One browser's camera, from when it connects until its user takes over.

    The window's aspect changes in the first seconds, while its side panel slides in: the field of view follows it, so
    that the whole frame stays in sight.
    """

    def __init__(self, client: Any, view: OpeningView) -> None:
        from nerfstudio.viewer.viewer import VISER_NERFSTUDIO_SCALE_RATIO

        self._client = client
        self._view = view
        self._position, self._look_at = (
            np.array(place) * VISER_NERFSTUDIO_SCALE_RATIO for place in (view.position, view.look_at)
        )
        self._aspect = float(client.camera.aspect)
        self._fovs = [float(client.camera.fov)]
        self._state: Literal["announced", "on its way", "there", "moved"] = "announced"

    def open(self) -> None:
        """Send the camera there, and keep the whole frame in sight."""
        camera = self._client.camera
        # A new position carries look_at along, and the browser turns as it gets each: this order ends upright.
        with self._client.atomic():
            camera.up_direction = self._view.up
            camera.position = tuple(self._position)
            camera.look_at = tuple(self._look_at)
            self._fit(camera)
        camera.on_update(self._updated)

    def _fit(self, camera: Any) -> None:
        self._aspect = float(camera.aspect)
        fov = self._view.vertical_fov(self._aspect)
        self._fovs.append(fov)
        camera.fov = fov

    def _updated(self, camera: Any) -> None:
        """See what the browser says its camera is now."""
        if self._state == "announced":
            # Viser calls once more for the message that announced the browser, with the camera that was just set here.
            self._state = "on its way"
            return
        there = self._is_there(camera)
        if self._state == "on its way" and there:
            # Before, messages tell of where the browser was, or of something in between.
            self._state = "there"
        if self._state == "there" and not there:
            self._state = "moved"
        if self._state != "moved" and abs(float(camera.aspect) / self._aspect - 1) > _SAME:
            self._fit(camera)

    def _is_there(self, camera: Any) -> bool:
        reach = _SAME * float(np.linalg.norm(self._look_at - self._position))
        near = all(
            float(np.linalg.norm(np.asarray(now) - then)) < reach
            for now, then in ((camera.position, self._position), (camera.look_at, self._look_at))
        )
        # Messages with one of the angles before the last may still be on their way.
        return near and any(abs(float(camera.fov) / fov - 1) < _SAME for fov in self._fovs)


def _place(values: Float[Tensor, "3"]) -> Place:
    x, y, z = values.tolist()
    return x, y, z
