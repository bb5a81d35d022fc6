"""Which frames see the same things: groups of linked frames, and the tree along which their cameras are chained."""

from __future__ import annotations

from collections.abc import Iterable

from neoverse_ns.reconstruct.bundle.flow.dense_flow import Pair


def linked_groups(pairs: Iterable[Pair], frames: int) -> list[list[int]]:
    """Connected components of the graph with an edge for every pair, the largest first, then by their first frame."""
    group = list(range(frames))

    def root(frame: int) -> int:
        while group[frame] != frame:
            frame = group[frame]
        return frame

    for i, j in pairs:
        low, high = sorted((root(i), root(j)))
        group[high] = low
    members: dict[int, list[int]] = {}
    for frame in range(frames):
        members.setdefault(root(frame), []).append(frame)
    return sorted(members.values(), key=lambda m: (-len(m), m[0]))


def spanning_tree(strength: dict[Pair, float], frames: int) -> list[Pair]:
    """Links (known frame, new frame) that reach every frame from frame 0 over the strongest pairs (Prim).

    A pair counts by its strength over the distance of its frames: errors add up along a chain, but neighbours see the
    same things in the same light, and a wider pair must be clearly better to be preferred.

    Args:
        strength: Of every pair, in either order; both orders of a pair count by their mean.
        frames: Their number. Frames that no pair reaches are left out.
    """
    worth: dict[int, dict[int, float]] = {frame: {} for frame in range(frames)}
    for (i, j), value in strength.items():
        mean = 0.5 * (value + strength.get((j, i), value))
        worth[i][j] = worth[j][i] = mean / abs(i - j)
    known, links = {0}, []
    while True:
        ends = [(value, -abs(i - j), -j, -i) for i in known for j, value in worth[i].items() if j not in known]
        if not ends:
            return links
        *_, j, i = max(ends)
        known.add(-j)
        links.append((-i, -j))
