"""Which rows of a clip's Gaussians live at a time, found without touching the rows that do not."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary


@dataclass(frozen=True)
class LifetimeRuns:
    """Stretches of neighbouring rows with one lifetime: usually one for each keyframe and one for the background.

    Attributes:
        interval: `DynamicGaussians.interval` of each run.
        dynamic: `DynamicGaussians.dynamic` of each run.
        bounds: First row of each run, then where the last one ends.
    """

    interval: Float[Tensor, "r 3"]
    dynamic: Bool[Tensor, " r"]
    bounds: Int64[Tensor, " r+1"]

    def rows(self, chosen: Bool[Tensor, " r"]) -> Int64[Tensor, " m"]:
        """All rows of the chosen runs, ascending."""
        first, lengths = self.bounds[:-1][chosen], self.bounds.diff()[chosen]
        ends = lengths.cumsum(0)
        total = int(ends[-1]) if len(ends) else 0
        shift = torch.repeat_interleave(first - (ends - lengths), lengths, output_size=total)
        return shift + torch.arange(total, device=shift.device)

    def only(self, chosen: Bool[Tensor, " r"]) -> list[Run]:
        """The chosen runs, as plain numbers."""
        first, last = self.bounds[:-1][chosen].tolist(), self.bounds[1:][chosen].tolist()
        lives = zip(*self.interval[chosen].T.tolist(), self.dynamic[chosen].tolist(), strict=True)
        return [
            Run(slice(a, b), before, at, after, dynamic)
            for a, b, (before, at, after, dynamic) in zip(first, last, lives, strict=True)
        ]


class Run(NamedTuple):
    """Neighbouring rows with one lifetime; see :class:`LifetimeRuns`."""

    rows: slice
    before: float
    at: float
    after: float
    dynamic: bool


def lives(
    interval: Float[Tensor, "r 3"],
    dynamic: Bool[Tensor, " r"],
    time: Float[Tensor, "*t 1"],
    nearest_only: bool,
) -> Bool[Tensor, "*t r"]:
    """Whether each lifetime contains each time; see :func:`neoverse_ns.gaussians.transition.alive_at`."""
    before, at, after = interval.unbind(-1)
    alive = (time > before) & (time < after)
    if nearest_only:
        # At the midpoint of a gap the earlier keyframe wins, so the bound is closed after t and open before it.
        alive = alive & (time <= 0.5 * (at + after)) & (time > 0.5 * (before + at))
    return alive | ~dynamic


def find_runs(interval: Float[Tensor, "n 3"], dynamic: Bool[Tensor, " n"]) -> LifetimeRuns:
    """Runs in the order of the rows. Rows in an unlucky order only make runs short, and selection as slow as a scan."""
    count = len(dynamic)
    changed = (interval[1:] != interval[:-1]).any(dim=-1) | (dynamic[1:] != dynamic[:-1])
    inner = changed.nonzero().squeeze(-1) + 1
    bounds = torch.cat([inner.new_zeros(min(count, 1)), inner, inner.new_tensor([count])])
    return LifetimeRuns(interval[bounds[:-1]], dynamic[bounds[:-1]], bounds)


@dataclass(frozen=True)
class _Known:
    content: tuple[int, ...]
    dynamic: weakref.ref[Tensor]
    runs: LifetimeRuns


def _content(tensor: Tensor) -> tuple[int, int, int]:
    """Changes with every write, and where `tensor.data` is replaced."""
    return tensor._version, tensor.data_ptr(), len(tensor)


_known: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
_lock = threading.Lock()


def lifetime_runs(interval: Float[Tensor, "n 3"], dynamic: Bool[Tensor, " n"]) -> LifetimeRuns:
    """The same, remembered for as long as the two tensors live and are not written to.

    Lifetimes outlast thousands of pictures, while the struct around them is made anew for each; so what is remembered
    belongs to the tensors. Safe to call from several threads.
    """
    if interval.is_inference() or dynamic.is_inference():  # nobody counts writes to these
        return find_runs(interval, dynamic)
    content = (*_content(interval), *_content(dynamic))
    with _lock:
        known: _Known | None = _known.get(interval)
    if known is not None and known.content == content and known.dynamic() is dynamic:
        return known.runs
    with torch.no_grad():
        runs = find_runs(interval, dynamic)
    with _lock:
        _known[interval] = _Known(content, weakref.ref(dynamic), runs)
    return runs
