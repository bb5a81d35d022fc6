"""Which machine this is, and whether it has what is to be checked."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import torch
from _benchmark.report import describe_machine

from _gpu.options import Settings
from _gpu.rows import Finding


def measure(settings: Settings) -> Finding:
    """Versions, processor, GPU, driver and compiler.

    Raises:
        RuntimeError: CUDA is to be checked, and there is none.
    """
    if settings.on_cuda and not torch.cuda.is_available():
        built = f"torch {torch.__version__}, CUDA {torch.version.cuda or 'left out'}"
        raise RuntimeError(f"no CUDA device here ({built}); --device cpu checks the CPU")
    about: dict[str, Any] = describe_machine() | {"cuda": torch.version.cuda, "nvcc": _nvcc()}
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        about |= {
            "capability": "{}.{}".format(*torch.cuda.get_device_capability()),
            "gpu memory": f"{total / 1e9:.1f} GB, {free / 1e9:.1f} GB free",
            "driver": _first_line(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]),
        }
    text = [about.get("gpu") or "no GPU", about.get("gpu memory"), f"torch {torch.__version__}", about["nvcc"]]
    return Finding(", ".join(part for part in text if part), about)


def _nvcc() -> str:
    where = shutil.which("nvcc")
    if where is None:
        return "no nvcc"
    lines = _output([where, "--version"]).splitlines()
    return next((f"nvcc {line.rpartition('release ')[2]}" for line in lines if "release" in line), "nvcc")


def _first_line(command: list[str]) -> str | None:
    return next(iter(_output(command).splitlines()), None)


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
