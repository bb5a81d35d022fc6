"""Sending a browser's camera somewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from neoverse_ns.plugin.viewer.opening import OpeningView


def place(client: Any, view: OpeningView) -> None:
    """Let a browser look from `view`, upright, with all of it in sight.

    Args:
        client: A viser `ClientHandle` whose camera is known.
        view: Where to.
    """
    from nerfstudio.viewer.viewer import VISER_NERFSTUDIO_SCALE_RATIO as SCALE

    camera = client.camera
    # A new position carries look_at along, and the browser turns as it gets each: this order ends upright.
    with client.atomic():
        camera.up_direction = view.up
        camera.position = tuple(np.array(view.position) * SCALE)
        camera.look_at = tuple(np.array(view.look_at) * SCALE)
        camera.fov = view.vertical_fov(float(camera.aspect))
