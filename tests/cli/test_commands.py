"""The commands' register: all of them are there, and the overview costs little."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from neoverse_ns.cli.commands import COMMANDS, command_class, summary
from tests.cli.command_line import run


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_says_what_it_is_for(name: str) -> None:
    command = command_class(name)
    assert dataclasses.is_dataclass(command)
    assert callable(command.run)
    assert (command.__doc__ or "").startswith(summary(name).split("\n")[0])
    assert summary(name).endswith(".")


def test_the_overview_lists_them_without_importing_what_they_need(tmp_path: Path) -> None:
    code = """
import sys
from neoverse_ns.cli.main import parse
try:
    parse(["--help"])
except SystemExit:
    heavy = {"torch", "cv2", "av", "nerfstudio", "diffusers"} & set(sys.modules)
    raise SystemExit(f"imported {heavy}" if heavy else 0)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 0, result.stderr
    assert all(f"• {name} " in result.stdout for name in COMMANDS)


def test_a_word_that_is_no_command_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "rendr")
    assert stopped.value.code == 2
    told = capsys.readouterr()
    assert "rendr" in told.out + told.err
