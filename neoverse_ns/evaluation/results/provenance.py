"""What a figure was made from and on: package and commit, files of data, machine."""

from __future__ import annotations

import glob
import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = "neoverse-ns"
_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = (PACKAGE, "nerfstudio", "torch", "numpy", "opencv-python-headless", "gsplat", "pycolmap", "openmvg-rs")


def package_facts() -> dict[str, Any]:
    """Name, version, digest of the code and, where it is used from a checkout, commit of this package.

    `code` is equal where the same code runs, whatever the commit: see :func:`code_digest`.
    `changed` says that files of the checkout differ from the commit: then the commit alone does not tell what ran.
    """
    facts: dict[str, Any] = {"package": PACKAGE, "version": version_of(PACKAGE)}
    facts |= {"code": code_digest(), "commit": None, "changed": None}
    commit = _git("rev-parse", "HEAD")
    if commit:
        facts |= {"commit": commit, "changed": bool(_git("status", "--porcelain", "--", str(_ROOT)))}
    return facts


def code_digest(root: Path = _ROOT) -> str:
    """SHA-256 of the package's own modules by name, but for those of the command line, which decide no value."""
    value = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not name.startswith("cli/"):
            value.update(f"{name}\t{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return value.hexdigest()


def machine_facts() -> dict[str, Any]:
    """Versions, processor, threads and date: what a number needs beside it."""
    import torch

    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "versions": {name: version_of(name) for name in _PACKAGES},
    }


def file_list(folder: Path, scenes: Iterable[str]) -> dict[str, Any]:
    """How many files the scenes of a data folder have, and a SHA-256 of their names and sizes.

    Contents are not read: it tells whether files are missing or others, not whether a pixel was changed.

    Args:
        folder: Of the data set; or its one file.
        scenes: Names of folders or files in it; those that are none (scenes that are made here) have no files.
    """
    value, count = hashlib.sha256(), 0
    root = folder.parent if folder.is_file() else folder
    files = {folder} if folder.is_file() else {file for scene in scenes for file in _files_of(folder / scene)}
    for path in sorted(files):
        value.update(f"{path.relative_to(root).as_posix()}\t{path.stat().st_size}\n".encode())
        count += 1
    return {"files": count, "sha256": value.hexdigest()}


def _files_of(place: Path) -> list[Path]:
    """Of a scene that is a folder, or a file without its ending."""
    if place.is_dir():
        return [path for path in place.rglob("*") if path.is_file()]
    return [path for path in place.parent.glob(f"{glob.escape(place.name)}.*") if path.is_file()]


def version_of(package: str) -> str | None:
    """Version of an installed package; None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def processor() -> str:
    """The processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def _git(*words: str) -> str | None:
    """What git says of this package's checkout; None where it is none."""
    try:
        top = _call("-C", str(_ROOT), "rev-parse", "--show-toplevel")
        # A folder of packages inside some other project's checkout says nothing of this one.
        if top is None or Path(top).resolve() != _ROOT.parent:
            return None
        return _call("-C", str(_ROOT), *words)
    except (OSError, subprocess.SubprocessError):
        return None


def _call(*words: str) -> str | None:
    done = subprocess.run(["git", *words], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
