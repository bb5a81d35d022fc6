"""The part of the tab that concerns camera paths."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from neoverse_ns.errors import NeoVerseError, SettingsError
from neoverse_ns.plugin.viewer.live import LivePictures
from neoverse_ns.plugin.viewer.paths import Paths, PathWish, in_nerfstudio
from neoverse_ns.plugin.viewer.play_controls import PlayControls
from neoverse_ns.plugin.viewer.playhead import Playhead
from neoverse_ns.plugin.viewer.reels import Picture, SharedReel
from neoverse_ns.plugin.viewer.viewed import ViewedRun, nerfstudio_camera
from neoverse_ns.trajectory.files import LONGEST
from neoverse_ns.trajectory.moves.registry import is_directed
from neoverse_ns.trajectory.options import DEFAULT_FPS, TrajectoryOptions
from neoverse_ns.trajectory.presets import MoveSize
from neoverse_ns.trajectory.trajectory import Trajectory

FRAMES = 49
AS_IT_IS, FREEZE, CUSTOM = "as the path has it", "freeze here", "curve below"
TIMES = (AS_IT_IS, FREEZE, "reverse", "ease", "ping-pong", "slow 2x", CUSTOM)
"""How time may go; see :meth:`neoverse_ns.trajectory.time_curve.TimeCurve.parse`."""


class PathControls:
    """Choose a path, see it in the scene, play it, keep it.

    Args:
        run: What is shown.
        playhead: Whose instant is frozen.
        live: Draws it.
        play: What plays it.
        kept: What kept pictures depend on beside their cameras.
    """

    def __init__(
        self, run: ViewedRun, playhead: Playhead, live: LivePictures, play: PlayControls, kept: Callable[[], Any]
    ) -> None:
        self._run, self._playhead, self._live, self._play, self._kept = run, playhead, live, play, kept
        self._paths = Paths(run)
        self._one_by_one = threading.Lock()
        gui = run.server.gui
        with gui.add_folder("Path"):
            self._move = gui.add_dropdown("Move", self._paths.names(), initial_value="orbit_right")
            self._row = gui.add_text("Or a row of moves", "", hint="orbit:degrees=60 + handheld:seed=3")
            self._frames = gui.add_number("Frames", FRAMES, min=1, max=LONGEST, step=1)
            self._angle = gui.add_number("Angle", 15.0, step=1.0, hint="Degrees of a pan, tilt or orbit")
            self._distance = gui.add_number("Distance", 0.1, step=0.01, hint="Of a straight move, in median depths")
            self._zoom = gui.add_number("Zoom", 1.0, min=0.05, max=20.0, step=0.05, hint="Last focal length over first")
            self._time = gui.add_dropdown("Time goes", TIMES)
            self._curve = gui.add_text("Curve", "0:0, 2s:1s, hold 1s", hint="Moments of the video : of the clip")
            self._visible = gui.add_checkbox("Show the path", False)
            play_path = gui.add_button("Play the path")
            leave = gui.add_button("Leave the path")
            self._name = gui.add_text("Name", "path")
            save = gui.add_button(
                "Send to Render", hint="For the Render tab's Load Path, ns-render camera-path and ns-neoverse generate"
            )
        shown = (self._move, self._row, self._frames, self._angle, self._distance, self._zoom, self._time, self._curve)
        for element in (*shown, self._visible):
            element.on_update(lambda event: self._guarded(event.client, self._show))
        play_path.on_click(lambda event: self._guarded(event.client, self._play_it))
        leave.on_click(lambda _: play.rest())
        save.on_click(lambda event: self._guarded(event.client, self._save))

    def trajectory(self) -> Trajectory:
        """The path as chosen now.

        Raises:
            SettingsError: It cannot be made.
        """
        options = TrajectoryOptions(
            int(self._frames.value),
            None if self._zoom.value == 1 else float(self._zoom.value),
            MoveSize(float(self._angle.value), float(self._distance.value)),
            self._time_wanted(),
        )
        row = str(self._row.value).strip()
        if row and not is_directed(row):
            raise SettingsError(f"'{row}' is no row of moves: write such as 'orbit:degrees=60 + handheld'")
        return self._paths.make(PathWish(row or str(self._move.value), options))

    def _time_wanted(self) -> str | None:
        chosen = str(self._time.value)
        if chosen == FREEZE:
            clip = self._run.scene.clip
            seconds = float(clip.seconds[-1] - clip.seconds[0]) * self._playhead.time
            return f"freeze@{seconds:.4f}s"
        return None if chosen == AS_IT_IS else str(self._curve.value) if chosen == CUSTOM else chosen

    @property
    def name(self) -> str:
        """What the path is to be called."""
        return str(self._name.value)

    def _show(self) -> None:
        self._paths.show(self.trajectory() if self._visible.value else None)

    def _play_it(self) -> None:
        trajectory = self.trajectory()
        cameras = in_nerfstudio(trajectory)
        longest = self._run.viewer.control_panel.max_res
        times = self._run.scene.clip.times

        def drawn(index: int) -> Picture:
            time = min(max(float(trajectory.times[index]), 0.0), 1.0)
            nearest = int((times - time).abs().argmin())
            return self._live.picture(nerfstudio_camera(cameras, index, longest), nearest, time)

        self._play.show(SharedReel(len(trajectory), trajectory.fps or DEFAULT_FPS, drawn, self._kept))

    def _save(self) -> None:
        file = self._paths.save(self.trajectory(), self.name)
        self._move.options = tuple(self._paths.names())
        self._run.tell("Path kept", f"Render > Load Path lists {file.name}; commands take {file}")

    def _guarded(self, client: Any, act: Callable[[], None]) -> None:
        """Do it, one after the other, and tell whoever asked why it cannot be done.

        Moves that look for things in the scene draw it, which the thread that serves all browsers has no time for.
        """

        def work() -> None:
            with self._one_by_one:
                try:
                    act()
                except (NeoVerseError, OSError) as error:
                    self._run.tell("That cannot be done", str(error), client)

        threading.Thread(target=work, name="neoverse-path", daemon=True).start()
