"""Which frames become keyframes: those of the split, and every other training frame in which something moves."""

from __future__ import annotations

from dataclasses import replace

from neoverse_ns.reconstruct.bundle.motion.things import Things
from neoverse_ns.reconstruct.split import FrameSplit


def moving_keyframes(things: Things, split: FrameSplit) -> tuple[Things, list[int]]:
    """The frames that become keyframes, the split's and all in which something moves, and what moves in these.

    Args:
        things: Of all training frames.
        split: Which those are, and the keyframes.
    """
    whole = set(split.keyframes)
    places = [
        place for place, frame in enumerate(split.train) if frame in whole or bool((things.labels[place] > 0).any())
    ]
    return replace(things, labels=things.labels[places]), [split.train[place] for place in places]
