"""The run that the viewer shows, as its parts need it: cameras as refined so far, frames, and who draws."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from nerfstudio.cameras.cameras import Cameras, CameraType

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.plugin.viewer.opening import OpeningView
from neoverse_ns.plugin.world import opengl_to_viewmats, viewmats_to_opengl
from neoverse_ns.reconstruct.scene import Scene

if TYPE_CHECKING:
    from neoverse_ns.plugin.model import NeoVerseModel


class ViewedRun:
    """A model and its clip behind one viewer.

    Args:
        model: What draws.
        scene: What it was trained on.
        viewer: Nerfstudio's.
        folder: The run folder, where everything goes that a browser asks for.
    """

    def __init__(self, model: NeoVerseModel, scene: Scene, viewer: Any, folder: Path) -> None:
        self.model, self.scene, self.viewer, self.folder = model, scene, viewer, folder

    @property
    def server(self) -> Any:
        return self.viewer.viser_server

    def lock(self) -> AbstractContextManager[Any]:
        """Held while the Gaussians must not change: for one drawing at a time, never for longer work."""
        return self.viewer.train_lock or nullcontext()

    def version(self) -> int:
        """Changes whenever training has changed the Gaussians."""
        return int(self.viewer.step)

    def cameras(self) -> PinholeCameras:
        """Of all frames, as refined so far, OpenCV axes, in nerfstudio's world."""
        return self.model.camera_optimizer.refined(self.scene.geometry.cameras, self.scene.clip.times)

    def view_of(self, frame: int) -> OpeningView:
        """How a browser sees what a frame saw."""
        return self.model.view_of_frame(self.scene, frame)

    def clients(self) -> list[Any]:
        """All browsers whose cameras are known."""
        machines = self.viewer.render_statemachines
        return [client for number, client in list(self.server.get_clients().items()) if number in machines]

    def tell(self, title: str, body: str, client: Any = None) -> None:
        """Show a note, in all browsers or in one."""
        for browser in self.clients() if client is None else [client]:
            browser.add_notification(title, body, auto_close=8000)

    def rerender(self) -> None:
        """Ask for new pictures in all browsers."""
        self.viewer._trigger_rerender()


def pinhole(camera: Cameras) -> PinholeCameras:
    """A nerfstudio perspective camera with OpenCV axes, in the same world, on the CPU."""
    viewmats = opengl_to_viewmats(camera.camera_to_worlds.cpu().reshape(-1, 3, 4))
    return PinholeCameras(
        torch.linalg.inv(viewmats),
        camera.get_intrinsics_matrices().cpu().reshape(-1, 3, 3),
        int(camera.width.reshape(-1)[0]),
        int(camera.height.reshape(-1)[0]),
    )


def nerfstudio_camera(cameras: PinholeCameras, index: int, longest: int) -> Cameras:
    """One of some cameras with OpenCV axes as nerfstudio knows them, in the same world.

    Args:
        cameras: Of any size.
        index: Which of them.
        longest: The longer side of the picture in pixels; what is in view stays the same.
    """
    scale = longest / max(cameras.width, cameras.height)
    one = cameras[[index]]
    K = one.K[0].float() * scale
    return Cameras(
        camera_to_worlds=viewmats_to_opengl(one.viewmats.float()),
        fx=K[0, 0].reshape(1),
        fy=K[1, 1].reshape(1),
        cx=K[0, 2].reshape(1),
        cy=K[1, 2].reshape(1),
        width=max(round(scale * cameras.width), 1),
        height=max(round(scale * cameras.height), 1),
        times=torch.zeros(1, 1),
        camera_type=CameraType.PERSPECTIVE,
    )


def sharp_size(aspect: float, longest: int) -> tuple[int, int]:
    """Width and height of nerfstudio's sharp pictures, of which neither side is longer than `longest`."""
    if aspect >= 1:
        return longest, max(int(longest / aspect), 1)
    return max(int(longest * aspect), 1), longest
