"""gsplat's kernels: compiled where they are not, loaded, and launched once."""

from __future__ import annotations

import importlib
import importlib.util
import os
import time

import torch

from _gpu.options import Settings, cores, threads
from _gpu.rows import Finding
from neoverse_ns.rasterize.gsplat_build import build_identity, failure_log, missing_gsplat
from neoverse_ns.user_files import CACHE_VARIABLE


def measure(settings: Settings) -> Finding:
    """Seconds until the kernels can be used.

    Raises:
        RuntimeError: They cannot; says why. The whole output of a build is printed.
    """
    if settings.on_cuda and not torch.cuda.is_available():
        raise RuntimeError("no CUDA device here to build gsplat's kernels for")
    os.environ.setdefault("MAX_JOBS", str(max(1, cores() - threads())))
    # A build that failed earlier is remembered in the user's own cache folder; here it is to be tried.
    os.environ[CACHE_VARIABLE] = settings.folder
    started = time.perf_counter()
    problem = missing_gsplat()
    seconds = time.perf_counter() - started
    if problem is not None:
        log = failure_log(build_identity())
        if log is not None and log.is_file():
            print(log.read_text("utf8", "replace"), flush=True)
        raise RuntimeError(problem.reason)
    _launch(settings.device)
    prebuilt = importlib.util.find_spec("gsplat.csrc") is not None
    origin = "came with the package" if prebuilt else f"built, or found built, by {os.environ['MAX_JOBS']} jobs"
    return Finding(f"kernels usable after {seconds:.0f} s ({origin})", {"seconds": seconds, "prebuilt": prebuilt})


def _launch(device: str) -> None:
    """Let a kernel compute something known."""
    identity = torch.tensor([[1.0, 0, 0, 0]], device=device)
    twos = torch.full((1, 3), 2.0, device=device)
    covariances, _ = importlib.import_module("gsplat").quat_scale_to_covar_preci(identity, twos)
    if not torch.allclose(covariances.cpu(), 4 * torch.eye(3)[None]):
        raise RuntimeError(f"gsplat's kernels run, and make {covariances.tolist()} of 4 times the identity")
