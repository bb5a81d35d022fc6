"""Coarse pictures are drawn to their end, at once.

Nerfstudio's machine interrupts a sharp drawing by a flag that a trace looks at in every line of Python. It raises that
flag even where the sharp picture was sent long ago: the first coarse picture of a move is then thrown away in its first
line, and the next one is only begun when .2 s have passed.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

COARSE = ("low_move", "low_static")
"""States of nerfstudio's machine in which nothing is interrupted."""


def forget_interrupt() -> None:
    """Lower the flag if it was meant for a sharp picture that is no longer being drawn.

    To be called in the thread that draws for a browser, between its decision what to draw and the drawing; in any other
    thread it does nothing.
    """
    machine: Any = threading.current_thread()
    if getattr(machine, "state", None) in COARSE:
        machine.interrupt_render_flag = False


def draw_untraced(machine: Any) -> None:
    """End the trace for the rest of a coarse drawing: nobody raises the flag meanwhile, and every line costs.

    Args:
        machine: That of the thread this is called in; nerfstudio ends the trace of all its drawings by itself.
    """
    if machine.state in COARSE:
        sys.settrace(None)
