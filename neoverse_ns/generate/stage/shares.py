"""Sharing a bound on the number of Gaussians among those who want some."""

from __future__ import annotations

import math

import torch

from neoverse_ns.gaussians.dynamic import DynamicGaussians


def fair_shares(wanted: list[int], most: int) -> list[int]:
    """How many each gets of `most`: who wants less than an equal share gets all of it, and the others share the rest.

    Shares of those who are cut differ by one at most, for the benefit of the earlier; together they are `most`, or all
    that is wanted.
    """
    shares = [0] * len(wanted)
    # The most modest first; of equal ones the later, so that what does not divide falls to the earlier.
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], -i))
    for place, i in enumerate(order):
        shares[i] = min(wanted[i], most // (len(order) - place))
        most -= shares[i]
    return shares


def thinned(gaussians: DynamicGaussians, count: int) -> DynamicGaussians:
    """`count` of the Gaussians, drawn evenly, and so much wider that together they cover as much; always the same ones.

    All of them, unchanged, where there are no more.
    """
    total = len(gaussians)
    if total <= count:
        return gaussians
    # Every n-th would leave stripes where a hole's rows are n pixels long.
    chosen = torch.randperm(total, generator=torch.Generator().manual_seed(0))[:count].sort().values
    kept = gaussians[chosen.to(gaussians.device)]
    return kept.with_(log_scales=kept.log_scales + 0.5 * math.log(total / max(count, 1)))
