"""ns-neoverse in this process, for the tests of its commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.cli.main import entrypoint


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> None:
    """Do what these words do behind `ns-neoverse`."""
    monkeypatch.setattr("sys.argv", ["ns-neoverse", *map(str, arguments)])
    entrypoint()


def fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line that a command ends with."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, *arguments)
    assert ended.value.code == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Error:")]
    assert len(lines) == 1
    return lines[0]
