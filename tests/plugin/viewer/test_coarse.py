"""The first coarse picture of a move is drawn at once, by nerfstudio's own machine."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from nerfstudio.cameras.cameras import CameraType
from nerfstudio.utils.colormaps import ColormapOptions
from nerfstudio.viewer.render_state_machine import RenderAction, RenderStateMachine
from nerfstudio.viewer.utils import CameraState
from nerfstudio.viewer_legacy.server.viewer_utils import IOChangeException
from viser.infra._async_message_buffer import AsyncMessageBuffer

from neoverse_ns.plugin.viewer.coarse import draw_untraced, forget_interrupt
from neoverse_ns.plugin.viewer.pace import hurry
from tests.plugin.tiny_scene import tiny_model

SHARP = (80, 120, 3)
"""Coarse ones have 50 lines, as long as nobody has measured how fast drawing is."""


class Model:
    """Draws grey, and remembers in which state it was asked; sharp pictures take until they are released."""

    training, device = False, "cpu"

    def __init__(self) -> None:
        self.states: list[str] = []
        self.traced: list[bool] = []
        self.thrown_away = 0
        self.release = threading.Event()
        self.release.set()
        self.sharp_begun = threading.Event()

    def eval(self) -> None:
        forget_interrupt()

    def get_outputs_for_camera(self, camera: Any, obb_box: Any = None) -> dict[str, torch.Tensor]:
        machine: Any = threading.current_thread()
        draw_untraced(machine)
        self.states.append(machine.state)
        self.traced.append(sys.gettrace() is not None)
        if machine.state == "high":
            self.sharp_begun.set()
            self._until_released()
        return {"rgb": torch.full((int(camera.height), int(camera.width), 3), 0.5)}

    def _until_released(self) -> None:
        try:
            while not self.release.is_set():
                time.sleep(0.002)
        except IOChangeException:
            self.thrown_away += 1
            raise


def view() -> CameraState:
    return CameraState(0.8, 1.5, torch.eye(4)[:3], CameraType.PERSPECTIVE)


def browser(sent: list[tuple[int, ...]]) -> Any:
    def set_background_image(image: np.ndarray, **options: Any) -> None:
        sent.append(image.shape)

    scene = SimpleNamespace(set_background_image=set_background_image)
    return SimpleNamespace(camera=SimpleNamespace(aspect=1.5), scene=scene)


@contextmanager
def machines(model: Model, count: int = 1) -> Iterator[list[tuple[RenderStateMachine, list[tuple[int, ...]]]]]:
    """Nerfstudio's threads for some browsers that look at a model, at rest with a sharp picture."""
    panel = SimpleNamespace(
        crop_viewport=False, layer_depth=False, max_res=120, time=0.0, output_render="rgb", split=False,
        colormap_options=ColormapOptions(), update_output_options=lambda names: None,
    )  # fmt: skip
    viewer: Any = SimpleNamespace(
        ready=True, include_time=False, train_lock=threading.Lock(), step=0, control_panel=panel,
        render_tab_state=SimpleNamespace(preview_render=False), get_model=lambda: model,
        get_camera_state=lambda client: view(), update_colormap_options=lambda **options: None,
        config=SimpleNamespace(jpeg_quality=75, image_format="jpeg"),
        stats_markdown=SimpleNamespace(), make_stats_markdown=lambda step, size: "",
    )  # fmt: skip
    all_sent: list[list[tuple[int, ...]]] = [[] for _ in range(count)]
    started = [RenderStateMachine(viewer, 10.0, browser(sent)) for sent in all_sent]
    for machine in started:
        machine.start()
    until(lambda: all(SHARP in sent for sent in all_sent))
    try:
        yield list(zip(started, all_sent, strict=True))
    finally:
        model.release.set()
        for machine in started:
            machine.running = False
        for machine in started:
            machine.join(20)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + 20
    while not condition():
        assert time.perf_counter() < deadline
        time.sleep(0.002)


def test_a_move_is_answered_by_the_first_drawing_in_every_browser() -> None:
    model = Model()
    with machines(model, 2) as looking:
        for machine, sent in looking * 2:
            # At rest, the machine keeps on asking itself whether there is anything to do.
            until(lambda machine=machine: machine.state == "high" and machine.next_action is None)
            model.states.clear()
            sent.clear()
            machine.action(RenderAction("move", view()))
            until(lambda sent=sent: bool(sent))
            # Had it been interrupted, it would have been begun again only as "low_static".
            assert model.states[0] == "low_move"
            until(lambda sent=sent: SHARP in sent)


def test_a_sharp_drawing_is_still_interrupted_by_a_move() -> None:
    model = Model()
    with machines(model) as ((machine, sent),):
        model.release.clear()
        model.sharp_begun.clear()
        machine.action(RenderAction("move", view()))
        assert model.sharp_begun.wait(20)
        sent.clear()
        model.states.clear()
        machine.action(RenderAction("move", view()))
        until(lambda: bool(sent))
        assert model.thrown_away == 1
        assert model.states[0] == "low_move"
        assert sent[0] != SHARP


def test_only_sharp_drawings_are_traced() -> None:
    model = Model()
    with machines(model) as ((machine, _),):
        machine.action(RenderAction("move", view()))
        until(lambda: len(model.states) >= 4)
    assert {"low_static", "low_move", "high"} == set(model.states)
    assert model.traced == [state == "high" for state in model.states]


def test_the_model_forgets_interrupts_in_the_threads_of_browsers() -> None:
    model = tiny_model()

    class Thread(threading.Thread):
        def __init__(self, state: str) -> None:
            super().__init__()
            self.state, self.interrupt_render_flag = state, True

        def run(self) -> None:
            model.eval()

    drawing = [Thread(state) for state in ("low_move", "low_static", "high")]
    for thread in drawing:
        thread.start()
        thread.join()
    assert [thread.interrupt_render_flag for thread in drawing] == [False, False, True]
    # Any other thread, such as the trainer's, is none of its business.
    model.train()
    assert model.training


def test_a_hurried_message_is_not_held_back_and_a_browser_that_is_gone_does_no_harm() -> None:
    def gone() -> None:
        raise KeyError(3)

    hurry(SimpleNamespace(flush=gone))
    assert _held_back(hurried=False) > 0.4
    assert _held_back(hurried=True) < 0.4


def _held_back(hurried: bool) -> float:
    """Seconds between a message and its sending where viser waits half a second for further ones."""
    import asyncio

    from viser._messages import BackgroundImageMessage

    async def one() -> float:
        buffer = AsyncMessageBuffer(asyncio.get_running_loop(), persistent_messages=False, window_duration_sec=0.5)
        windows = buffer.window_generator(0)
        taken = asyncio.create_task(windows.__anext__())
        await asyncio.sleep(0.05)
        if hurried:
            hurry(SimpleNamespace(flush=buffer.flush))
            await asyncio.sleep(0.05)
        begun = time.perf_counter()
        buffer.push(BackgroundImageMessage("image/jpeg", b"", None))
        await taken
        return time.perf_counter() - begun

    return asyncio.run(one())
