"""Whether gsplat can draw here. Its kernels compile at first use, for minutes; a build that failed is remembered."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

from neoverse_ns.rasterize.unavailable import Unavailable
from neoverse_ns.user_files import cache_root, private_folder, why_foreign

BACKEND_MODULE = "gsplat.cuda._backend"
"""Importing it loads gsplat's kernels, compiling them where they are not."""
STEERING = (
    "CUDA_HOME",
    "CUDA_PATH",
    "TORCH_CUDA_ARCH_LIST",
    "PYTORCH_NVCC",
    "NVCC_APPEND_FLAGS",
    "CC",
    "CXX",
    "MAX_JOBS",
)
"""Environment variables that decide how a build goes: with others it is tried again."""

_ERROR = re.compile(r"\b(error|fatal)\b[^:\n]{0,20}:", re.IGNORECASE)
_TOOLKIT = "install the CUDA toolkit (nvcc) of torch's CUDA version, or a wheel of gsplat with its kernels in it"
_lock = threading.Lock()


@cache
def missing_gsplat() -> Unavailable | None:
    """Why gsplat cannot draw here, or None where it can. The first call may compile its kernels.

    Whatever importing or building it raises is caught. A failed build leaves its whole output in the cache folder, and
    is not tried again by later processes while that file is there and versions and environment are the same.
    """
    with _lock, _same_environment():
        if importlib.util.find_spec("gsplat") is None:
            return Unavailable("gsplat is not installed", f"pip install gsplat, and {_TOOLKIT}")
        try:
            importlib.import_module("gsplat")
        except (Exception, SystemExit) as error:
            return Unavailable(f"gsplat cannot be imported ({_one_line(error)})", "install gsplat again")
        identity = build_identity()
        log = failure_log(identity)
        prebuilt = importlib.util.find_spec("gsplat.csrc") is not None
        if not prebuilt and log is not None and (earlier := _first_line(log)) is not None:
            return Unavailable(f"building gsplat failed earlier ({earlier})", _retry(log))
        try:
            backend = importlib.import_module(BACKEND_MODULE)
        except (Exception, SystemExit) as error:
            # Besides what compilers say there are errors of torch's build code on machines that it was not made for.
            reason = _one_line(error)
            kept = log is not None and _write(log, f"{reason}\n\n{_text(identity)}\n\n{traceback.format_exc()}")
            return Unavailable(f"building gsplat failed ({reason})", _retry(log) if log and kept else _TOOLKIT)
        if getattr(backend, "_C", None) is None:
            return Unavailable("gsplat found no CUDA toolkit (nvcc) to compile its kernels with", _TOOLKIT)
        return None


def build_identity() -> dict[str, str | None]:
    """What decides whether a build succeeds: versions, the device, the compiler, and what steers it."""
    try:
        version = importlib.metadata.version("gsplat")
    except importlib.metadata.PackageNotFoundError:
        version = None
    try:
        device = "sm_{}{}".format(*torch.cuda.get_device_capability()) if torch.cuda.is_available() else None
    except RuntimeError:
        device = None
    return {
        "gsplat": version,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "device": device,
        "nvcc": shutil.which("nvcc"),
        **{name: os.environ.get(name) for name in STEERING},
    }


def failure_log(identity: dict[str, str | None]) -> Path | None:
    """Where the output of a failed build of that :func:`build_identity` lies, or would; None where nothing is kept."""
    key = hashlib.sha256(_text(identity).encode()).hexdigest()[:16]
    try:
        return private_folder(cache_root() / "gsplat") / f"failed-build-{key}.log"
    except OSError:
        return None


def _text(identity: dict[str, str | None]) -> str:
    return json.dumps(identity, indent=1, sort_keys=True)


def _retry(log: Path) -> str:
    return f"read {log}, and delete that file to have the build tried again"


def _first_line(log: Path) -> str | None:
    """What is said of the build that failed; None where none did, or somebody else says so."""
    try:
        if why_foreign(log) is not None:
            return None
        return log.read_text("utf8", "replace").partition("\n")[0]
    except OSError:
        return None


def _write(log: Path, text: str) -> bool:
    """Write all of the log or nothing; whether that worked."""
    try:
        handle, draft = tempfile.mkstemp(dir=log.parent, prefix=".log-")
        with os.fdopen(handle, "w", encoding="utf8", errors="replace") as stream:
            stream.write(text)
        os.replace(draft, log)
    except OSError:
        return False
    return True


def _one_line(error: BaseException) -> str:
    """The line of a build's output that names the error, else its first; short enough for a terminal."""
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if _ERROR.search(line)]
    text = (named or lines or [""])[0]
    kind = type(error).__name__
    return f"{kind}: {text[:160]}" if text else kind


@contextmanager
def _same_environment() -> Iterator[None]:
    """Undo what gsplat leaves in the environment where its build raises."""
    jobs = os.environ.get("MAX_JOBS")
    try:
        yield
    finally:
        if jobs is None:
            os.environ.pop("MAX_JOBS", None)
        else:
            os.environ["MAX_JOBS"] = jobs
