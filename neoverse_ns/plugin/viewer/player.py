"""Plays reels by the clock: pictures that are there are sent, those that are not are drawn meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from neoverse_ns.plugin.viewer.pace import hurry
from neoverse_ns.plugin.viewer.reels import Picture, Reel, padded

SLOWEST, FASTEST = 0.1, 60.0
_QUALITY = 85
"""Of the JPEGs."""


class Player:
    """One for all browsers.

    Args:
        run: What is shown: a `ViewedRun`, or what stands in for one.
        shown: Told of the index and the reel whenever a picture's turn has come; not of pauses.
        cachable: Whether pictures may be kept now; where not, browsers draw each anew.
    """

    def __init__(self, run: Any, shown: Callable[[Reel, int], None], cachable: Callable[[], bool]) -> None:
        self._run, self._shown, self._cachable = run, shown, cachable
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._rate = 8.0
        self._from = (0.0, 0)
        self._threads: list[threading.Thread] = []
        self.reel: Reel | None = None
        self.index = 0
        self.playing = False
        self.loop = True

    def load(self, reel: Reel | None, index: int = 0) -> None:
        """Show another reel from now on, paused; None leaves the scene to be drawn as it is."""
        with self._lock:
            foreign = self.reel is not None and self.reel.foreign
            self.playing, self.reel, self.index = False, reel, index
            self._wake.notify_all()
        if foreign != (reel is not None and reel.foreign):
            self._run.server.scene.set_global_visibility(foreign)

    def play(self, rate: float) -> None:
        """Go on from where it stands, at `rate` pictures a second, unless the reel has a rate of its own."""
        with self._lock:
            if self.reel is None:
                return
            if not self.loop and self.index >= self.reel.count - 1:
                self.index = 0
            self.playing = True
            self.set_rate(rate)
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            names = {thread.name for thread in self._threads}
            for name, run in (("neoverse-clock", self._clock), ("neoverse-reel", self._fill)):
                if name not in names:
                    thread = threading.Thread(target=run, name=name, daemon=True)
                    self._threads.append(thread)
                    thread.start()
            self._wake.notify_all()

    def set_rate(self, rate: float) -> None:
        """Change the pace without a jump."""
        with self._lock:
            own = None if self.reel is None else self.reel.fps
            self._rate = min(max(rate if own is None else own, SLOWEST), FASTEST)
            self._from = (time.perf_counter(), self.index)
            self._wake.notify_all()

    def pause(self) -> None:
        """Stay where it is."""
        with self._lock:
            self.playing = False
            self._wake.notify_all()

    def seek(self, index: int) -> None:
        """Go somewhere else, at most to an end; playing goes on from there."""
        with self._lock:
            index = max(index if self.reel is None else min(index, self.reel.count - 1), 0)
            self.index = index
            self._from = (time.perf_counter(), index)

    def picture_for(self, client: Any) -> Picture | None:
        """What a browser shall see instead of a new drawing; None where it shall be drawn."""
        reel = self.reel
        if reel is None or not self._cachable():
            return None
        return reel.get(client, self.index)

    def send(self) -> None:
        """Show the present picture in every browser; those that it is not there for draw it themselves."""
        for client in self._run.clients():
            picture = self.picture_for(client)
            if picture is not None:
                image = padded(picture.image, float(client.camera.aspect))
                client.scene.set_background_image(image, format="jpeg", jpeg_quality=_QUALITY, depth=picture.depth)
                hurry(client)
            elif self.reel is None or not self.reel.foreign:
                self._draw_anew(client)

    def _draw_anew(self, client: Any) -> None:
        from nerfstudio.viewer.render_state_machine import RenderAction

        machine = self._run.viewer.render_statemachines.get(client.client_id)
        if machine is not None:
            machine.action(RenderAction("move", self._run.viewer.get_camera_state(client)))

    def _clock(self) -> None:
        """Advance while playing."""
        while True:
            with self._lock:
                if not self.playing or self.reel is None:
                    return
                start, first = self._from
                steps = int((time.perf_counter() - start) * self._rate)
                now = self._wrapped(first + steps)
                if now == self.index or steps == 0:
                    left = start + (steps + 1) / self._rate - time.perf_counter()
                    self._wake.wait(max(left, 0.001))
                    continue
                self.index = now
                reel = self.reel
                if not self.loop and first + steps >= reel.count - 1:
                    self.playing = False
            self._shown(reel, now)
            self.send()

    def _wrapped(self, index: int) -> int:
        assert self.reel is not None
        return index % self.reel.count if self.loop else min(index, self.reel.count - 1)

    def _fill(self) -> None:
        """Draw what is missing, soonest first, while playing."""
        while True:
            with self._lock:
                reel, index = self.reel, self.index
                if not self.playing or reel is None:
                    return
            missing = reel.next_missing(self._run.clients(), index) if self._cachable() else None
            if missing is None:
                with self._lock:
                    self._wake.wait(0.2)
                continue
            client, at = missing
            reel.draw(client, at)
            if reel.foreign and at == self.index:
                self.send()
