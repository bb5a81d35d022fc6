"""What a run without the shared material says about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.shared import material_line

TESTS = """
import pytest
from tests.shared import shared_file

@pytest.fixture(scope="module")
def clip():
    return shared_file("clips/walk")

def test_one(clip): pass
def test_two(clip): pass
def test_three(): shared_file("weights/net.pt")
def test_four(): pytest.skip("needs a GPU")
def test_five(): shared_file("there")
"""


def test_a_run_counts_and_names_what_it_lacked(tmp_path: Path) -> None:
    (tmp_path / "shared" / "there").mkdir(parents=True)
    (tmp_path / "test_small.py").write_text(TESTS)
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "--rootdir", tmp_path, tmp_path]
    environment = os.environ | {
        "NEOVERSE_SHARED": str(tmp_path / "shared"),
        "PYTHONPATH": str(root),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    printed = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True).stdout
    assert "3 tests need material that is not part of the project: clips/walk (2), weights/net.pt (1)\n" in printed, (
        printed
    )
    assert "1 passed, 4 skipped" in printed


def test_nothing_is_said_where_nothing_lacked() -> None:
    assert material_line([]) is None
    assert material_line(["Skipped: needs a CUDA device", "this user may read everything"]) is None
    one = material_line(["('x.py', 3, 'Skipped: needs clips/a, which is not part of the project')"])
    assert one == "1 test needs material that is not part of the project: clips/a (1)"
