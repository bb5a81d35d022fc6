"""List every protocol, with data, licences and published figures, from the package's own table into docs/evaluation.md.

    python scripts/list_protocols.py            # print the list
    python scripts/list_protocols.py --write    # put it into the page

A file in neoverse_ns/evaluation/protocol/ adds its protocols by lying there; the page then has to be written again.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from neoverse_ns.evaluation.protocol.describe import protocols_markdown

PAGE = Path(__file__).resolve().parents[1] / "docs" / "evaluation.md"
BEGIN, END = "<!-- written by scripts/list_protocols.py -->", "<!-- end of the list -->"


@dataclass
class ListProtocols:
    """List every protocol."""

    write: bool = False
    """Put the list into docs/evaluation.md in the stead of printing it."""


def with_list(page: str) -> str:
    """A page with the list between its marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{protocols_markdown()}{END}{rest.split(END)[1]}"


def main() -> int:
    options = tyro.cli(ListProtocols, description=__doc__)
    if options.write:
        PAGE.write_text(with_list(PAGE.read_text("utf8")), "utf8")
    else:
        print(protocols_markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main())
