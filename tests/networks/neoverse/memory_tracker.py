"""Counts the bytes of all tensors that are alive while a block runs, on any device, without touching the allocator."""

from __future__ import annotations

from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class MemoryTracker(TorchDispatchMode):
    """Peak bytes of storages made inside the block, overall and for each named section.

    Works on the meta device too, where a network of any size costs nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self.peaks: dict[str, int] = {}
        self.section = ""
        self._live: dict[StorageWeakRef, int] = {}
        self._known: set[int] = set()

    def enter(self, section: str) -> None:
        """What follows counts to `section`."""
        self.section = section

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        # Arguments were there before, unless an operation inside made them.
        result = func(*args, **(kwargs or {}))
        before = {leaf.untyped_storage()._cdata for leaf in tree_leaves((args, kwargs)) if _is_real(leaf)}
        for leaf in tree_leaves(result):
            if _is_real(leaf):
                storage = leaf.untyped_storage()
                # Results that alias an argument are nothing new.
                if storage._cdata not in before:
                    self._live[StorageWeakRef(storage)] = storage.nbytes()
        self._live = {reference: size for reference, size in self._live.items() if not reference.expired()}
        now = sum(self._live.values())
        self.peak = max(self.peak, now)
        self.peaks[self.section] = max(self.peaks.get(self.section, 0), now)
        return result


def _is_real(leaf: Any) -> bool:
    return isinstance(leaf, torch.Tensor) and leaf.layout == torch.strided
