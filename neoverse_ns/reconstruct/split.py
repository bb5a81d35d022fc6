"""Which sampled frames train the scene, which carry Gaussians, and which are held out to judge it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neoverse_ns.errors import SettingsError

SPACING = 2.4
"""Sampled frames from one keyframe to the next, on average: 2.2 and 3 do worse on held-out frames."""
UNTRAINED = 4.0
"""How much worse a gap between keyframes is that no training frame lies in: held-out frames there lose up to 4 dB."""


@dataclass(frozen=True)
class FrameSplit:
    """Positions among the sampled frames, ascending; `train` and `held_out` are disjoint, `train` has `keyframes`."""

    train: list[int]
    held_out: list[int]
    keyframes: list[int]

    @property
    def count(self) -> int:
        return len(self.train) + len(self.held_out)


def split_frames(count: int, num_keyframes: int | None = None, held_out_every: int = 8) -> FrameSplit:
    """Hold out frames evenly in time and spread keyframes over the rest.

    Args:
        count: Number of sampled frames.
        num_keyframes: Keyframes wanted; None takes one in `SPACING` frames, at most half of the training frames,
            because the frames between are what teaches motion and blending: with more keyframes held-out frames come
            out worse. The first and last training frames are always keyframes, and more than there are training frames
            means all of them. See :func:`_spread` for which are taken.
        held_out_every: One frame in so many is held out, starting in the middle of the first group so that each has
            neighbours on both sides; 0 holds out none.

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
        held_out = [i for i in range(held_out_every // 2, count - 1, held_out_every)]
    train = [i for i in range(count) if i not in set(held_out)]
    if num_keyframes is None:
        even = 1 + round((count - 1) / SPACING)
        num_keyframes = max(min(even, (len(train) + 2) // 2), 2)
    wanted = min(num_keyframes, len(train))
    return FrameSplit(train=train, held_out=held_out, keyframes=_spread(train, max(wanted, 1)))


def _spread(train: list[int], count: int) -> list[int]:
    """`count` of the training frames, first and last among them, so that the gaps between them cost least.

    A gap costs its length squared, and `UNTRAINED` times that where no training frame lies inside: both keyframes'
    Gaussians are drawn between them, and how they blend is only learned from frames there. Found exactly, by dynamic
    programming over the training frames.
    """
    if count == 1:
        return train[:1]
    frames = np.asarray(train)
    gaps = (frames[None, :] - frames[:, None]).astype(np.float64)
    places = np.arange(len(train))
    cost = gaps**2 * np.where(places[None, :] - places[:, None] > 1, 1.0, UNTRAINED)
    cost[gaps <= 0] = np.inf
    least = np.where(places == 0, 0.0, np.inf)
    arrivals = []
    for _ in range(count - 1):
        through = least[:, None] + cost
        arrivals.append(through.argmin(axis=0))
        least = through.min(axis=0)
    chosen = [len(train) - 1]
    for arrival in reversed(arrivals):
        chosen.append(int(arrival[chosen[-1]]))
    return [train[place] for place in reversed(chosen)]
