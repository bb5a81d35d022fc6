"""What every benchmark of clips does: measure one after the other, and write after each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _benchmark.report import Row, Sections, rows_of_others, to_markdown, write_report
from neoverse_ns.console import CONSOLE, progress, say, warn
from neoverse_ns.errors import NeoVerseError

Job = tuple[str, Callable[[], Row]]
"""A clip's name, and what measures it."""

Describe = Callable[[list[Row]], tuple[dict[str, Any], str]]
"""Header and text of the report on these rows."""


def tables(header: dict[str, Any], sections: Sections, title: str) -> Describe:
    """A report that is nothing but its tables."""
    return lambda rows: (header, to_markdown(rows, header, sections, title))


def measure_all(
    jobs: list[Job], describe: Describe, json: Path | None, markdown: Path | None, add: bool = False
) -> int:
    """Measure every clip, write after each, print the report at the end; returns the process's exit code.

    Args:
        jobs: An error that a clip causes ends up in its row.
        describe: The report.
        json: Where every number goes.
        markdown: Where the tables go.
        add: Keep what the JSON file says of other clips.

    Raises:
        ClipError: The file that is to be added to is no report.
    """
    rows = rows_of_others(json, [name for name, _ in jobs]) if add and json is not None else []
    with progress("benchmark", len(jobs)) as steps:
        for name, measure in jobs:
            say(f"benchmark: {name}")
            try:
                rows.append(measure())
            except NeoVerseError as error:
                rows.append({"clip": name, "error": str(error)})
                warn(f"{name}: {error}")
            # A long run that is cut short keeps what it has.
            write_report(rows, *describe(rows), json, markdown)
            steps.advance(note=name)
    CONSOLE.print(describe(rows)[1], markup=False, highlight=False)
    return 1 if any("error" in row for row in rows) else 0


def in_work_folder(run: Callable[[Path], int], prefix: str, folder: Path | None = None) -> int:
    """Run something that needs a folder: `folder`, or one that is deleted at the end; returns the exit code.

    What goes wrong for a reason the user can do something about is said in one line.
    """
    try:
        if folder is not None:
            return run(folder)
        with tempfile.TemporaryDirectory(prefix=prefix) as work:
            return run(Path(work))
    except NeoVerseError as error:
        warn(str(error))
        return 1
