"""What became of every clip: on the console, and as batch.json and batch.csv."""

from __future__ import annotations

import csv
import io
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from neoverse_ns.batch.step import Job
from neoverse_ns.batch.survey import StepState
from neoverse_ns.whole_file import write_whole

JSON, CSV = "batch.json", "batch.csv"
_COLOURS = {"done": "green", "failed": "red", "killed": "red", "waiting": "yellow", "to do": "dim"}
_FIELDS = ("clip", "step", "state", "seconds", "finished", "output", "reason", "numbers", "source")


@dataclass(frozen=True)
class Row:
    """One clip.

    Attributes:
        job: What was to be done.
        states: Of its steps, in their order.
        trouble: What kept it from being worked on at all, else empty.
    """

    job: Job
    states: list[StepState]
    trouble: str = ""

    @property
    def state(self) -> str:
        """`done` where all steps are, else the worst of them."""
        found = {state.state for state in self.states} | ({"failed"} if self.trouble else set())
        return next((name for name in ("failed", "killed", "to do", "waiting") if name in found), "done")

    @property
    def seconds(self) -> float:
        """That all of its steps took."""
        return sum(state.seconds or 0.0 for state in self.states)

    def reasons(self) -> list[str]:
        """A line for everything that went wrong."""
        bad = [state for state in self.states if state.state in ("failed", "killed")]
        lines = [f"{self.job.name}, {state.step.name}: {state.reason}" for state in bad]
        return [*lines, *([f"{self.job.name}: {self.trouble}"] if self.trouble else [])]


@dataclass(frozen=True)
class BatchTable:
    """All clips of a batch."""

    rows: Sequence[Row]

    @property
    def all_done(self) -> bool:
        """Whether nothing failed and nothing is left."""
        return all(row.state == "done" for row in self.rows)

    def counts(self) -> str:
        """Such as `10 done, 2 failed`."""
        found = Counter(row.state for row in self.rows)
        order = ("done", "failed", "killed", "waiting", "to do")
        return ", ".join(f"{found[name]} {name}" for name in order if found[name]) or "no clips"

    def write(self, folder: Path) -> None:
        """Write batch.json and batch.csv, each whole or not at all.

        Raises:
            OSError: They cannot be written.
        """
        write_whole(folder / JSON, json.dumps(self.document(), indent=1, allow_nan=False) + "\n")
        text = io.StringIO()
        writer: csv.DictWriter[str] = csv.DictWriter(text, _FIELDS, lineterminator="\n")
        writer.writeheader()
        for row in self.rows:
            for entry in _entries(row):
                numbers = " ".join(f"{name}={value:g}" for name, value in entry["numbers"].items())
                writer.writerow(entry | {"clip": row.job.name, "source": row.job.clip, "numbers": numbers})
            if row.trouble:
                trouble = {"state": "failed", "reason": row.trouble}
                writer.writerow(trouble | {"clip": row.job.name, "source": row.job.clip})
        write_whole(folder / CSV, text.getvalue())

    def document(self) -> dict[str, Any]:
        """What batch.json holds."""
        clips = [
            {
                "clip": row.job.name,
                "source": str(row.job.clip),
                "state": row.state,
                "seconds": round(row.seconds, 3),
                "reason": row.trouble,
                "steps": _entries(row),
            }
            for row in self.rows
        ]
        return {
            "written": _moment(time.time()),
            "counts": dict(Counter(row.state for row in self.rows)),
            "clips": clips,
        }

    def shown(self) -> Table:
        """A table for the console: a clip a row, a step a column."""
        names = list(dict.fromkeys(state.step.name for row in self.rows for state in row.states))
        table = Table("clip", *map(escape, names))
        for row in self.rows:
            states = {state.step.name: state for state in row.states}
            cells = [_cell(states[name]) if name in states else "" for name in names]
            table.add_row(escape(row.job.name), *cells)
        return table


def _cell(state: StepState) -> str:
    text = state.state if state.seconds is None else f"{state.state} {state.seconds:.1f} s"
    numbers = "".join(f", {name} {value:.2f}" for name, value in state.numbers.items())
    return f"[{_COLOURS[state.state]}]{text}[/]{escape(numbers)}"


def _entries(row: Row) -> list[dict[str, Any]]:
    return [
        {
            "step": state.step.name,
            "state": state.state,
            "seconds": state.seconds,
            "finished": None if state.finished is None else _moment(state.finished),
            "output": f"{row.job.name}/{state.step.name}" if state.state == "done" else None,
            "reason": state.reason,
            "numbers": state.numbers,
        }
        for state in row.states
    ]


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
