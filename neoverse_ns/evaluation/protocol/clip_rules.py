"""Rules for our own clips: frames are those that the clip loader samples, as it does for users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clips.scene import RIGHT, ClipScene
from neoverse_ns.evaluation.data.clips.windows import HELD_OUT_EVERY, ClipWindow
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.protocol.protocol import Choice
from neoverse_ns.reconstruct.split import split_frames

Judged = Literal["none", "held-out", "same-frames", "right"]
"""Nothing; every eighth frame, which is then not given; the given frames themselves, which measures memory; what a
second camera saw at the given and held-out frames' times."""


@dataclass(frozen=True)
class Sampled:
    """Frames of a window.

    Attributes:
        window: What the clip loader samples.
        judged: What is judged.
        tracking: Which source frames between are followed, by its name in `TRACKING`; "" where nothing is trained.
    """

    window: ClipWindow
    judged: Judged = "none"
    tracking: str = ""

    @property
    def label(self) -> str:
        """The rule in an id, as `25@s2-5:interleaved-time-m1:8`."""
        end = self.window.start + self.window.duration
        base = f"{self.window.num_frames}@s{self.window.start:g}-{end:g}"
        if self.judged == "none":
            return base
        if self.judged == "same-frames":
            return f"{base}:same-frames"
        held = f"{base}:interleaved-time-{self.tracking}:{HELD_OUT_EVERY}"
        return f"{held}>c{RIGHT}" if self.judged == "right" else held

    def __call__(self, scene: BenchmarkScene) -> Choice:
        """Choose.

        Raises:
            ClipError: The scene is no clip folder, cannot be sampled, or has no second camera where one is judged.
        """
        if not isinstance(scene, ClipScene):
            raise ClipError(f"{scene.folder}: {scene.name} is no clip folder, of which alone frames can be sampled")
        frames = scene.choose(self.window)
        if self.judged in ("none", "same-frames"):
            return Choice(frames, frames if self.judged == "same-frames" else ())
        repeated = scene.repeated(frames)
        again = [place for place, frame in enumerate(frames) if frame.name in repeated]
        held = set(split_frames(len(frames), held_out_every=HELD_OUT_EVERY, seen_again=again).held_out)
        inputs = tuple(frame for place, frame in enumerate(frames) if place not in held)
        if self.judged == "held-out":
            return Choice(inputs, tuple(frames[place] for place in sorted(held)))
        beside = {frame.time: frame for frame in scene.frames if frame.camera == RIGHT}
        right = tuple(beside[frame.time] for frame in frames if frame.time in beside)
        if not right:
            raise ClipError(f"{scene.folder}: {scene.name} has no right_images, so that no second camera can be judged")
        return Choice(inputs, right)
