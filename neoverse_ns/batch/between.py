"""What a worker sets up once, and what it gives back after every clip."""

from __future__ import annotations

import gc
import os
import sys

from neoverse_ns.reconstruct.cache_use import release_all
from neoverse_ns.reconstruct.feedforward.keeping import keep_networks


def prepare_process(threads: int | None) -> None:
    """Share the cores with the other workers, and keep networks that are loaded for the clips to come.

    Args:
        threads: For computing; None leaves that to torch.
    """
    keep_networks(True)
    if threads is not None:
        # What is not loaded yet reads its number from the environment; see below.
        for name, setter in (("torch", "set_num_threads"), ("cv2", "setNumThreads")):
            if name in sys.modules:
                getattr(sys.modules[name], setter)(threads)


def tidy_process() -> None:
    """Let go of what the last clip occupied: entries of the cache, memory of the device."""
    release_all()
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def environment(threads: int | None, device: str | None) -> dict[str, str]:
    """Variables that a worker starts with.

    Args:
        threads: For computing.
        device: The one CUDA device that it sees; None leaves it all of them.
    """
    variables = {"TERM": "dumb", "PYTHONUNBUFFERED": "1"}
    for name in ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        if threads is not None and name not in os.environ:
            variables[name] = str(threads)
    if device is not None:
        variables["CUDA_VISIBLE_DEVICES"] = device
    return variables


def devices() -> list[str]:
    """CUDA devices that workers can be spread over, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]
