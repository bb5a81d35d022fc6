"""What others published, and under which protocol; figures of different protocols do not compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OTHER_PROTOCOL = "other protocol"
"""What a table says in the stead of a protocol that is none of ours."""


@dataclass(frozen=True)
class Published:
    """One row of somebody's table.

    Attributes:
        alias: Protocol of ours that these figures were measured under; "" where it is none, and the row is context
            alone.
        method: Who was measured.
        values: By the ids of our metrics, in their units.
        source: Where it is printed.
        near: Protocol of ours that it resembles, where `alias` is "".
        note: What is not known of how it was measured, or differs.
    """

    alias: str
    method: str
    values: Mapping[str, float]
    source: str
    near: str = ""
    note: str = ""
