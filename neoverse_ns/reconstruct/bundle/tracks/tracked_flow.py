"""Where flow between sampled frames may start from: steps through the source's own frames in between.

Between two sampled frames a leg swings farther than flow can search. Between two frames of the source it does not:
steps from one to the next, chained, lead so near that flow between the sampled frames finds the rest. Nothing else is
taken from the frames in between, so that the result is as exact as flow between the two frames, and does not drift.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import progress
from neoverse_ns.reconstruct.bundle.flow.dense_flow import (
    FlowField,
    Pair,
    compose,
    measure_flow,
    searchable,
    searcher,
    single_threaded_opencv,
)
from neoverse_ns.reconstruct.bundle.flow.frame_pairs import pair_graph
from neoverse_ns.reconstruct.split import FrameSplit

FINEST = 2
"""Pyramid level at which steps end: flow that starts from them finds the rest, and this is several times as fast."""
MOST_BETWEEN = 6
"""Frames that a way leads through at most: things move little enough from one to the next."""

Image = UInt8[ndarray, "h w"]
Flow = Float[ndarray, "h w 2"]


def tracked_flow(clip: Clip, gray: list[Image], split: FrameSplit, gaps: tuple[int, ...], noise: float) -> FlowField:
    """Flow of all pairs of `pair_graph`, led through the frames between the sampled ones where there are any.

    Training frames come first then, so that flow from and to a held-out frame can start from what its neighbours say.

    Args:
        clip: Sampled frames and those between them that may be used.
        gray: The sampled frames, grey.
        split: Which of them train.
        gaps: As for `pair_graph`.
        noise: As for :func:`neoverse_ns.reconstruct.bundle.flow.dense_flow.measure_flow`.
    """
    middles, train = pair_graph(split, gaps), set(split.train)
    starts = chained_starts(clip, gray, middles, train)
    if not starts:
        return measure_flow(gray, middles, noise)
    honest = {pair: middle for pair, middle in middles.items() if train.issuperset(pair)}
    flow = measure_flow(gray, honest, noise, starts)
    return measure_flow(gray, middles, noise, _partway(flow, middles, clip.seconds.numpy()) | starts, flow)


def _partway(flow: FlowField, middles: dict[Pair, int | None], moments: Float[ndarray, " n"]) -> dict[Pair, Flow]:
    """Starts for the pairs without a middle that lie inside a measured one: their share of its displacement."""
    result: dict[Pair, Flow] = {}
    for pair in middles:
        if middles[pair] is not None or pair in flow.flow:
            continue
        around = [(a, b) for a, b in flow.pairs if a <= pair[0] and b >= pair[1]]
        if around:
            a, b = min(around, key=lambda p: p[1] - p[0])
            for here, there in (pair, pair[::-1]):
                outer = (a, b) if here == a else (b, a)
                if here in (a, b):
                    share = (moments[there] - moments[here]) / (moments[outer[1]] - moments[outer[0]])
                    result[here, there] = (flow.flow[outer] * share).astype(np.float32)
    return result


def chained_starts(clip: Clip, gray: list[Image], middles: dict[Pair, int | None], train: set[int]) -> dict[Pair, Flow]:
    """Starts for flow between frames with frames of the source between them, and across gaps that have none.

    Where frames in between may not be used, since a held-out one is among them, things are expected to go on as they
    came: the way to the nearest frame on the other side, turned round.

    Args:
        clip: Sampled frames and those between them that may be used.
        gray: The sampled frames, grey.
        middles: As for :func:`neoverse_ns.reconstruct.bundle.flow.dense_flow.measure_flow`; pairs whose flow is
            composed of others' are left to that.
        train: Frames that train.

    Returns:
        Displacement in pixels, by (from, to), in both directions.
    """
    if clip.tracking is None or not searchable(gray[0]):
        return {}
    pairs = sorted(pair for pair, middle in middles.items() if middle is None)
    ways = _ways(clip, pairs)
    images = [*gray, *clip.tracking.grey.numpy()]
    steps = sorted({step for way in ways for step in (*pairwise(way), *pairwise(way[::-1]))})
    zero = np.zeros((*gray[0].shape, 2), np.float32)

    def one(step: Pair) -> Flow:
        search = searcher()
        search.setFinestScale(FINEST)
        return search.calc(images[step[0]], images[step[1]], zero.copy())

    flow: dict[Pair, Flow] = {}
    with (
        single_threaded_opencv(),
        ThreadPoolExecutor(os.cpu_count() or 1) as pool,
        progress("Following what moves", len(steps)) as bar,
    ):
        for step, result in zip(steps, pool.map(one, steps), strict=True):
            flow[step] = result
            bar.advance()
    found = {(way[0], way[-1]): _chained(flow, way) for there in ways for way in (there, there[::-1])}
    return found | _going_on(found, [p for p in pairs if train.issuperset(p)], clip.seconds.numpy())


def _ways(clip: Clip, pairs: list[Pair]) -> list[list[int]]:
    """For every pair the frames that lead from one to the other, where there are any between them.

    Those between sampled frames are numbered from the number of sampled ones on.
    """
    assert clip.tracking is not None
    moments, between = clip.seconds.numpy(), clip.tracking.seconds.numpy()
    ways: list[list[int]] = []
    for i, j in pairs:
        inside = np.nonzero((between > moments[i]) & (between < moments[j]))[0]
        if len(inside) == 0:
            continue
        if len(inside) > MOST_BETWEEN:
            inside = inside[np.linspace(0, len(inside) - 1, MOST_BETWEEN).round().astype(int)]
        ways.append([i, *(len(clip) + inside).tolist(), j])
    return ways


def _chained(flow: dict[Pair, Flow], way: list[int]) -> Flow:
    """Displacement along a way."""
    first, *others = pairwise(way)
    total = flow[first]
    for step in others:
        total = compose(total, flow[step])
    return total


def _going_on(found: dict[Pair, Flow], pairs: list[Pair], moments: Float[ndarray, " n"]) -> dict[Pair, Flow]:
    """Starts for neighbouring frames without frames in between: motion at constant velocity."""
    result: dict[Pair, Flow] = {}
    for i, j in pairs:
        if (i, j) in found:
            continue
        for here, there in ((i, j), (j, i)):
            # The nearest frame on the other side to which a way is known.
            behind = [end for start, end in found if start == here and (end < here) == (here < there)]
            if behind:
                end = min(behind, key=lambda k, here=here: abs(k - here))
                ratio = (moments[there] - moments[here]) / (moments[here] - moments[end])
                result[here, there] = (found[here, end] * -ratio).astype(np.float32)
    return result
