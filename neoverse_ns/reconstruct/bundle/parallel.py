"""Independent pieces of work side by side, one core each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_on_cores(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Results of `function` in the order of `items`, each computed by a single-threaded torch.

    Many small tensor operations gain little from being split over cores one by one, and lose much where the cores are
    busy with something else; whole pieces of work do not have to wait for each other. The results do not depend on
    the number of cores.
    """
    with single_threaded_cores() as cores:
        yield from cores.map(function, items)


@contextmanager
def single_threaded_cores() -> Iterator[ThreadPoolExecutor]:
    """One worker a core, in each of which torch uses a single thread; so does the caller meanwhile."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        with ThreadPoolExecutor(os.cpu_count() or 1, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        # The setting of some of torch's libraries is shared by all threads of the process.
        torch.set_num_threads(before)
