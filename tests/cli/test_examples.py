"""Examples in the help of ns-neoverse's commands."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import neoverse_ns.cli

EXAMPLE = re.compile(r"ns-neoverse [a-z-]+ ")
ROOT = Path(neoverse_ns.cli.__file__).parent


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: path.stem)
def test_every_example_stands_on_a_line_of_its_own(path: Path) -> None:
    # The help joins the lines of a paragraph: only a blank line keeps a command from what is before and behind it.
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        text = ast.get_docstring(node) if isinstance(node, ast.ClassDef) else None
        for paragraph in (text or "").split("\n\n"):
            first, *others = paragraph.splitlines() or [""]
            assert not any(EXAMPLE.match(line) for line in others)
            if EXAMPLE.match(first):
                assert all(line.startswith("    ") for line in others)
