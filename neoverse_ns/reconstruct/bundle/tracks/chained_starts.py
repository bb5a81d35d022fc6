"""Where flow between two sampled frames starts from: steps through the source's own frames in between."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import progress
from neoverse_ns.reconstruct.bundle.flow.dense_flow import Pair, compose, searcher, single_threaded_opencv

LAB = None

def chained_starts(
    clip: Clip, gray: list[UInt8[ndarray, "h w"]], pairs: Iterable[Pair]
) -> dict[Pair, Float[ndarray, "h w 2"]]:
    if LAB is None or len(LAB[1]) == 0:
        return {}
    grey, seconds = LAB
    moments = clip.seconds.numpy()
    # Every frame in order: sampled ones by position, those in between by number from len(gray) on
    images = [*gray, *grey]
    inside = {}
    for i, j in pairs:
        if j - i > 2: continue
        between = np.nonzero((seconds > moments[i] + 1e-6) & (seconds < moments[j] - 1e-6))[0]
        if len(between): inside[i, j] = [i, *(len(gray) + between).tolist(), j]
    steps = sorted({s for way in inside.values() for s in pairwise(way)})
    steps += [(b, a) for a, b in steps]
    zero = np.zeros((*gray[0].shape, 2), np.float32)
    def one(step):
        s = searcher()
        fin=int(os.environ.get('FIN','0'))
        s.setFinestScale(fin)
        return s.calc(images[step[0]], images[step[1]], zero.copy())
    with single_threaded_opencv(), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        flow = dict(zip(steps, pool.map(one, steps)))
    res = {}
    for (i, j), way in inside.items():
        for w in (way, way[::-1]):
            f = None
            for s in pairwise(w):
                f = flow[s] if f is None else compose(f, flow[s])
            res[w[0], w[-1]] = f
    if os.environ.get('PRED', '1') == '1':
        t = moments
        for i, j in pairs:
            if j - i != 2 or (i, j) in res:
                continue
            if (i, i - 1) in res:
                res[i, j] = -res[i, i - 1] * float((t[j] - t[i]) / (t[i] - t[i - 1]))
            if (j, j + 1) in res:
                res[j, i] = -res[j, j + 1] * float((t[j] - t[i]) / (t[j + 1] - t[j]))
    return res
