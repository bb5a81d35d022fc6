"""What the pages say: links lead somewhere, examples of moves and curves of time are taken, all formats are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from neoverse_ns import trajectory
from neoverse_ns.export.registry import FORMATS
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.trajectory.moves.registry import DIRECTED
from neoverse_ns.trajectory.presets import MOVES
from neoverse_ns.trajectory.time_curve import TimeCurve
from tests.reconstruct.small_scene import small_scene

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "docs" / "nerfstudio" / "README.md"]
DIRECTING = (ROOT / "docs" / "camera_and_time.md").read_text("utf8")
MOVE = re.compile(r"(?:[a-z_]+(?::[a-z]+=[\w.,]+)*)(?: \+ [a-z_]+(?::[a-z]+=[\w.,]+)*)*")
LARGEST = 300_000
"""Bytes of a picture."""


@pytest.fixture(scope="module")
def scene() -> Scene:
    return small_scene()


def first_column(heading: str) -> list[str]:
    """Everything in code in the first or second cell of a table's rows below a heading, until the next heading."""
    part = DIRECTING.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.split("|") for line in part.splitlines() if line.startswith("| ")]
    return [code for row in rows for cell in row[1:3] for code in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    text = page.read_text("utf8")
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    here = [target for target in targets if target and "://" not in target]
    # Written as they stand in nerfstudio, whose pages they are for.
    here = [target for target in here if not target.startswith("nerfology/")]
    assert [target for target in here if not (page.parent / target).exists()] == []


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    assert {picture.name for picture in pictures if picture.stat().st_size > LARGEST} == set()


def test_the_moves_on_the_page_are_moves(scene: Scene) -> None:
    named = {code for code in first_column("Where the camera goes") if MOVE.fullmatch(code)}
    assert set(DIRECTED) <= named
    # The scene has one thing that moves, which was not told apart from others.
    named = {name for name in named if name.partition(":")[0] in (*DIRECTED, *MOVES) and "thing=" not in name}
    assert {"crane:rise=0.15 + handheld:strength=0.5", "orbit:degrees=90", "pan_left"} <= named
    for name in named:
        assert len(trajectory(scene, name, num_frames=3)) == 3


def test_the_curves_of_time_on_the_page_are_read() -> None:
    curves = [code for code in first_column("Which moment is shown") if code not in ("2s", "40", "50%", "ease")]
    assert {"as-filmed", "freeze@1.5s", "slow 2x", "ping-pong", "0-40, 40 x 30, 40-80"} <= set(curves)
    for curve in curves:
        if curve not in ("40 x 30",):
            TimeCurve.parse(curve, seconds=10.0, duration=10.0)


def test_every_export_format_is_on_its_page() -> None:
    page = (ROOT / "docs" / "exports.md").read_text("utf8")
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert set(rows) == set(FORMATS)


def test_python_on_the_pages_compiles() -> None:
    blocks = [block for page in PAGES for block in re.findall(r"```python\n(.*?)```", page.read_text("utf8"), re.S)]
    assert len(blocks) > 3
    for block in blocks:
        compile(block, "page", "exec")
