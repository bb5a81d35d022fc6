"""Randomness without state: every draw is a function of a few numbers, whoever makes it and in whichever order."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from jaxtyping import Float64, UInt64

_MASK = 2**64 - 1
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def mixed(*numbers: int) -> int:
    """64 even bits of some integers and their order, by the finaliser of SplitMix64 (Steele et al. 2014)."""
    state = 0
    for number in numbers:
        state = mixed_on(state, number & _MASK)
    return state


def mixed_on(key: int, number: int) -> int:
    """What `mixed` makes of a key that it made and one more number of 64 bits."""
    state = ((key ^ number) + _GOLDEN) & _MASK
    state = ((state ^ (state >> 30)) * _FIRST) & _MASK
    state = ((state ^ (state >> 27)) * _SECOND) & _MASK
    return state ^ (state >> 31)


def mixed_each(key: int, numbers: UInt64[np.ndarray, " n"]) -> UInt64[np.ndarray, " n"]:
    """What `mixed` makes of a key that it made and each of some numbers, all at once."""
    with np.errstate(over="ignore"):
        state = (np.uint64(key) ^ numbers) + np.uint64(_GOLDEN)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(_FIRST)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(_SECOND)
    return state ^ (state >> np.uint64(31))


def uniform_each(key: int, numbers: UInt64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """A number of [0, 1) for each, of 53 bits."""
    return (mixed_each(key, numbers) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def number_of(text: str) -> int:
    """64 bits of a name, the same in every process and version of Python."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def generator_of(*numbers: int) -> torch.Generator:
    """A generator on the CPU that these numbers seed."""
    return torch.Generator().manual_seed(mixed(*numbers) >> 1)
