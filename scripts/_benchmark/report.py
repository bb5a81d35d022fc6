"""Results as a table for people and as plain JSON."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _benchmark.columns import Column
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.results.provenance import machine_facts
from neoverse_ns.trajectory.plain_json import plain

_PACKAGES = ("neoverse-ns", "nerfstudio", "torch", "numpy", "opencv-python-headless", "gsplat")

Row = dict[str, Any]
"""One clip's results: `clip` (its name), a dict per measurement, `notes` on them, `error` where it failed."""

Sections = dict[str, tuple[Column, ...]]
"""Tables of a report by heading."""


_SUMMARIES: dict[str, Callable[[list[float]], float]] = {"median": statistics.median, "mean": statistics.fmean}


def describe_machine() -> dict[str, Any]:
    """Versions, processor and date: what a number needs beside it."""
    facts = machine_facts()
    return facts | {"versions": {name: facts["versions"].get(name) for name in _PACKAGES}}


def to_markdown(rows: list[Row], header: dict[str, Any], sections: Sections, title: str = "Benchmark") -> str:
    """The whole report: protocols, machine, one table per section that has any value, notes and failures."""
    lines = [f"# {title}", ""]
    lines += [f"- {name}: {_words(value)}" for name, value in header.items()]
    for heading, columns in sections.items():
        table = _table(rows, columns)
        if table:
            lines += ["", f"## {heading}", "", *table]
    notes = [f"- {row['clip']}: {note}" for row in rows for note in row.get("notes", [])]
    failed = [f"- {row['clip']}: {row['error']}" for row in rows if row.get("error")]
    for heading, items in (("Notes", notes), ("Failed", failed)):
        if items:
            lines += ["", f"## {heading}", "", *items]
    return "\n".join(lines) + "\n"


def write_report(
    rows: list[Row], header: dict[str, Any], text: str, json_path: Path | None, markdown_path: Path | None
) -> None:
    """Write the tables as `text` and every number as JSON, each where a path is given."""
    texts = {
        json_path: json.dumps(plain({"header": header, "clips": rows}), indent=1, allow_nan=False),
        markdown_path: text,
    }
    for path, content in texts.items():
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf8")


def rows_of_others(json_path: Path, measured: list[str]) -> list[Row]:
    """Rows of a report written before whose clips are not among those to be measured now; none without the file.

    Raises:
        ClipError: The file is no report.
    """
    if not json_path.is_file():
        return []
    try:
        return [row for row in json.loads(json_path.read_text("utf8"))["clips"] if row["clip"] not in measured]
    except (ValueError, TypeError, KeyError) as error:
        raise ClipError(f"{json_path}: not a report of this benchmark ({error}); give --json another path") from error


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
        found = [_value(row, column.path) for row in rows]
        values = [abs(value) for value in found if isinstance(value, (int, float))]
        cells.append(_shown(_SUMMARIES[name](values), column.digits) if column.summary == name and values else "")
    return f"| **{name}** | " + " | ".join(cells) + " |"


def _value(row: Row, path: tuple[str, ...]) -> float | bool | str | None:
    value: Any = row
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, str):
        return value
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value if isinstance(value, bool) else float(value)


def _shown(value: float | bool | str | None, digits: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else f"{value:.{digits}f}"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items() if item is not None)
    return str(value)
