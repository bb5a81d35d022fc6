"""A browser's side of nerfstudio's viewer, as far as the tests need it."""

from __future__ import annotations

import io
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
from PIL import Image
from websockets.sync.client import ClientConnection, connect

from tests.e2e.commands import BIN, PATIENCE, Shell

ADDRESS = re.compile(r"ws://\S+:(\d+)")

CAMERA_MESSAGES = {
    "SetCameraUpDirectionMessage": ("up", "position"),
    "SetCameraPositionMessage": ("position", "position"),
    "SetCameraLookAtMessage": ("look_at", "look_at"),
    "SetCameraFovMessage": ("fov", "fov"),
}
"""What the server says about the browser's camera: our name for it, and the field that holds it."""


class ViewerClient:
    """Listens to one viewer; remembers its panel's elements and the pictures it sends."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.elements: dict[str, str] = {}
        """Identifier of every panel element by its label; the first of several with the same one."""
        self.last_elements: dict[str, str] = {}
        """The same, but the last of several: the NeoVerse tab comes after nerfstudio's."""
        self.values: dict[str, Any] = {}
        """Latest value the server gave an element, by identifier."""
        self.pictures: list[np.ndarray] = []
        self.camera: dict[str, Any] = {}
        """Where the server has sent the browser's camera: `position`, `look_at`, `up`, `fov`, in the order it did."""
        self.visible: dict[str, bool] = {}
        """Whether things in the scene are shown, by name, where the server has said so."""

    def look(
        self,
        position: tuple[float, ...],
        wxyz: tuple[float, ...],
        fov: float,
        aspect: float,
        look_at: tuple[float, ...] = (0.0, 10.0, 0.0),
    ) -> None:
        """Place the browser's camera (OpenCV axes, the viewer's tenfold units)."""
        self._send(
            type="ViewerCameraMessage", wxyz=wxyz, position=position, fov=fov, aspect=aspect,
            look_at=look_at, up_direction=(0.0, 0.0, 1.0),
        )  # fmt: skip

    def set(self, label: str, value: Any) -> None:
        """Move a slider or tick a box."""
        self._send(type="GuiUpdateMessage", id=self.elements[label], updates={"value": value})

    def press(self, label: str) -> None:
        """Press a button of the NeoVerse tab."""
        self._send(type="GuiUpdateMessage", id=self.last_elements[label], updates={"value": True})

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Take messages until `condition` holds."""
        deadline = time.monotonic() + PATIENCE / 4
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"the viewer never sent {what}"
            try:
                self._take(self._connection.recv(timeout=min(left, 1.0)))
            except TimeoutError:
                continue

    def new_picture(self, unlike: np.ndarray | None = None) -> np.ndarray:
        """The next picture, or the next one that differs clearly from `unlike`."""
        seen = len(self.pictures)

        def arrived() -> bool:
            return any(unlike is None or differ(image, unlike) for image in self.pictures[seen:])

        self.wait(arrived, "a new picture")
        return next(image for image in self.pictures[seen:] if unlike is None or differ(image, unlike))

    def settled(self, quiet: float, unlike: np.ndarray | None = None) -> np.ndarray:
        """The last picture, once one unlike `unlike` has come and then none for `quiet` seconds.

        The server sends a coarse picture first and a fine one when it has the time, on a slow machine much later.
        """
        self.new_picture(unlike)
        deadline = time.monotonic() + quiet
        while (left := deadline - time.monotonic()) > 0:
            seen = len(self.pictures)
            try:
                self._take(self._connection.recv(timeout=left))
            except TimeoutError:
                break
            if len(self.pictures) > seen:
                deadline = time.monotonic() + quiet
        return self.pictures[-1]

    def _send(self, **message: Any) -> None:
        packed: Any = msgpack.packb(message)
        self._connection.send(packed)

    def _take(self, data: bytes | str) -> None:
        unpacked = msgpack.unpackb(data, raw=False, strict_map_key=False)
        for message in unpacked if isinstance(unpacked, list) else [unpacked]:
            if message.get("type", "").startswith("GuiAdd") and "label" in message:
                self.elements.setdefault(message["label"], message["id"])
                self.last_elements[message["label"]] = message["id"]
            if message.get("type") == "GuiUpdateMessage" and "value" in message["updates"]:
                self.values[message["id"]] = message["updates"]["value"]
            if message.get("type", "") in CAMERA_MESSAGES:
                name, field = CAMERA_MESSAGES[message["type"]]
                self.camera.pop(name, None)
                self.camera[name] = message[field]
            if message.get("type") == "SetSceneNodeVisibilityMessage":
                self.visible[message["name"]] = message["visible"]
            if message.get("type") == "BackgroundImageMessage" and message.get("rgb_bytes"):
                image = Image.open(io.BytesIO(message["rgb_bytes"])).convert("RGB")
                self.pictures.append(np.asarray(image.resize((48, 30), Image.Resampling.BOX), dtype=np.float32))


def differ(a: np.ndarray, b: np.ndarray, least: float = 1.5) -> bool:
    """Whether something moved between two pictures; JPEG's noise and a change of resolution stay below 1.5."""
    return float(np.abs(a - b).mean()) > least


@contextmanager
def open_viewer(shell: Shell, *command: str | Path) -> Iterator[ViewerClient]:
    """Start a command that serves the viewer, connect to it, and end it afterwards."""
    with serve_viewer(shell, *command) as address:
        socket = address.replace("http://", "ws://")
        with connect(socket, max_size=None, open_timeout=60) as connection:
            yield ViewerClient(connection)


@contextmanager
def serve_viewer(shell: Shell, *command: str | Path) -> Iterator[str]:
    """Start a command that serves the viewer, give its address once it is whole, and end it afterwards."""
    name, *arguments = command
    log = shell.folder / "viewer.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(BIN / name), *map(str, arguments)],
            cwd=shell.folder, env=shell.environment() | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{_port(process, log)}/"
        assert process.poll() is None, f"the viewer ended by itself:\n{log.read_text('utf8')[-3000:]}"
        assert "Traceback" not in log.read_text("utf8"), log.read_text("utf8")[-5000:]
    finally:
        process.terminate()
        process.wait(60)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Wait until the viewer has printed its address; it takes the next free port where the asked one is taken."""
    deadline = time.monotonic() + PATIENCE / 2
    while time.monotonic() < deadline and process.poll() is None:
        found = ADDRESS.search(log.read_text("utf8", "replace"))
        if found:
            return int(found.group(1))
        time.sleep(0.2)
    raise AssertionError(f"no viewer came up:\n{log.read_text('utf8')[-4000:]}")
