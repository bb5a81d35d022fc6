"""Results as a table for people and as plain JSON."""

from __future__ import annotations

import math
import os
import platform
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

Row = dict[str, Any]
"""One clip's results: name, source frames, and a dict per measurement."""


@dataclass(frozen=True)
class Column:
    """One column of the table.

    Attributes:
        title: Header, with the unit.
        path: Keys that lead to the value inside a row.
        digits: Decimals shown.
        summary: How all clips are summarised: "median", "mean" or "" for not at all.
    """

    title: str
    path: tuple[str, ...]
    digits: int
    summary: str = ""


GEOMETRY_COLUMNS = (
    Column("solved", ("geometry", "solved"), 0),
    Column("of", ("geometry", "frames"), 0),
    Column("ATE % of path", ("geometry", "ate_percent_of_path"), 2, "median"),
    Column("rotation °/step", ("geometry", "rotation_degrees_per_step"), 3, "median"),
    Column("focal error %", ("geometry", "focal_error_percent"), 1, "median"),
    Column("depth AbsRel", ("geometry", "depth_abs_rel"), 3, "median"),
    Column("seconds", ("geometry", "seconds"), 1, "median"),
)
VIEW_COLUMNS = (
    Column("repeat dB", ("baselines", "repeat_previous", "psnr"), 1, "mean"),
    Column("flow dB", ("baselines", "flow_interpolation", "psnr"), 1, "mean"),
    Column("scene dB", ("scene", "psnr"), 1, "mean"),
    Column("repeat SSIM", ("baselines", "repeat_previous", "ssim"), 3, "mean"),
    Column("flow SSIM", ("baselines", "flow_interpolation", "ssim"), 3, "mean"),
    Column("scene SSIM", ("scene", "ssim"), 3, "mean"),
    Column("train s", ("scene", "train_seconds"), 0, "mean"),
)
RIGHT_COLUMNS = (
    Column("shift dB", ("baselines", "right_shift", "psnr"), 1, "mean"),
    Column("aligned dB", ("scene", "right_aligned", "psnr"), 1, "mean"),
    Column("beside dB", ("scene", "right_beside", "psnr"), 1, "mean"),
    Column("shift SSIM", ("baselines", "right_shift", "ssim"), 3, "mean"),
    Column("aligned SSIM", ("scene", "right_aligned", "ssim"), 3, "mean"),
    Column("beside SSIM", ("scene", "right_beside", "ssim"), 3, "mean"),
)
_SUMMARIES: dict[str, Callable[[list[float]], float]] = {"median": statistics.median, "mean": statistics.fmean}


def describe_machine() -> dict[str, Any]:
    """Versions, processor and date: what a number needs beside it."""
    packages = ("neoverse-ns", "nerfstudio", "torch", "numpy", "opencv-python-headless", "gsplat")
    import torch

    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "versions": {name: _version(name) for name in packages},
    }


def plain(value: Any) -> Any:
    """`value` with every number that JSON cannot hold (NaN, infinity) replaced by None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def to_markdown(rows: list[Row], header: dict[str, Any]) -> str:
    """The whole report: protocols, machine, and one table per kind of measurement that has any value."""
    lines = ["# Benchmark", ""]
    lines += [f"- {name}: {_words(value)}" for name, value in header.items()]
    sections = (
        ("Geometry", GEOMETRY_COLUMNS),
        ("Held-out frames", VIEW_COLUMNS),
        ("Unseen right camera", RIGHT_COLUMNS),
    )
    for title, columns in sections:
        table = _table(rows, columns)
        if table:
            lines += ["", f"## {title}", "", *table]
    failed = [f"- {row['clip']}: {row['error']}" for row in rows if row.get("error")]
    if failed:
        lines += ["", "## Failed", "", *failed]
    return "\n".join(lines) + "\n"


def _table(rows: list[Row], columns: tuple[Column, ...]) -> list[str]:
    """Markdown lines; columns without any value are left out, and so are clips without any."""
    used = [column for column in columns if any(_value(row, column.path) is not None for row in rows)]
    kept = [row for row in rows if any(_value(row, column.path) is not None for column in used)]
    if not kept:
        return []
    lines = ["| clip | " + " | ".join(column.title for column in used) + " |", "|---|" + "---:|" * len(used)]
    for row in kept:
        cells = [_shown(_value(row, column.path), column.digits) for column in used]
        lines.append(f"| {row['clip']} | " + " | ".join(cells) + " |")
    if len(kept) > 1:
        lines += [_summary_line(name, kept, used) for name in _SUMMARIES if any(c.summary == name for c in used)]
    return lines


def _summary_line(name: str, rows: list[Row], columns: list[Column]) -> str:
    cells = []
    for column in columns:
        # Over the sizes of errors: a focal length 10 % too long and one 10 % too short are not right in the middle.
        values = [abs(v) for row in rows if (v := _value(row, column.path)) is not None]
        cells.append(_shown(_SUMMARIES[name](values), column.digits) if column.summary == name and values else "")
    return f"| **{name}** | " + " | ".join(cells) + " |"


def _value(row: Row, path: tuple[str, ...]) -> float | None:
    value: Any = row
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _shown(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items() if item is not None)
    return str(value)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"
