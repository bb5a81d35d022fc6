"""Which sampled frames train the scene, which carry Gaussians, and which are held out to judge it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from neoverse_ns.errors import SettingsError


@dataclass(frozen=True)
class FrameSplit:
    """Positions among the sampled frames, ascending; `train` and `held_out` are disjoint, `train` has `keyframes`."""

    train: list[int]
    held_out: list[int]
    keyframes: list[int]

    @property
    def count(self) -> int:
        return len(self.train) + len(self.held_out)


def split_frames(
    count: int, num_keyframes: int | None = None, held_out_every: int = 8, seen_again: Collection[int] = ()
) -> FrameSplit:
    """Hold out frames evenly in time and spread keyframes over the rest.

    Args:
        count: Number of sampled frames.
        num_keyframes: Keyframes wanted; None takes every second training frame, because the frames between are what
            teaches motion and blending: with more keyframes held-out frames come out worse. The first and last training
            frames are always keyframes, and more than there are training frames means all of them.
        held_out_every: One frame in so many is held out, starting in the middle of the first group so that each has
            neighbours on both sides; 0 holds out none.
        seen_again: Frames whose picture another one shows, too. They train: held out they would measure memory. A
            neighbour is held out in their place, where there is one that may be.

    Raises:
        SettingsError: A number is out of range.
    """
    if count < 1:
        raise SettingsError(f"a clip needs at least one frame, got {count}")
    if held_out_every < 0 or held_out_every == 1:
        raise SettingsError(f"held_out_every must be 0 (none) or at least 2, got {held_out_every}: lower it or use 0")
    if num_keyframes is not None and num_keyframes < 1:
        raise SettingsError(f"num_keyframes must be at least 1, got {num_keyframes}")
    held_out = []
    if held_out_every:
        # The last frame is never held out: nothing after it could show what it sees.
        planned = range(held_out_every // 2, count - 1, held_out_every)
        near = (held_out_every - 1) // 2
        found = (_nearest_unique(i, near, count, seen_again) for i in planned)
        held_out = [i for i in found if i is not None]
    train = [i for i in range(count) if i not in set(held_out)]
    wanted = (len(train) + 2) // 2 if num_keyframes is None else min(num_keyframes, len(train))
    places = np.unique(np.linspace(0, len(train) - 1, max(wanted, 1)).round().astype(int))
    return FrameSplit(train=train, held_out=held_out, keyframes=[train[i] for i in places])


def _nearest_unique(frame: int, near: int, count: int, seen_again: Collection[int]) -> int | None:
    """The frame nearest to one, neither the first nor the last, whose picture no other shows."""
    for distance in range(near + 1):
        for i in (frame + distance, frame - distance):
            if 0 < i < count - 1 and i not in seen_again:
                return i
    return None
