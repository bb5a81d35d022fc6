"""What nerfstudio's viewer gets when it asks for a picture."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from nerfstudio.cameras.cameras import Cameras, CameraType
from torch import Tensor

from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.plugin.viewer.coarse import draw_untraced
from neoverse_ns.plugin.viewer.display import Display
from neoverse_ns.plugin.viewer.pace import Pace, hurry
from neoverse_ns.plugin.viewer.player import Player
from neoverse_ns.plugin.viewer.playhead import Playhead
from neoverse_ns.plugin.viewer.reels import Picture
from neoverse_ns.plugin.viewer.viewed import ViewedRun, pinhole, sharp_size
from neoverse_ns.plugin.world import FRAME_KEY

_DEPTH_SIDE = 160
"""Longer side of the depth that goes with kept pictures; it only hides lines and frusta."""

Draw = Callable[[Cameras, float, LayeredGaussians], dict[str, Tensor]]
"""Draws a scene from a nerfstudio camera at a time: the model's outputs."""


class LivePictures:
    """Answers the threads that draw for browsers, and draws for the player.

    Args:
        run: What is shown.
        display: How.
        playhead: When.
        draw: The model's drawing, cropped as the viewer's crop box says.
    """

    def __init__(self, run: ViewedRun, display: Display, playhead: Playhead, draw: Draw) -> None:
        self._run, self._display, self._playhead, self._draw = run, display, playhead, draw
        self._pace = Pace(run.viewer)
        self._last: dict[Any, tuple[Any, dict[str, Tensor]]] = {}
        self.player: Player | None = None

    @staticmethod
    def asked_by_viewer(camera: Cameras) -> bool:
        """Whether a camera is a browser's: frames' cameras and those of ns-render are not."""
        metadata = camera.metadata or {}
        return "cam_idx" in metadata and FRAME_KEY not in metadata

    def time_of(self, camera: Cameras) -> float:
        """What a browser's camera shows; in the Render tab's preview that tab decides."""
        given = 0.0 if camera.times is None else float(camera.times.reshape(-1)[0])
        if self._run.viewer.render_tab_state.preview_render:
            return min(max(given, 0.0), 1.0)
        return self._playhead.at(given)

    def outputs(self, camera: Cameras) -> dict[str, Tensor]:
        """A picture for whichever thread asks: the played one, the last one where nothing has changed, or a new one."""
        machine = threading.current_thread()
        client = getattr(machine, "client", None)
        if client is None:
            return self._drawn(camera, self.time_of(camera))
        draw_untraced(machine)
        # First of all, because it sees whether the Time slider was moved.
        time = self.time_of(camera)
        played = None
        if self.player is not None and not self._run.viewer.render_tab_state.preview_render:
            played = self.player.picture_for(client)
        if played is not None:
            outputs = self._as_outputs(played, float(client.camera.aspect))
        else:
            outputs = self._drawn_or_last(machine, camera, time)
        self._pace.drawn(machine)
        hurry(client)
        return outputs

    def _drawn_or_last(self, machine: Any, camera: Cameras, time: float) -> dict[str, Tensor]:
        key = (time, self._display.version, self._run.version(), _numbers(camera))
        last = self._last.get(machine)
        again = machine.state == "low_static" and not self._run.viewer.control_panel.crop_viewport
        if again and last is not None and last[0] == key:
            return dict(last[1])
        outputs = self._drawn(camera, time)
        self._last[machine] = (key, dict(outputs))
        return outputs

    def forget(self) -> None:
        """Drop what belongs to browsers that are gone."""
        self._pace.forget()
        for machine in [m for m in list(self._last) if not m.running]:
            self._last.pop(machine, None)

    def picture(self, camera: Cameras, frame: int, time: float | None = None) -> Picture:
        """A sharp picture, for the player; takes the lock.

        Args:
            camera: A single one.
            frame: The clip's frame nearest to what is drawn.
            time: Normalised; None takes the frame's.
        """
        when = self._playhead.times[frame] if time is None else time
        model = self._run.model
        with torch.no_grad(), self._run.lock():
            was_training = model.training
            model.eval()
            try:
                outputs = self._drawn(camera.to(model.device), when, frame)
            finally:
                model.train(was_training)
        image = (outputs["rgb"].clamp(0, 1) * 255).to(torch.uint8).cpu().numpy()
        return Picture(image, _small_depth(outputs["depth"]) if self._run.viewer.control_panel.layer_depth else None)

    def camera_of(self, client: Any) -> Cameras:
        """A browser's camera at the size of its sharp pictures."""
        from nerfstudio.viewer.utils import get_camera

        state = self._run.viewer.get_camera_state(client)
        width, height = sharp_size(state.aspect, self._run.viewer.control_panel.max_res)
        return get_camera(state, height, width)

    def _drawn(self, camera: Cameras, time: float, frame: int | None = None) -> dict[str, Tensor]:
        if int(camera.camera_type.reshape(-1)[0]) != CameraType.PERSPECTIVE.value:
            return self._draw(camera, time, self._run.model.gaussians.detach())
        nearest = self._playhead.frame if frame is None else frame
        return self._display.outputs(pinhole(camera), time, nearest, lambda scene: self._draw(camera, time, scene))

    def _as_outputs(self, picture: Picture, aspect: float) -> dict[str, Tensor]:
        from nerfstudio.viewer.viewer import VISER_NERFSTUDIO_SCALE_RATIO as SCALE

        from neoverse_ns.plugin.viewer.reels import padded

        rgb = torch.from_numpy(padded(picture.image, aspect)).float() / 255
        height, width = rgb.shape[:2]
        depth = torch.full((height, width, 1), 1e3)
        if picture.depth is not None:
            given = torch.from_numpy(picture.depth)[None, None] / SCALE
            depth = F.interpolate(given, (height, width), mode="nearest")[0, 0, :, :, None]
        nothing = torch.zeros(height, width, 3)
        return {"rgb": rgb, "depth": depth, "accumulation": torch.ones(height, width, 1), "background": nothing}


def _small_depth(depth: Tensor) -> np.ndarray:
    from nerfstudio.viewer.viewer import VISER_NERFSTUDIO_SCALE_RATIO as SCALE

    height, width = depth.shape[:2]
    scale = min(_DEPTH_SIDE / max(height, width), 1.0)
    size = (max(round(scale * height), 1), max(round(scale * width), 1))
    small = F.interpolate(depth[..., 0][None, None].float(), size, mode="nearest")[0, 0]
    return SCALE * small.cpu().numpy()


def _numbers(camera: Cameras) -> tuple[Any, ...]:
    """What tells one camera from another."""
    return (
        *camera.camera_to_worlds.reshape(-1).tolist(),
        float(camera.fx.reshape(-1)[0]),
        int(camera.width.reshape(-1)[0]),
        int(camera.height.reshape(-1)[0]),
        int(camera.camera_type.reshape(-1)[0]),
    )
