"""Which cameras of a foreign path and of a clip belong to the same frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.foreign.path import ForeignPath
from neoverse_ns.trajectory.trajectory import frames_at, spread_times

_ENOUGH = 3
"""Shared frames that names or numbers must give; a similarity needs three cameras to leave an error."""


@dataclass(frozen=True)
class Pairs:
    """Shared frames.

    Attributes:
        how: By what they were found, in words.
        frames: Positions among the clip's sampled frames.
        places: Where the path stands at those frames, as positions among its cameras, also between two of them.
        moments: Normalised time of every camera of the path.
        guessed: Whether nothing in the file says that they belong together.
    """

    how: str
    frames: Int64[Tensor, " m"]
    places: Float64[Tensor, " m"]
    moments: Float64[Tensor, " n"]
    guessed: bool = False

    def __len__(self) -> int:
        return len(self.frames)


def candidates(path: ForeignPath, times: Float[Tensor, " n"], clip: ClipFrames | None) -> list[Pairs]:
    """All ways in which the file may say what belongs together that are as good as the best: names before numbers,
    these before times, and the order where there is nothing else. More than one, the likeliest first, where counting
    may begin at 0 or 1, and where a clock may be the source's or begin with the clip.

    Args:
        path: The file's cameras.
        times: Normalised times of the clip's sampled frames.
        clip: When those were taken and what they are called; None leaves shares of the clip and the order.
    """
    named = [] if clip is None else _by_name(path, times, clip) or _by_number(path, times, clip)
    if named:
        return named
    timed = [pairs for pairs in _by_time(path, times, clip) if len(pairs) >= min(_ENOUGH, len(times))]
    return timed or [_by_order(path, times)]


def _by_name(path: ForeignPath, times: Tensor, clip: ClipFrames) -> list[Pairs]:
    if path.labels is None or clip.names is None:
        return []
    places = {label.name: i for i, label in enumerate(path.labels) if label.name}
    shared = [(frame, places[name]) for frame, name in enumerate(clip.names) if name in places]
    return _made("name", shared, path, times) if len(shared) >= min(_ENOUGH, len(times)) else []


def _by_number(path: ForeignPath, times: Tensor, clip: ClipFrames) -> list[Pairs]:
    """Numbers count the source's frames, from 0 or, as many programs do, from 1."""
    numbers = [None if label.number is None else label.number for label in path.labels or ()]
    places = {number: i for i, number in enumerate(numbers) if number is not None}
    found: list[Pairs] = []
    for first in (0, 1):
        shared = [(frame, places[n + first]) for frame, n in enumerate(clip.numbers) if n + first in places]
        if len(shared) >= min(_ENOUGH, len(times)) and 2 * len(shared) >= min(len(times), len(path)):
            found += _made(f"number (the first frame is {first})", shared, path, times)
    return [pairs for pairs in found if len(pairs) == max(map(len, found))]


def _made(how: str, shared: list[tuple[int, int]], path: ForeignPath, times: Tensor) -> list[Pairs]:
    frames, places = torch.tensor(shared).unbind(-1)
    moments = path.times if path.times is not None and path.clock == "shares" else None
    if moments is None:
        known = places.argsort()
        moments = np.interp(np.arange(len(path)), places[known].numpy(), times[frames[known]].double().numpy())
        moments = torch.from_numpy(moments)
    return [Pairs(how, frames, places.double(), moments)]


def _by_time(path: ForeignPath, times: Tensor, clip: ClipFrames | None) -> list[Pairs]:
    """Seconds are the source's, or begin where the clip does."""
    if path.times is None or len(path) < 2 or bool((path.times.diff() < 0).any()):
        return []
    if path.clock == "shares":
        return [_within(path.times, times.double(), path.times, "time")]
    if clip is None or clip.length <= 0:
        return []

    def pairs(shift: float, how: str) -> Pairs:
        assert path.times is not None
        begin = float(clip.seconds[0])
        moments = ((path.times - shift - begin) / clip.length).clamp(0, 1)
        return _within(path.times - shift, clip.seconds, moments, how)

    both = pairs(0.0, "timestamp"), pairs(float(path.times[0] - clip.seconds[0]), "timestamp, both from their first")
    return [one for one in both if 2 * len(one) >= min(len(times), max(map(len, both)))]


def _within(stamps: Tensor, wanted: Tensor, moments: Tensor, how: str) -> Pairs:
    """The clip's frames that lie between the path's first and last camera."""
    slack = 1e-4 * float(stamps[-1] - stamps[0])
    inside = ((wanted >= stamps[0] - slack) & (wanted <= stamps[-1] + slack)).nonzero()[:, 0]
    return Pairs(how, inside, frames_at(stamps, wanted[inside]), moments)


def _by_order(path: ForeignPath, times: Tensor) -> Pairs:
    """One camera a frame; other numbers are spread over the clip."""
    frames = torch.arange(len(times))
    if len(path) == len(times):
        return Pairs("order", frames, frames.double(), times.double(), guessed=True)
    places = torch.linspace(0, len(path) - 1, len(times), dtype=torch.float64)
    if path.times is not None and path.clock == "shares":
        moments = path.times
    else:
        moments = spread_times(len(path)) if len(path) > 1 else times[:1].double()
    how = f"order, {len(path)} cameras spread evenly over {len(times)} frames"
    return Pairs(how, frames, places, moments, guessed=True)
