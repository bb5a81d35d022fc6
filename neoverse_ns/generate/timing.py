"""What the time of a generated video went into, told apart as the paper does (Table 3: reconstruction, generation)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PARTS = ("learning", "drawing", "refining")
"""Of generation: what a refiner learns from the clip or reads of it, the conditions, and the frames themselves."""


@dataclass
class GenerationSeconds:
    """Seconds by part, growing while frames are made."""

    parts: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))

    @property
    def total(self) -> float:
        return sum(self.parts.values())

    @contextmanager
    def counting(self, part: str) -> Iterator[None]:
        """Count the time of the block to a part."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.parts[part] += time.perf_counter() - begun

    def move(self, giver: str, taker: str, seconds: float) -> None:
        """Count time that was counted to one part to another instead."""
        self.parts[giver] -= seconds
        self.parts[taker] += seconds


def time_report(geometry_report: Mapping[str, Any], generation: GenerationSeconds) -> dict[str, Any]:
    """Seconds of reconstruction, generation (with its parts) and both.

    Args:
        geometry_report: Of the scene's geometry, whose `seconds` hold what its reconstruction took when it was made;
            a scene from elsewhere says nothing, and reconstruction and total are None.
        generation: Of the frames.
    """
    seconds = geometry_report.get("seconds", {})
    known = "reconstruct_total" in seconds
    reconstruction = seconds["reconstruct_total"] + seconds.get("decode", 0.0) if known else None
    return {
        "reconstruction": reconstruction,
        "generation": generation.total,
        "total": None if reconstruction is None else reconstruction + generation.total,
        "generation_parts": dict(generation.parts),
    }


def describe_time(report: Mapping[str, Any]) -> str:
    """One line of :func:`time_report`."""
    parts = ", ".join(f"{name} {value:.1f}" for name, value in report["generation_parts"].items())
    generation = f"generation {report['generation']:.1f} s ({parts})"
    if report["reconstruction"] is None:
        return generation
    # Those of another day: who has just waited for the video alone would miss them.
    return f"reconstruction, when the scene was made: {report['reconstruction']:.1f} s; {generation}"
