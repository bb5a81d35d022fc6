"""The part of the tab that concerns time."""

from __future__ import annotations

from typing import Any

from neoverse_ns.plugin.viewer.frustums import Frustums
from neoverse_ns.plugin.viewer.live import LivePictures
from neoverse_ns.plugin.viewer.placing import place
from neoverse_ns.plugin.viewer.player import Player
from neoverse_ns.plugin.viewer.playhead import Playhead
from neoverse_ns.plugin.viewer.reels import ClientReel, Reel, SharedReel
from neoverse_ns.plugin.viewer.viewed import ViewedRun, nerfstudio_camera

STEPS = ("|<", "<", ">", ">|")
"""First frame, one back, one on, last frame; the panel has no room for words."""


class PlayControls:
    """Frame slider, play and pause, single steps, pace, and following the input's camera.

    Callbacks of viser's elements run in the thread that serves all browsers: none of them draws or waits.

    Args:
        run: What is shown.
        playhead: What decides the instant.
        live: Draws the pictures that are kept.
        frustums: Whose current camera follows.
        kept: What kept pictures depend on beside their cameras.
    """

    def __init__(self, run: ViewedRun, playhead: Playhead, live: LivePictures, frustums: Frustums, kept: Any) -> None:
        self._run, self._playhead, self._live, self._frustums, self._kept = run, playhead, live, frustums, kept
        count = len(playhead.times)
        self._clip_reel = ClientReel(
            count, self._client_key, lambda client, frame: live.picture(live.camera_of(client), frame)
        )
        self.player = Player(run, self._shown, self._cachable)
        self.player.load(self._clip_reel)
        self._build(run.server.gui, count)

    def _build(self, gui: Any, count: int) -> None:
        seconds = float(self._run.scene.clip.seconds[-1] - self._run.scene.clip.seconds[0])
        own = (count - 1) / seconds if seconds > 0 else 8.0
        with gui.add_folder("Play"):
            self._frame = gui.add_slider("Frame", 0, max(count - 1, 1), 1, 0)
            self._where = gui.add_markdown(self._say(0))
            self._play = gui.add_button("Play", hint="Play the clip from where this window looks")
            self._pause = gui.add_button("Pause", visible=False)
            self._step = gui.add_button_group("Step", STEPS)
            self._rate = gui.add_slider("Frames per second", 0.5, 60.0, 0.5, min(max(round(2 * own) / 2, 0.5), 60.0))
            self._loop = gui.add_checkbox("Loop", True)
            self._follow = gui.add_checkbox("Follow the input camera", False)
            home = gui.add_button("Back to the first camera")
        self._frame.on_update(self._slid)
        self._play.on_click(lambda _: self.play())
        self._pause.on_click(lambda _: self.pause())
        self._step.on_click(lambda event: self.step(event.target.value))
        self._rate.on_update(lambda _: self.player.set_rate(float(self._rate.value)))
        self._loop.on_update(lambda _: setattr(self.player, "loop", bool(self._loop.value)))
        self._follow.on_update(lambda event: self._followed(event.client))
        home.on_click(lambda event: None if event.client is None else place(event.client, self._run.view_of(0)))

    @property
    def following(self) -> bool:
        return bool(self._follow.value)

    def play(self) -> None:
        """Play on: the clip, or whatever other reel is there."""
        reel = self.player.reel
        if reel is None or (reel.of_clip and reel.foreign != self.following):
            self._load(self._input_reel() if self.following else self._clip_reel)
        if self.player.reel is not None and self.player.reel.of_clip and not self.player.playing:
            self.player.seek(self._playhead.frame)
        self.player.play(float(self._rate.value))
        self._toggle(True)

    def pause(self) -> None:
        """Stand still, and let nerfstudio draw what is there."""
        self.player.pause()
        self._toggle(False)
        reel = self.player.reel
        if reel is not None and reel.of_clip:
            if reel.foreign:
                self._load(self._clip_reel)
            self._go(self.player.index)

    def step(self, where: Any) -> None:
        """Go one frame on or back, or to an end."""
        if self.player.playing or self.player.reel is not self._clip_reel:
            self.rest()
        frame, last = self._playhead.frame, len(self._playhead.times) - 1
        self._go(dict(zip(STEPS, (0, max(frame - 1, 0), min(frame + 1, last), last), strict=True))[where])

    def show(self, reel: Reel) -> None:
        """Play another reel from its beginning."""
        self.player.load(reel)
        self.play()

    def rest(self) -> None:
        """Leave whatever is playing for the scene itself."""
        self.player.load(self._clip_reel, self._playhead.frame)
        self._toggle(False)
        self._run.rerender()

    def _load(self, reel: Reel) -> None:
        self.player.load(reel, self._playhead.frame)

    def _go(self, frame: int) -> None:
        self.player.seek(frame)
        self._playhead.go(frame)
        self._tell(frame)
        if self.following:
            for client in self._run.clients():
                place(client, self._run.view_of(frame))
        self.player.send()

    def _slid(self, event: Any) -> None:
        if event.client is None:
            return
        # What is typed beside the slider may lie beyond its ends.
        frame = min(max(int(self._frame.value), 0), len(self._playhead.times) - 1)
        if frame != self._frame.value:
            self._frame.value = frame
        if self.player.reel is not self._clip_reel and not (self.player.reel and self.player.reel.of_clip):
            self.rest()
        if self.player.playing:
            self.player.seek(frame)
            self._playhead.go(frame, move_slider=False)
        else:
            self._go(frame)

    def _followed(self, client: Any) -> None:
        if self.player.playing and self.player.reel is not None and self.player.reel.of_clip:
            self.play()
        elif self.following and client is not None:
            self._go(self._playhead.frame)

    def _shown(self, reel: Reel, index: int) -> None:
        """The clock has gone on."""
        if reel.of_clip:
            self._playhead.go(index, move_slider=False)
            self._tell(index)
        if not self.player.playing:
            self._toggle(False)

    def _tell(self, frame: int) -> None:
        self._frame.value = frame
        self._where.content = self._say(frame)
        self._frustums.move_to(frame)

    def _say(self, frame: int) -> str:
        scene = self._run.scene
        kind = "held out" if frame in scene.split.held_out else "training"
        second = float(scene.clip.seconds[frame] - scene.clip.seconds[0])
        return f"{second:.2f} s, frame {frame} of 0 to {len(scene.clip) - 1}, {kind}"

    def _toggle(self, playing: bool) -> None:
        self._play.visible, self._pause.visible = not playing, playing

    def _cachable(self) -> bool:
        panel, reel = self._run.viewer.control_panel, self.player.reel
        plain = panel.output_render in ("rgb", "not set") and not panel.split and not panel.crop_viewport
        exact = reel is None or reel.foreign or self._playhead.time == self._playhead.times[self.player.index]
        return plain and exact and not self._run.viewer.render_tab_state.preview_render

    def _client_key(self, client: Any) -> Any:
        camera = client.camera
        numbers = (*camera.position, *camera.wxyz, camera.fov, camera.aspect)
        return tuple(round(float(value), 5) for value in numbers), self._kept()

    def _input_reel(self) -> SharedReel:
        cameras = self._run.cameras()
        longest = self._run.viewer.control_panel.max_res

        def drawn(frame: int) -> Any:
            return self._live.picture(nerfstudio_camera(cameras, frame, longest), frame)

        return SharedReel(len(self._playhead.times), None, drawn, self._kept, of_clip=True)
