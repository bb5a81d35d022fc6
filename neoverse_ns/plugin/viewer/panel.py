"""The NeoVerse tab of nerfstudio's viewer, and what stands behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nerfstudio.cameras.cameras import Cameras
from nerfstudio.viewer.viewer_elements import ViewerControl
from torch import Tensor

from neoverse_ns.plugin.viewer.display import Display
from neoverse_ns.plugin.viewer.frustums import Frustums
from neoverse_ns.plugin.viewer.live import Draw, LivePictures
from neoverse_ns.plugin.viewer.play_controls import PlayControls
from neoverse_ns.plugin.viewer.playhead import Playhead
from neoverse_ns.plugin.viewer.show_controls import ShowControls
from neoverse_ns.plugin.viewer.tab import neoverse_tab
from neoverse_ns.plugin.viewer.viewed import ViewedRun
from neoverse_ns.reconstruct.scene import Scene

if TYPE_CHECKING:
    from neoverse_ns.plugin.model import NeoVerseModel


class NeoVersePanel(ViewerControl):
    """Builds the tab when a viewer is built, and answers its requests for pictures from then on.

    The viewer finds it because it is a public attribute of the model. Without a viewer it does nothing.

    Args:
        model: What is shown.
        scene: What that was trained on.
        draw: Draws; see :data:`neoverse_ns.plugin.viewer.live.Draw`.
    """

    def __init__(self, model: NeoVerseModel, scene: Scene, draw: Draw) -> None:
        self._model, self._scene, self._draw = model, scene, draw
        self._live: LivePictures | None = None

    def _setup(self, viewer: Any) -> None:
        # They know the model, which knows this; and what shows nothing has no use for refiners and formats.
        from neoverse_ns.plugin.viewer.path_controls import PathControls
        from neoverse_ns.plugin.viewer.work_controls import WorkControls

        super()._setup(viewer)
        run = ViewedRun(self._model, self._scene, viewer, viewer.log_filename.parent)
        playhead = Playhead(self._scene.clip.times.tolist())
        playhead.bind(lambda time: setattr(viewer.control_panel, "time", time))
        display, frustums = Display(run), Frustums(run)
        live = LivePictures(run, display, playhead, self._draw)

        def kept() -> Any:
            return display.version, run.version(), viewer.control_panel.max_res, viewer.control_panel.layer_depth

        with neoverse_tab(viewer.viser_server):
            play = PlayControls(run, playhead, live, frustums, kept)
            ShowControls(run, display, frustums)
            paths = PathControls(run, playhead, live, play, kept)
            WorkControls(run, playhead, paths, play)
        live.player = play.player
        viewer.viser_server.on_client_disconnect(lambda _: live.forget())
        self._live = live

    def watches(self, camera: Cameras) -> bool:
        """Whether a camera is that of a browser which this tab serves."""
        return self._live is not None and self._live.asked_by_viewer(camera)

    def outputs(self, camera: Cameras) -> dict[str, Tensor]:
        """What such a camera is to see."""
        assert self._live is not None
        return self._live.outputs(camera)

    def time_of(self, camera: Cameras) -> float | None:
        """Normalised time that such a camera shows; None of all others."""
        return self._live.time_of(camera) if self._live is not None and self.watches(camera) else None
