"""The door between judged pictures and those who are judged: it opens for the names that were agreed on."""

from __future__ import annotations

from collections.abc import Iterable

from neoverse_ns.errors import LeakError
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.protocol.protocol import Choice


class GuardedScene:
    """Reads frames of a scene whose names were agreed on, and no others.

    Args:
        scene: The scene.
        allowed: Names of the frames that may be read.
        purpose: What for, for the error.

    Attributes:
        opened: Names of all frames that were read, in order.
    """

    def __init__(self, scene: BenchmarkScene, allowed: Iterable[str], purpose: str) -> None:
        self._scene, self._allowed, self._purpose = scene, frozenset(allowed), purpose
        self.opened: list[str] = []

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        """See :meth:`BenchmarkScene.read`.

        Raises:
            LeakError: The frame is not among those allowed.
        """
        if frame.name not in self._allowed:
            raise LeakError(f"{self._scene.name}: {frame.name} is judged by, and must not be read for {self._purpose}")
        self.opened.append(frame.name)
        return self._scene.read(frame, *what)


def check_apart(scene: BenchmarkScene, choice: Choice) -> None:
    """Let a choice pass whose inputs and targets are different pictures of the scene.

    Raises:
        LeakError: A picture is both, or there twice.
    """
    inputs, targets = [frame.name for frame in choice.inputs], [frame.name for frame in choice.targets]
    both = sorted(set(inputs) & set(targets))
    if both:
        raise LeakError(f"{scene.name}: {both[0]} is both given and judged by ({len(both)} such frames)")
    if len(set(inputs)) < len(inputs) or len(set(targets)) < len(targets):
        raise LeakError(f"{scene.name}: a frame is chosen twice")
