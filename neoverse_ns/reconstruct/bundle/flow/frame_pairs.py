"""Which frames are compared with which."""

from __future__ import annotations

from neoverse_ns.reconstruct.bundle.flow.dense_flow import Pair
from neoverse_ns.reconstruct.split import FrameSplit


def pair_graph(split: FrameSplit, gaps: tuple[int, ...]) -> dict[Pair, int | None]:
    """Pairs ``i < j`` of frames to measure flow between, each with the frame through which its start is composed.

    Contains every pair of frames `gaps` apart (for the cameras), every pair of training frames as many places apart
    among the training frames (for depth), neighbouring keyframes (for motion), and what their composition needs.
    Between two training frames the composition goes through training frames alone, so that no pixel of a held-out
    frame has any influence on it.

    Returns:
        For each pair its middle frame, or None where flow starts from zero.
    """
    wanted: set[Pair] = set()
    for order in (list(range(split.count)), split.train):
        wanted |= {(order[k], order[k + gap]) for gap in gaps for k in range(len(order) - gap)}
    wanted |= set(zip(split.keyframes[:-1], split.keyframes[1:], strict=True))
    train = set(split.train)
    result: dict[Pair, int | None] = {}
    while wanted:
        i, j = wanted.pop()
        middle = _middle(i, j, train)
        result[i, j] = middle
        if middle is not None:
            wanted |= {(i, middle), (middle, j)} - set(result)
    return dict(sorted(result.items()))


def _middle(i: int, j: int, train: set[int]) -> int | None:
    """The allowed frame nearest to the middle between i and j; None where there is none."""
    honest = i in train and j in train
    between = [k for k in range(i + 1, j) if not honest or k in train]
    return min(between, key=lambda k: (abs(2 * k - i - j), k), default=None)
