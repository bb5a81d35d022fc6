"""Nerfstudio's pictures at the training cameras, out of sight until they are asked for."""

from __future__ import annotations

import threading
import time
from typing import Any

_PATIENCE = 600.0
"""Seconds after which nothing is expected to come any more."""


def hide_training_cameras(viewer: Any) -> threading.Thread:
    """Press "Hide Train Cams" in nerfstudio's viewer once, as soon as there is something to hide.

    Every training camera is drawn as a frustum with a small picture in front of it. From the first camera its picture
    hides all of the scene, and those of the frames that follow stand in the middle of the way.

    Args:
        viewer: Nerfstudio's, which places the frusta some time after it was built.

    Returns:
        What waits for them.
    """

    def wait() -> None:
        deadline = time.monotonic() + _PATIENCE
        # The viewer is told the state of training when all frusta stand.
        while not hasattr(viewer, "train_state"):
            if time.monotonic() > deadline:
                return
            time.sleep(0.1)
        viewer.set_camera_visibility(False)
        viewer.hide_images.visible = False
        viewer.show_images.visible = True

    thread = threading.Thread(target=wait, name="neoverse-hide-cameras", daemon=True)
    thread.start()
    return thread
