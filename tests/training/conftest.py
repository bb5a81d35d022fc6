"""What tests of training share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def new_process() -> Iterator[None]:
    """A process of its own, as far as accelerate and sums go.

    accelerate keeps its settings for the life of a process: they are forgotten, as a new one would have none. Sums over
    several threads differ in their last bits from those of the processes that tests start, which have one.
    """
    from accelerate.state import AcceleratorState

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    AcceleratorState._reset_state(reset_partial_state=True)
