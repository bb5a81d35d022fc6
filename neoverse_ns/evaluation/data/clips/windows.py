"""Which frames of a clip each measurement uses; whoever prints a number names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neoverse_ns.errors import SettingsError

HELD_OUT_EVERY = 8
"""One frame in so many is held out from training."""

MOST_IMAGES = 24
"""Images taken for geometry, evenly spread, from a folder that has no entry in IMAGE_CHOICES."""

IMAGE_CHOICES: dict[str, slice] = {
    "moving_hand": slice(0, 86, 4),
    "street_stereo": slice(0, 48, 2),
}
"""Image folders of which geometry does not use all images: 86 frames of one slow gesture, 51 of a fast drive."""


@dataclass(frozen=True)
class ClipWindow:
    """Frames of a video that one measurement uses.

    Attributes:
        name: For the output.
        start: First second; 0 for videos that last less than a second beyond `start + duration`.
        duration: Seconds covered.
        num_frames: Frames sampled evenly in time.
        first_images: Of an image folder take the first `num_frames` images instead of a spread.
    """

    name: str
    start: float
    duration: float
    num_frames: int
    first_images: bool = False

    def window(self, length: float) -> tuple[float, float]:
        """Start and duration for a video that lasts `length` seconds."""
        start = self.start if length > self.start + self.duration + 1 else 0.0
        return start, self.duration


def geometry_window(start: float, duration: float, num_frames: int = 16) -> ClipWindow:
    """Sixteen frames: enough for every clip's cameras to move, few enough to compare with published solvers."""
    name = f"geometry: {num_frames} frames, seconds {start:g}-{start + duration:g}"
    return ClipWindow(name, start, duration, num_frames)


def held_out_window(start: float, duration: float, num_frames: int) -> ClipWindow:
    """The main job: training frames with every 8th held out."""
    name = f"held out: {num_frames} frames, seconds {start:g}-{start + duration:g}, every {HELD_OUT_EVERY}th held out"
    return ClipWindow(name, start, duration, num_frames, first_images=True)


@dataclass(frozen=True)
class Tracking:
    """Which source frames between the sampled ones are followed; held-out frames themselves never are.

    Attributes:
        name: In tables.
        flag: What `ns-train --tracking` calls it.
        key: Of the trained scene's measurements in a row.
        words: For the header.
    """

    name: str
    flag: str
    key: str
    words: str


TRACKING = {
    way.name: way
    for way in (
        Tracking("m1", "m1", "scene", "source frames are followed but those within a sampling step of a held-out one"),
        Tracking("m0", "m0", "scene_m0", "all source frames but held-out ones are followed"),
        Tracking("train", "none", "scene_train", "training frames alone are followed"),
    )
}
"""By name; m1 is the headline. Positions alone are read from frames that do not train, never colours."""


def choose_tracking(names: str) -> list[Tracking]:
    """The ways of these names, separated by commas.

    Raises:
        SettingsError: There is none of some name.
    """
    unknown = [name for name in names.split(",") if name not in TRACKING]
    if unknown:
        raise SettingsError(f"no protocol named {', '.join(unknown)}; there are {', '.join(TRACKING)}")
    return [TRACKING[name] for name in names.split(",")]


def choose_images(folder: str, count: int, protocol: ClipWindow) -> Sequence[int]:
    """Positions of the images to use among the `count` of a folder."""
    if protocol.first_images:
        return range(min(count, protocol.num_frames))
    if folder in IMAGE_CHOICES:
        return range(count)[IMAGE_CHOICES[folder]]
    if count <= MOST_IMAGES:
        return range(count)
    return [round(i * (count - 1) / (MOST_IMAGES - 1)) for i in range(MOST_IMAGES)]
