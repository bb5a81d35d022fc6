"""How soon nerfstudio's viewer goes from coarse to sharp.

Its machine waits .2 s for quiet, draws the same coarse picture again, waits another .2 s and only then draws sharply.
Here the first wait is shorter, the second picture is the first one again, and the second wait is left out.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

QUIET = 0.08
"""Seconds without a new request after which nobody is moving any more; browsers tell of a drag every .05 s or less."""


def hurry(client: Any) -> None:
    """Have viser send what waits for a browser and its next message at once, which it keeps for a 60th of a second."""
    # Viser no longer knows a browser that has just gone.
    with suppress(KeyError):
        client.flush()


class Pace:
    """Pushes the machines on; one for all browsers.

    Args:
        viewer: Nerfstudio's.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._requests: dict[Any, int] = {}
        """How many pictures every machine was asked for; tells whether one came while its timer ran."""

    def drawn(self, machine: Any) -> None:
        """To be told, in a machine's own thread, of each picture that it gets."""
        count = self._requests.get(machine, 0) + 1
        self._requests[machine] = count
        if machine.state == "low_static":
            self._go_on(machine)
        elif machine.state == "low_move":
            timer = threading.Timer(QUIET, self._if_quiet, (machine, count))
            timer.daemon = True
            timer.start()

    def forget(self) -> None:
        """Drop machines whose browsers are gone."""
        for machine in [m for m in list(self._requests) if not m.running]:
            self._requests.pop(machine, None)

    def _if_quiet(self, machine: Any, count: int) -> None:
        if self._requests.get(machine) == count and machine.state == "low_move" and machine.next_action is None:
            self._go_on(machine)

    def _go_on(self, machine: Any) -> None:
        from nerfstudio.viewer.render_state_machine import RenderAction

        if machine.running:
            machine.action(RenderAction("static", self._viewer.get_camera_state(machine.client)))
