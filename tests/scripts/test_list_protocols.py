"""The page of protocols says what the table says."""

from __future__ import annotations

from list_protocols import PAGE, with_list  # pyright: ignore

from neoverse_ns.evaluation.protocol.aliases import protocols


def test_the_page_is_what_the_command_writes() -> None:
    page = PAGE.read_text("utf8")
    assert with_list(page) == page, "run python scripts/list_protocols.py --write"
    assert all(f"`{alias}`" in page for alias in protocols())
