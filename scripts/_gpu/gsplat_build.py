"""gsplat's kernels: compiled where they are not, loaded, and launched once."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import time

import torch

from _gpu.options import Settings, cores, threads
from _gpu.rows import Finding, one_line

_ERROR = re.compile(r"\b(error|fatal)\b[^:\n]{0,20}:", re.IGNORECASE)


def measure(settings: Settings) -> Finding:
    """Seconds until the kernels can be used.

    Raises:
        RuntimeError: They cannot; names the compiler's first error.
    """
    if settings.on_cuda and not torch.cuda.is_available():
        raise RuntimeError("no CUDA device here to build gsplat's kernels for")
    os.environ.setdefault("MAX_JOBS", str(max(1, cores() - threads())))
    started = time.perf_counter()
    prebuilt = importlib.util.find_spec("gsplat.csrc") is not None
    if not prebuilt and shutil.which("nvcc") is None:
        raise RuntimeError("no nvcc on the PATH to compile gsplat's kernels with, and its package has none in it")
    try:
        backend = importlib.import_module("gsplat.cuda._backend")
    except Exception as error:
        # All of it, for the log; the cell has room for the line that names the error.
        print(error, flush=True)
        named = next((line for line in str(error).splitlines() if _ERROR.search(line)), str(error))
        raise RuntimeError(f"building gsplat's kernels failed: {one_line(named)}") from error
    loaded = time.perf_counter() - started
    if getattr(backend, "_C", None) is None:
        raise RuntimeError("gsplat found no CUDA toolkit (nvcc) to compile its kernels with")
    one = torch.ones(1, 3, device=settings.device)
    covariances, _ = importlib.import_module("gsplat").quat_scale_to_covar_preci(
        torch.tensor([[1.0, 0, 0, 0]], device=settings.device), 2 * one
    )
    if not torch.allclose(covariances.cpu(), 4 * torch.eye(3)[None]):
        raise RuntimeError(f"gsplat's kernels run, and make {covariances.tolist()} of 4 times the identity")
    origin = "came with the package" if prebuilt else f"built, or found built, with {os.environ['MAX_JOBS']} jobs"
    return Finding(f"kernels usable after {loaded:.0f} s ({origin})", {"seconds": loaded, "prebuilt": prebuilt})
