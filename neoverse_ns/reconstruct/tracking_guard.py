"""Which frames between the sampled ones things may be followed through, so that held-out frames still judge fairly.

A frame of the source next to a held-out one shows nearly the same: where things are in it tells where they are in the
held-out frame. How much of that was used is part of the protocol that a number was measured by, and is named with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import torch
from jaxtyping import Bool
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.tracking_frames import TrackingFrames
from neoverse_ns.reconstruct.split import FrameSplit

Tracking = Literal["m1", "m0", "none"]
"""What may be used: `SceneConfig.tracking` says what each stands for."""

USES = {
    "m1": "moving things are followed through the source's frames in between, except those nearer to a held-out frame "
    "than its sampled neighbours",
    "m0": "moving things are followed through the source's frames in between, all but the held-out frames themselves",
    "train": "nothing but training frames is used",
}
"""What was used, by the name that numbers carry."""


def usable_tracking(clip: Clip, split: FrameSplit, tracking: Tracking) -> Clip:
    """The clip with those tracking frames alone that may be used; with None where none is left.

    Args:
        clip: With its tracking frames, if it has any.
        split: Of its frames.
        tracking: `m1` leaves out what lies strictly between the sampled neighbours of a held-out frame, `m0` the
            held-out frame itself, should it be among them, and `none` everything.
    """
    if clip.tracking is None:
        return clip
    usable = _usable(clip, clip.tracking, split, tracking)
    if len(usable) and usable.all():
        return clip
    kept = torch.nonzero(usable)[:, 0].tolist()
    return replace(clip, tracking=clip.tracking.part(kept) if kept else None)


def _usable(clip: Clip, frames: TrackingFrames, split: FrameSplit, tracking: Tracking) -> Bool[Tensor, " m"]:
    if tracking == "none":
        return torch.zeros(len(frames), dtype=torch.bool)
    usable = ~torch.isin(frames.frame_indices, clip.frame_indices[split.held_out])
    if tracking == "m1":
        for frame in split.held_out:
            after = frames.seconds > clip.seconds[frame - 1] if frame > 0 else torch.ones_like(usable)
            before = frames.seconds < clip.seconds[frame + 1] if frame + 1 < len(clip) else torch.ones_like(usable)
            usable &= ~(after & before)
    return usable


def describe_tracking(read: int, used: int, tracking: Tracking) -> dict[str, Any]:
    """What the report says: a key of `USES`, and how many tracking frames were used and left out.

    Args:
        read: Tracking frames of the clip.
        used: How many of them :func:`usable_tracking` left.
        tracking: As asked for.
    """
    return {"protocol": tracking if used else "train", "frames_used": used, "frames_left_out": read - used}


def tracking_of(report: dict[str, Any]) -> dict[str, Any]:
    """What a scene's report says of tracking; one from before there was any used training frames alone."""
    return report.get("tracking", {"protocol": "train", "frames_used": 0, "frames_left_out": 0})


def tracking_note(report: dict[str, Any]) -> str | None:
    """One line on the tracking frames for the console; None where there were none."""
    facts = tracking_of(report)
    if facts["frames_used"] + facts["frames_left_out"] == 0:
        return None
    left_out = f", {facts['frames_left_out']} near held-out frames left out" if facts["frames_left_out"] else ""
    return f"frames of the source between the sampled ones: {facts['frames_used']} used to follow what moves{left_out}"
