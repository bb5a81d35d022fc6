"""Draw how the rooms of the package depend on each other, from its imports, into docs/architecture.md.

    python scripts/draw_architecture.py            # print the picture
    python scripts/draw_architecture.py --write    # put it into the page

An arrow from A to B says that B uses A. Only arrows that no others imply are drawn (the transitive reduction), so that
the picture shows the way data takes and not every import.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import tyro

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- drawn by scripts/draw_architecture.py -->", "<!-- end of the drawing -->"
PACKAGE = "neoverse_ns"


def room_of(module: str) -> str | None:
    """The folder below the package that a module lies in; None for the package's own few files."""
    parts = module.split(".")
    if parts[0] != PACKAGE or len(parts) < 2 or not (ROOT / PACKAGE / parts[1]).is_dir():
        return None
    return parts[1]


def imported(file: Path) -> set[str]:
    """Rooms that a file imports from, lazy imports included, those for type checkers not."""
    tree = ast.parse(file.read_text("utf8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    rooms = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in skipped:
            # `from neoverse_ns.geometry import se3` names the room already; so does every longer path.
            rooms.add(room_of(node.module))
    return {room for room in rooms if room is not None}


def dependencies() -> dict[str, set[str]]:
    """For every room those it uses."""
    uses: dict[str, set[str]] = defaultdict(set)
    for file in sorted((ROOT / PACKAGE).rglob("*.py")):
        room = room_of(".".join(file.relative_to(ROOT).parts))
        if room is not None:
            uses[room] |= imported(file) - {room}
    return dict(uses)


def reduced(uses: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without dependencies that others imply.

    Raises:
        ValueError: Rooms depend on each other in a circle.
    """

    def reachable(room: str, path: tuple[str, ...] = ()) -> set[str]:
        if room in path:
            raise ValueError(f"rooms depend on each other in a circle: {' -> '.join([*path, room])}")
        found = set()
        for other in uses.get(room, ()):
            found |= {other} | reachable(other, (*path, room))
        return found

    return {
        room: {o for o in others if not any(o in reachable(between) for between in others - {o})}
        for room, others in uses.items()
    }


def picture() -> str:
    """The drawing as a Mermaid flow chart."""
    graph = reduced(dependencies())
    lines = ["```mermaid", "flowchart LR"]
    lines += [f"    {used} --> {room}" for room in sorted(graph) for used in sorted(graph[room])]
    alone = sorted(set(graph) - {o for others in graph.values() for o in others} - {r for r in graph if graph[r]})
    return "\n".join([*lines, *(f"    {room}" for room in alone), "```"])


@dataclass
class Draw:
    """Draw the dependencies between the package's folders."""

    write: bool = False
    """Put the drawing into docs/architecture.md instead of printing it."""


def main() -> int:
    options = tyro.cli(Draw, description=__doc__)
    if not options.write:
        print(picture())
        return 0
    text = PAGE.read_text("utf8")
    before, rest = text.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{picture()}\n{END}{rest.split(END)[1]}", "utf8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
