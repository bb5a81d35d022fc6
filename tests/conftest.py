"""What every run of the tests says at its end."""

from __future__ import annotations

import pytest

from tests.shared import material_line


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Counts and names what could not be tested because it needs material that a clone does not hold."""
    line = material_line(str(report.longrepr) for report in terminalreporter.getreports("skipped"))
    if line:
        terminalreporter.write_line(line, yellow=True)
