"""Why a backend cannot draw here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unavailable:
    """What keeps a backend from drawing.

    Attributes:
        reason: What is wrong, one line.
        remedy: What to do about it: the end of a sentence.
    """

    reason: str
    remedy: str
