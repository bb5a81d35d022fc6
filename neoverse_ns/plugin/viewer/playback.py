"""Viewer panel that steps through and plays the clip's frames."""

from __future__ import annotations

import threading
import time

from nerfstudio.viewer.viewer_elements import ViewerCheckbox, ViewerNumber, ViewerSlider
from torch import nn


class Playback(nn.Module):
    """Frame slider and play switch; found by the viewer because it is a module with public elements.

    Nerfstudio's own Time slider moves in steps of 0.01 and cannot hit most frames; while "Use frame" is on, this
    panel's frame decides instead.

    Args:
        num_frames: Sampled frames of the clip.
    """

    def __init__(self, num_frames: int) -> None:
        super().__init__()
        self.num_frames = num_frames
        last = max(num_frames - 1, 1)
        self.use_frame = ViewerCheckbox("Use frame instead of Time", False)
        self.frame = ViewerSlider("Frame", 0, 0, last, 1, cb_hook=self._moved)
        self.play = ViewerCheckbox("Play frames", False, cb_hook=self._toggled)
        self.frames_per_second = ViewerNumber("Frames per second", 8.0)
        self._thread: threading.Thread | None = None

    def time(self) -> float | None:
        """Normalised time chosen in the panel; None where nerfstudio's Time slider decides."""
        if not self.use_frame.value:
            return None
        return float(self.frame.value) / max(self.num_frames - 1, 1)

    def _moved(self, _: ViewerSlider) -> None:
        if not self.use_frame.value and int(self.frame.value) != 0:
            self.use_frame.value = True

    def _toggled(self, _: ViewerCheckbox) -> None:
        if self.play.value and (self._thread is None or not self._thread.is_alive()):
            self.use_frame.value = True
            self._thread = threading.Thread(target=self._run, name="neoverse-playback", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        """Advance until play is switched off. The slider's own callback asks the viewer to draw again."""
        while self.play.value:
            rate = min(max(float(self.frames_per_second.value), 0.1), 60.0)
            time.sleep(1.0 / rate)
            self.frame.value = (int(self.frame.value) + 1) % self.num_frames
