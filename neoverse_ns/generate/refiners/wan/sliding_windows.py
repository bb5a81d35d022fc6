"""Trajectories longer than the model was trained on, as overlapping windows.

Windows are refined one after the other. Where a window overlaps what is finished, it is given the finished frames with
a mask that keeps them, so that it continues them rather than inventing its own; over the last frames of the overlap the
two are cross-faded. Every window is a clip of its own to the video autoencoder, whose first latent stands for one frame
and every other for four, as in training: latents of neighbouring windows could not be mixed without breaking that.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Window:
    """Frames `start` to `stop` of a trajectory; those before `known` are finished when it is this window's turn."""

    start: int
    stop: int
    known: int

    def __len__(self) -> int:
        return self.stop - self.start

    def from_own_start(self) -> Window:
        """The same, counted from its own first frame."""
        return Window(0, len(self), max(self.known - self.start, 0))


def plan_windows(frames: int, length: int, overlap: int) -> list[Window]:
    """Cover a trajectory by windows of one length; the last is moved back to end with the trajectory.

    Args:
        frames: Of the trajectory.
        length: Of a window; a trajectory that is not longer is one window.
        overlap: Frames that a window shares with what is finished, at least; less than `length`.
    """
    windows = [Window(0, min(frames, length), 0)]
    while (known := windows[-1].stop) < frames:
        stop = min(frames, known + length - overlap)
        windows.append(Window(stop - length, stop, known))
    return windows


def cross_fade(
    finished: Float[Tensor, "a h w c"], fresh: Float[Tensor, "b h w c"], window: Window, overlap: int
) -> Float[Tensor, "n h w c"]:
    """Append a window's frames to the finished ones, fading over the last `overlap` finished frames.

    The fade leaves neither end to one side alone: its weights go from 1 / (overlap + 1) to overlap / (overlap + 1).
    """
    faded = min(overlap, window.known - window.start)
    begin = window.known - faded
    weight = torch.arange(1, faded + 1, device=fresh.device, dtype=fresh.dtype)[:, None, None, None] / (faded + 1)
    inside = fresh[begin - window.start : window.known - window.start]
    mixed = torch.lerp(finished[begin:], inside, weight)
    return torch.cat([finished[:begin], mixed, fresh[window.known - window.start :]])
