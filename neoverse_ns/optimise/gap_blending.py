"""Which keyframes' Gaussians a training step blends, so that gaps nobody looks into are blended well too."""

from __future__ import annotations

from itertools import pairwise

import torch


class UntrainedGaps:
    """Gaps between neighbouring keyframes that no training frame lies in.

    How two keyframes' Gaussians blend between them is learned from frames in between. Where there are none, held-out
    frames lose up to 4 dB of their static parts. There a keyframe's own frame is mostly drawn as if it lay in the gap:
    the neighbour's Gaussians are brought all the way to it, and both fade as somewhere in between. In gaps with
    training frames the same does more harm to what moves than good to what does not. Things that move have Gaussians
    of their own in every training frame, so that where they are every gap is of this kind.

    Args:
        train: Positions of the training frames.
        keyframes: Positions of all frames that carry Gaussians, be it of moving things alone.
        times: Normalised time per sampled frame.
        share: Share of the steps on a keyframe beside such a gap that draw it so.
    """

    def __init__(self, train: list[int], keyframes: list[int], times: list[float], share: float) -> None:
        self._share = share
        self._beside: dict[int, list[tuple[float, float]]] = {}
        for a, b in pairwise(keyframes):
            if not any(a < frame < b for frame in train):
                for frame in (a, b):
                    self._beside.setdefault(frame, []).append((times[a], times[b]))

    def blend(self, frame: int, step: int) -> float | None:
        """The time as at which the training frame `frame` shall be blended in a step; None as it is.

        Depends on nothing but its arguments, so that a run which is taken up again goes on as it would have.
        """
        gaps = self._beside.get(frame, [])
        if not gaps:
            return None
        generator = torch.Generator().manual_seed(step)
        chance, place, which = torch.rand(3, generator=generator).tolist()
        if chance >= self._share:
            return None
        before, after = gaps[int(which * len(gaps))]
        return before + place * (after - before)
