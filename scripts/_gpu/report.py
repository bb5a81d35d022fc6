"""The table as Markdown and every number as JSON, written again after every row."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from _benchmark.report import plain

from _gpu.options import Options
from _gpu.rows import HEADS, Row


def write(rows: list[Row], options: Options) -> None:
    """Write what the options ask for; who reads meanwhile finds the old file or the new one, whole."""
    if options.markdown is not None:
        _replace(options.markdown, to_markdown(rows, options))
    if options.json is not None:
        content = plain({"rows": [asdict(row) for row in rows]})
        _replace(options.json, json.dumps(content, indent=1, allow_nan=False) + "\n")


def to_markdown(rows: list[Row], options: Options) -> str:
    """The page: how it was made, on which machine, the table."""
    machine: dict[str, Any] = next((row.values for row in rows if "versions" in row.values), {})
    lines = [
        "# GPU",
        f"`python scripts/check_gpu.py{' --tiny' if options.tiny else ''} --device {options.device} --minutes "
        f"{options.minutes:g}`; random weights throughout. A row says `wrong` where figures are not what they must be.",
    ]
    if machine:
        lines += ["", *(f"- {name}: {_words(value)}" for name, value in machine.items() if value not in (None, {}))]
    lines += ["", "| " + " | ".join(HEADS) + " |", "|---|---|---:|---|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row.cells()) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items() if item is not None)
    return str(value)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, "utf8")
    os.replace(draft, path)
