"""Telling the user how far a reconstruction is to be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neoverse_ns.console import warn

DOUBTED = {"fair": "uncertain", "poor": "doubtful"}
"""How the confidence of a report reads in a warning."""


def warn_of_doubts(report: Mapping[str, Any]) -> None:
    """One line for each of the report's `doubts`; nothing for reports of reconstructors that have none."""
    for reason in report.get("doubts", ()):
        warn(f"{DOUBTED.get(report.get('confidence', ''), 'uncertain')}: {reason}")
