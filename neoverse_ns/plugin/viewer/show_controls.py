"""The part of the tab that concerns what pictures show."""

from __future__ import annotations

import threading
from typing import Any

from neoverse_ns.gaussians.layers import LAYERS
from neoverse_ns.plugin.viewer.display import INPUT, SHOW, Display
from neoverse_ns.plugin.viewer.frustums import COLOURS, Frustums
from neoverse_ns.plugin.viewer.viewed import ViewedRun


class ShowControls:
    """Switches of a display and of the frusta.

    Args:
        run: What is shown.
        display: What is switched.
        frustums: Likewise.
    """

    def __init__(self, run: ViewedRun, display: Display, frustums: Frustums) -> None:
        self._run, self._display = run, display
        gui = run.server.gui
        with gui.add_folder("Show"):
            show = gui.add_dropdown("Show", SHOW)
            given = gui.add_dropdown("Input frame", INPUT)
            seam = gui.add_slider("Wipe", 0.0, 1.0, 0.01, 0.5)
            velocities = gui.add_checkbox("Velocities", False)
            tracks = gui.add_checkbox("Tracks", False)
            cameras = {kind: gui.add_checkbox(kind, False) for kind in COLOURS}
            with gui.add_folder("Layers"):
                layers = {
                    name: gui.add_checkbox(name.replace("_", " "), True, hint=kind.meaning)
                    for name, kind in LAYERS.items()
                }
        show.on_update(lambda _: self._change(show=str(show.value)))
        given.on_update(lambda _: self._change(input=str(given.value)))
        seam.on_update(lambda _: self._change(seam=float(seam.value)))
        velocities.on_update(lambda _: self._change(velocities=bool(velocities.value)))
        tracks.on_update(lambda _: self._track(bool(tracks.value)))
        for kind, box in cameras.items():
            box.on_update(lambda event, kind=kind: frustums.show(kind, bool(event.target.value)))
        for box in layers.values():
            box.on_update(lambda _: self._change(hidden=frozenset(n for n, box in layers.items() if not box.value)))

    def _change(self, **settings: Any) -> None:
        self._display.change(**settings)
        self._run.rerender()

    def _track(self, wanted: bool) -> None:
        def prepare() -> None:
            self._display.prepare_tracks()
            self._change(tracks=wanted)

        # Following takes its time the first time; it shall hold up neither drawing nor the other browsers.
        threading.Thread(target=prepare, name="neoverse-tracks", daemon=True).start()
