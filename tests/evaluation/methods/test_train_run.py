"""Console scripts run as users run them: what they used, and what they say when they fail."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from neoverse_ns.errors import RunError
from neoverse_ns.evaluation.methods import train_run as train
from neoverse_ns.evaluation.results.memory import peak_of


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that stands beside the interpreter, as console scripts do; it runs its first argument."""
    file = tmp_path / "ns-anything"
    file.write_text(f"#!{sys.executable}\nimport sys\nexec(sys.argv[1])\n", "utf8")
    file.chmod(0o755)
    monkeypatch.setattr(train.sys, "executable", str(tmp_path / "python"))
    return file


def test_a_command_tells_the_memory_it_took(script: Path) -> None:
    before = peak_of(Path("/proc/self"))
    if before is None:
        pytest.skip("this system does not tell what a process holds")
    little = train.command(script.name, "import time; time.sleep(0.5)")
    much = train.command(script.name, "import time; held = b'x' * 300_000_000; time.sleep(0.5)")
    # What the tests themselves hold does not count.
    assert little is not None
    assert much is not None
    assert little < 0.1 < before
    assert much - little == pytest.approx(0.3, abs=0.02)


def test_a_failing_command_says_its_last_lines(script: Path) -> None:
    with pytest.raises(RunError, match=r"ns-anything failed with exit code 3:\n(?s:.*)the reason") as failure:
        train.command(script.name, "print('far above\\n' + 20 * '-\\n' + 'the reason'); sys.exit(3)")
    assert "far above" not in str(failure.value)


def test_a_command_that_is_stuck_is_ended(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "LONGEST", 0.5)
    with pytest.raises(RunError, match=r"took more than 0\.5 s"):
        train.command(script.name, "import time; time.sleep(60)")


def test_a_missing_command_says_what_to_install(script: Path) -> None:
    with pytest.raises(RunError, match="install neoverse_ns"):
        train.command("ns-nothing")
