"""How much memory a device has left."""

from __future__ import annotations

from pathlib import Path

import torch

_CGROUP = Path("/sys/fs/cgroup")


def free_memory(device: torch.device | str) -> int | None:
    """Bytes that may still be used on a device; None where the system does not tell.

    On CUDA this counts what torch has reserved but not handed out. On the CPU it is what Linux calls available, within
    the limit of a container.
    """
    device = torch.device(device)
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if device.type != "cpu":
        return None
    amounts = [amount for amount in (_available(), _container_room()) if amount is not None]
    return min(amounts, default=None)


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None


def _container_room() -> int | None:
    """What a container's limit leaves, not counting file pages, which the system gives back when it needs them."""
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        lines = (_CGROUP / "memory.stat").read_text().splitlines()
        pages = sum(int(line.split()[1]) for line in lines if line.startswith(("active_file ", "inactive_file ")))
        return max(limit - used + pages, 0)
    except (OSError, ValueError):
        # No such limit ("max"), or another system.
        return None
