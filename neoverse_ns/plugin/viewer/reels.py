"""Pictures that are played: drawn once, kept, and sent by the clock."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MOST_BYTES = 1 << 30
"""Pictures kept at a time; beyond that the oldest browser's go."""


@dataclass(frozen=True)
class Picture:
    """What is sent to a browser.

    Attributes:
        image: Bytes [h, w, 3].
        depth: z-depth [h', w'] in the viewer's units, to hide things in the scene; None where nothing shall be hidden.
    """

    image: np.ndarray
    depth: np.ndarray | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return self.image.nbytes + (0 if self.depth is None else self.depth.nbytes)


class Reel(ABC):
    """Pictures in order.

    Attributes:
        count: How many.
        fps: Rate it is played at; None leaves it to the user.
        foreign: Whether the pictures are of other cameras than the browser's: things in the scene would stand wrongly.
    of_clip: Whether picture i shows the clip's frame i.
    """

    count: int
    fps: float | None = None
    foreign: bool = False
    of_clip: bool = False

    @abstractmethod
    def get(self, client: Any, index: int) -> Picture | None:
        """The picture for a browser; None where it is not drawn yet."""

    @abstractmethod
    def draw(self, client: Any, index: int) -> None:
        """Draw and keep it."""

    def next_missing(self, clients: list[Any], index: int) -> tuple[Any, int] | None:
        """What to draw next: what is shown soonest first; None where all is there."""
        for ahead in range(self.count):
            at = (index + ahead) % self.count
            for client in clients:
                if self.get(client, at) is None:
                    return client, at
        return None


@dataclass
class _Kept:
    key: Any
    pictures: dict[int, Picture] = field(default_factory=dict)


class ClientReel(Reel):
    """The clip's frames as every browser's own camera sees them; whoever moves, or changes what is shown, starts anew.

    Args:
        count: Frames.
        key: What a browser's pictures depend on: they are kept as long as it stays.
        drawn: Draws a frame for a browser.
    """

    of_clip = True

    def __init__(self, count: int, key: Callable[[Any], Any], drawn: Callable[[Any, int], Picture]) -> None:
        self.count = count
        self._key, self._drawn = key, drawn
        self._kept: dict[int, _Kept] = {}

    def get(self, client: Any, index: int) -> Picture | None:
        kept = self._kept.get(client.client_id)
        return None if kept is None or kept.key != self._key(client) else kept.pictures.get(index)

    def draw(self, client: Any, index: int) -> None:
        key = self._key(client)
        picture = self._drawn(client, index)
        kept = self._kept.get(client.client_id)
        if kept is None or kept.key != key:
            kept = self._kept[client.client_id] = _Kept(key)
        kept.pictures[index] = picture
        while sum(p.size for k in list(self._kept.values()) for p in list(k.pictures.values())) > MOST_BYTES:
            self._kept.pop(next(iter(self._kept)))


class SharedReel(Reel):
    """Pictures of cameras of their own, the same for all browsers, such as of a path.

    Args:
        count: Frames.
        fps: See :class:`Reel`.
        drawn: Draws a frame.
        key: What the pictures depend on.
        of_clip: See :class:`Reel`.
    """

    foreign = True

    def __init__(
        self,
        count: int,
        fps: float | None,
        drawn: Callable[[int], Picture],
        key: Callable[[], Any] = lambda: None,
        of_clip: bool = False,
    ) -> None:
        self.count, self.fps, self.of_clip = count, fps, of_clip
        self._drawn, self._key = drawn, key
        self._kept = _Kept(key())

    def get(self, client: Any, index: int) -> Picture | None:
        return self._kept.pictures.get(index) if self._kept.key == self._key() else None

    def draw(self, client: Any, index: int) -> None:
        key = self._key()
        picture = self._drawn(index)
        if self._kept.key != key:
            self._kept = _Kept(key)
        self._kept.pictures[index] = picture


def video_reel(frames: np.ndarray, fps: float) -> SharedReel:
    """A finished video [n, h, w, 3], bytes."""
    return SharedReel(len(frames), fps, lambda index: Picture(frames[index]))


def padded(image: np.ndarray, aspect: float) -> np.ndarray:
    """An image with black bars that make its aspect (width / height) that of a window."""
    height, width = image.shape[:2]
    across, down = max(round((aspect * height - width) / 2), 0), max(round((width / aspect - height) / 2), 0)
    if across == 0 and down == 0:
        return image
    return np.pad(image, ((down, down), (across, across), (0, 0)))
