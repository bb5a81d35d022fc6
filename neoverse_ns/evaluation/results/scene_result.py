"""What was found of one scene."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class SceneResult:
    """One scene, one method, one protocol; what is written to disk as soon as it is known.

    Attributes:
        scene: Its name.
        method: Whose answer this is.
        inputs: Names of the frames that were given.
        values: Of every metric, by the names of what it was measured on (frames, or "scene" where it is one number for
            all); a value that is not finite or could not be measured is absent, never 0.
        attempted: How many values each metric would have.
        skipped: Why values are missing, a sentence each, with the names concerned.
        seconds: Of each stage.
        peak_gb: Most memory of the process, in 10^9 bytes; None where the system does not tell.
        report: What the method says of itself: solver, settings, what it doubts.
        failed: Why there is no answer at all; None where there is one.
    """

    scene: str
    method: str
    inputs: list[str] = field(default_factory=list)
    values: dict[str, dict[str, float]] = field(default_factory=dict)
    attempted: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    peak_gb: float | None = None
    report: dict[str, Any] = field(default_factory=dict)
    failed: str | None = None
