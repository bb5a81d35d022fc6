"""Which part of a source becomes the clip, at which size and rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neoverse_ns.clip.cropping import parse_crop
from neoverse_ns.clip.view.choice import parse_view
from neoverse_ns.errors import SettingsError

#: Image sides are multiples of this, so that tiles, pyramids and patch-based networks fit without padding.
SIDE_MULTIPLE = 16


@dataclass
class ClipConfig:
    """What to take from a video, image folder or image. None means the default for the device."""

    start: float = 0.0
    """Seconds from the source's first frame at which to begin looking."""
    duration: float | None = None
    """Seconds to cover after `start`; None covers what `num_frames` needs at `frame_rate`, within one shot."""
    num_frames: int | None = None
    """Frames to sample, evenly in time; None takes 25 on a CPU and 81 on CUDA. Never more than the source has."""
    frame_rate: float = 8.0
    """Frames per second that the default duration aims at."""
    spacing: int | None = None
    """Instead of by `frame_rate`, sample every so many frames of the source at most, fewer where that many do not fit:
    5 is how the released model's clips were cut."""
    spacing_offset: float = 0.0
    """Which share of the frames that `spacing` leaves over lies before the first sampled one, 0 to 1."""
    width: int | None = None
    """Width of the sampled frames in pixels; None makes the longer side 384 on a CPU and 560 on CUDA. Rounded to a
    multiple of 16, never larger than the source; the height follows the source's aspect."""
    shot: int | None = None
    """Number of the shot to use, counted from 0 inside `start` and `duration`; None takes the longest."""
    video_stream: int | None = None
    """Number of the video stream to use, counted from 0, covers left out; None takes the best."""
    masks: Literal["leave_out", "ignore", "keep"] = "leave_out"
    """What masks beside images (`frame_1_mask.png`, a `masks` folder) are for: `leave_out` does without them, `ignore`
    takes white as no part of the world, `keep` takes white as all there is (as COLMAP and nerfstudio do)."""
    image_rate: float | None = None
    """Images per second of a folder of frames, or of a video without time stamps, none of which has times of its own.
    None takes the rate that a video states, 30 for frames, and the whole folder, evenly, for photos."""
    crop: str = "auto"
    """Which part of the picture is used: `auto` leaves out black, plain and blurred bars, `none` uses all of it, and
    x,y,w,h in the source's upright pixels that part, whose middle is taken for the lens's axis."""
    ignore: Path | None = None
    """Pixels that are no part of the world: an image of the source's shape, white where they are, or a folder of such
    masks, one per frame."""
    view: str = "auto"
    """Which view of pictures that hold more than one is used: `left`, `right`, `top` or `bottom` half; YAW,PITCH,FOV in
    degrees cuts a plain view from a 360-degree picture (or, as in `right,0,0,90`, from a half); `auto` finds out what
    the pictures are, and uses the left eye's or the view straight ahead; `none` takes them as they are."""

    def validate(self) -> None:
        """Check every setting by itself.

        Raises:
            SettingsError: A number is not finite or out of its range; names the setting and the value.
        """
        parse_view(self.view)
        if not (math.isfinite(self.start) and self.start >= 0):
            raise SettingsError(f"start must be a number of seconds, 0 or more, got {self.start}")
        for name in ("duration", "frame_rate", "image_rate"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise SettingsError(f"{name} must be a finite number above 0, got {value}")
        if not (math.isfinite(self.spacing_offset) and 0 <= self.spacing_offset <= 1):
            raise SettingsError(f"spacing_offset must lie in [0, 1], got {self.spacing_offset}")
        if self.spacing_offset and self.spacing is None:
            raise SettingsError("spacing_offset says where frames of a spacing begin: set spacing, or start in seconds")
        parse_crop(self.crop)
        for name, least in (
            ("num_frames", 1),
            ("spacing", 1),
            ("width", SIDE_MULTIPLE),
            ("shot", 0),
            ("video_stream", 0),
        ):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value == int(value) and value >= least):
                raise SettingsError(f"{name} must be a whole number, {least} or more, got {value}")

    def frames_wanted(self, device: str) -> int:
        """`num_frames`, or its default on `device` ("cpu", "cuda", "cuda:0", ...)."""
        if self.num_frames is not None:
            return int(self.num_frames)
        return 81 if device.startswith("cuda") else 25


def default_side(device: str) -> int:
    """Longer side in pixels of frames on `device` where no width is asked for."""
    return 560 if device.startswith("cuda") else 384
