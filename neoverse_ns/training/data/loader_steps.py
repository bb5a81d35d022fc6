"""What steps need, made ahead by worker processes, in the order of steps."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Generic, Literal, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from neoverse_ns.errors import RunError, SettingsError

T = TypeVar("T")


class StepLoader(Generic[T]):
    """Calls a function of the step's number for one step after the other.

    What comes is the same with any number of workers, as far as the function depends on nothing but the step: all of it
    is made on one thread, so that sums come out alike everywhere.

    Attributes:
        waited: Seconds that the caller has waited in all.
        step: The next one that will come.
    """

    def __init__(
        self,
        make: Callable[[int], T],
        first_step: int = 0,
        last_step: int | None = None,
        workers: int = 0,
        prefetch: int = 2,
        pin_memory: bool = False,
        begun: Literal["fork", "forkserver"] = "fork",
    ) -> None:
        """Begin to make.

        Args:
            make: Told the number of the step; goes to the workers.
            first_step: The first.
            last_step: The last, exclusive; None for no end.
            workers: Processes; 0 makes what is asked for within the call.
            prefetch: Steps that each worker may be ahead.
            pin_memory: Put what comes into memory that a GPU copies from at once.
            begun: How workers begin. A fork of a process that has drawn or decoded anything may never wake: libraries'
                threads do not come along. The other way takes seconds, and `make` must be one that can be sent.

        Raises:
            SettingsError: A number is out of range.
        """
        if workers < 0 or prefetch < 1 or first_step < 0:
            raise SettingsError(f"{workers} workers that are {prefetch} steps ahead: give 0 and 1 at least")
        self.waited, self.step = 0.0, first_step
        self._single = workers == 0
        self._loader = DataLoader(
            _Steps(make),
            batch_size=None,
            sampler=_Order(first_step, last_step),
            num_workers=workers,
            collate_fn=_as_it_is,
            pin_memory=pin_memory,
            worker_init_fn=_begin_worker,
            prefetch_factor=None if self._single else prefetch,
            multiprocessing_context=None if self._single else begun,
            # Else it takes a number from the generator that training draws from.
            generator=torch.Generator().manual_seed(0),
        )
        self._steps: Iterator[T] | None = None

    def __iter__(self) -> Iterator[T]:
        return self

    def begin(self) -> None:
        """Start the workers now rather than when the first step is asked for, as before anything is drawn."""
        if self._steps is None and not self._single:
            self._steps = iter(self._loader)

    def __next__(self) -> T:
        """What the next step needs.

        Raises:
            StopIteration: The last step has been.
            RunError: A worker process was killed.
        """
        began = time.perf_counter()
        threads = torch.get_num_threads()
        try:
            if self._single:
                torch.set_num_threads(1)
            if self._steps is None:
                self._steps = iter(self._loader)
            found = next(self._steps)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error) or "exited unexpectedly" not in str(error):
                raise
            raise RunError(
                f"a process that loads data was killed before step {self.step}, most often for want of memory: "
                "take fewer workers, or give the machine more memory (containers: more shared memory)"
            ) from error
        finally:
            if self._single:
                torch.set_num_threads(threads)
            self.waited += time.perf_counter() - began
        self.step += 1
        return found

    def close(self) -> None:
        """End the workers."""
        if self._steps is not None and (end := getattr(self._steps, "_shutdown_workers", None)):
            with suppress(RuntimeError):
                end()
        self._steps = iter(())


class _Steps(Dataset[T]):
    def __init__(self, make: Callable[[int], T]) -> None:
        self._make = make

    def __getitem__(self, step: int) -> T:
        return self._make(step)


class _Order(Sampler[int]):
    def __init__(self, first: int, last: int | None) -> None:
        self._first, self._last = first, last

    def __iter__(self) -> Iterator[int]:
        return itertools.count(self._first) if self._last is None else iter(range(self._first, self._last))


def _as_it_is(made: Any) -> Any:
    return made


def _begin_worker(number: int) -> None:
    import cv2

    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    # Whoever presses Ctrl+C means the run: its main process ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
