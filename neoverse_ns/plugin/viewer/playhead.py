"""The instant that the viewer shows: exactly a frame's, or whatever nerfstudio's Time slider says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_SAME = 1e-4
"""Far below the slider's steps of 0.01, far above float32's rounding of them."""


class Playhead:
    """Whoever was moved last decides: a frame chosen here, or the Time slider, which can hit few frames exactly.

    Args:
        times: Normalised time of every frame, ascending.
    """

    def __init__(self, times: Sequence[float]) -> None:
        self.times = list(times)
        self._time = self.times[0]
        self._slider = 0.0
        self._move_slider: Callable[[float], None] = lambda value: None

    def bind(self, move_slider: Callable[[float], None]) -> None:
        """Tell how nerfstudio's Time slider is moved, so that it shows what is on screen."""
        self._move_slider = move_slider

    @property
    def time(self) -> float:
        """Normalised time on screen."""
        return self._time

    @property
    def frame(self) -> int:
        """The frame nearest to it, the earlier of two."""
        return min(range(len(self.times)), key=lambda i: abs(self.times[i] - self._time))

    def go(self, frame: int, move_slider: bool = True) -> None:
        """Show a frame.

        Args:
            frame: Counted from 0; those outside the clip stand for its ends.
            move_slider: Whether nerfstudio's slider follows, which lets it draw.
        """
        self._time = self.times[min(max(frame, 0), len(self.times) - 1)]
        if move_slider:
            self._slider = round(self._time, 2)
            self._move_slider(self._slider)

    def at(self, slider: float) -> float:
        """The time to draw while nerfstudio's slider stands at `slider`."""
        if abs(slider - self._slider) > _SAME:
            self._slider = slider
            self._time = min(max(slider, 0.0), 1.0)
        return self._time
