"""Cameras of the clip's frames in the scene, as frusta."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.plugin.viewer.viewed import ViewedRun

TRAINING, HELD_OUT, CURRENT = "Training cameras", "Held-out cameras", "Current camera"
COLOURS = {TRAINING: (255, 211, 105), HELD_OUT: (90, 170, 255), CURRENT: (255, 255, 255)}
SCALE = 0.25
"""Height of a frustum in the viewer's units, ten of which are the clip's median depth."""
_PICTURE = 96
"""Longer side of the current frame's picture in its frustum."""


class Frustums:
    """Draws and hides them; nothing is drawn before it is asked for.

    Args:
        run: What is shown.
    """

    def __init__(self, run: ViewedRun) -> None:
        self._run = run
        self._handles: dict[str, list[Any]] = {}
        self._frame = 0

    def show(self, kind: str, visible: bool) -> None:
        """Show or hide all of a kind; shown ones stand where the cameras are by now."""
        for handle in self._handles.pop(kind, []):
            handle.remove()
        if not visible:
            return
        split = self._run.scene.split
        frames = {TRAINING: split.train, HELD_OUT: split.held_out, CURRENT: [self._frame]}[kind]
        cameras = self._run.cameras()
        name = kind.split()[0].lower()
        self._handles[kind] = [
            add_frustum(
                self._run.server,
                f"/neoverse/{name}/{frame:05d}",
                cameras,
                frame,
                COLOURS[kind],
                self._image(kind, frame),
            )
            for frame in frames
        ]

    def move_to(self, frame: int) -> None:
        """Let the current camera be another frame's."""
        self._frame = frame
        if CURRENT in self._handles:
            self.show(CURRENT, True)

    def _image(self, kind: str, frame: int) -> np.ndarray | None:
        if kind != CURRENT:
            return None
        picture = self._run.scene.clip.frames[frame].numpy()
        step = max(max(picture.shape[:2]) // _PICTURE, 1)
        return picture[::step, ::step]


def add_frustum(
    server: Any,
    name: str,
    cameras: PinholeCameras,
    index: int,
    colour: tuple[int, int, int],
    image: np.ndarray | None = None,
    scale: float = SCALE,
) -> Any:
    """Add a camera to the scene.

    Args:
        server: Viser's.
        name: In the scene's tree; what has the same one is replaced.
        cameras: In nerfstudio's world, OpenCV axes.
        index: Which of them.
        colour: Of its lines.
        image: To show in it.
        scale: Its height in the viewer's units.

    Returns:
        Viser's handle.
    """
    from nerfstudio.viewer.viewer import VISER_NERFSTUDIO_SCALE_RATIO

    c2w, K = cameras.c2w[index].double(), cameras.K[index]
    return server.scene.add_camera_frustum(
        name,
        fov=2 * math.atan(0.5 * cameras.height / float(K[1, 1])),
        aspect=cameras.width / cameras.height,
        scale=scale,
        color=colour,
        image=image,
        wxyz=quaternions.from_matrix(c2w[None, :3, :3])[0].numpy(),
        position=VISER_NERFSTUDIO_SCALE_RATIO * c2w[:3, 3].numpy(),
    )
