"""One row of the table: what became of one case of a check."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["ok", "wrong", "failed", "not run"]
"""`wrong` ran to its end, and its figures are not what they must be."""

WIDTHS = (40, 8, 8)
"""Of the columns on a terminal; the last one is as wide as it comes."""


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        text: For people, one line.
        values: Every number, for JSON.
        good: Whether they are what they must be.
    """

    text: str
    values: dict[str, Any] = field(default_factory=dict)
    good: bool = True


@dataclass(frozen=True)
class Row:
    """A finding, or why there is none.

    Attributes:
        case: What was checked.
        status: What came of it.
        text: Figures, or the reason; one line.
        seconds: It took, without the start of its process.
        values: Every number.
        log: End of what a failure printed.
    """

    case: str
    status: Status
    text: str
    seconds: float = 0.0
    values: dict[str, Any] = field(default_factory=dict)
    log: str = ""

    @staticmethod
    def of(case: str, finding: Finding, seconds: float) -> Row:
        return Row(case, "ok" if finding.good else "wrong", finding.text, seconds, finding.values)

    def cells(self) -> list[str]:
        """Case, status, seconds and text."""
        return [self.case, self.status, f"{self.seconds:.0f}" if self.status != "not run" else "", self.text]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(line: str) -> Row:
        return Row(**json.loads(line))


HEADS = ["check", "result", "seconds", "measured, or why not"]


def terminal_line(cells: list[str]) -> str:
    """Cells in columns."""
    return "  ".join([*(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=False)), cells[-1]])


def one_line(text: str, most: int = 240) -> str:
    """The first line that says something, short enough for a cell."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    first = lines[0] if lines else "no reason given"
    return first if len(first) <= most else first[: most - 1] + "…"
