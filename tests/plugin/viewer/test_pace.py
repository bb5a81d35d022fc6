"""From coarse to sharp as soon as nobody moves."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

# Importing takes longer than what is timed here.
from nerfstudio.viewer.render_state_machine import RenderAction

from neoverse_ns.plugin.viewer.pace import QUIET, Pace


class Machine:
    """Nerfstudio's thread of one browser, as far as its pace is concerned."""

    def __init__(self, state: str) -> None:
        self.state, self.running, self.next_action, self.client = state, True, None, "client"
        self.actions: list[tuple[float, str]] = []

    def action(self, action: RenderAction) -> None:
        self.actions.append((time.perf_counter(), action.action))


def pace() -> Pace:
    return Pace(SimpleNamespace(get_camera_state=lambda client: client))


def drawn(machine: Machine, paced: Pace) -> float:
    paced.drawn(machine)
    return time.perf_counter()


def settle(machine: Any, seconds: float = 5.0) -> None:
    deadline = time.perf_counter() + seconds
    while not machine.actions and time.perf_counter() < deadline:
        time.sleep(0.005)


def test_the_second_coarse_picture_is_followed_by_the_sharp_one_at_once() -> None:
    machine = Machine("low_static")
    pace().drawn(machine)
    assert [what for _, what in machine.actions] == ["static"]


def test_the_first_one_waits_for_quiet() -> None:
    machine, paced = Machine("low_move"), pace()
    begun = drawn(machine, paced)
    assert machine.actions == []
    settle(machine)
    ((at, what),) = machine.actions
    assert what == "static"
    assert at - begun > 0.5 * QUIET


def test_who_goes_on_moving_is_left_alone() -> None:
    machine, paced = Machine("low_move"), pace()
    for _ in range(6):
        begun = drawn(machine, paced)
        time.sleep(0.4 * QUIET)
    settle(machine)
    # Only the last picture's timer finds quiet.
    time.sleep(2 * QUIET)
    assert len(machine.actions) == 1
    assert machine.actions[0][0] - begun > 0.5 * QUIET


def test_a_move_that_waits_and_a_browser_that_is_gone_need_nothing() -> None:
    waiting, gone, sharp, paced = Machine("low_move"), Machine("low_static"), Machine("high"), pace()
    waiting.next_action = "move"  # pyright: ignore
    gone.running = False
    for machine in (waiting, gone, sharp):
        paced.drawn(machine)
    time.sleep(2 * QUIET)
    assert waiting.actions == gone.actions == sharp.actions == []
    paced.forget()
    assert gone not in paced._requests
