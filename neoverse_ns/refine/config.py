"""Settings of the generation stage."""

from __future__ import annotations

from dataclasses import dataclass

from neoverse_ns.refine.base import DEFAULT_PROMPT


@dataclass
class RefineConfig:
    """How drawings become finished frames."""

    refiner: str = "none"
    """Which refiner runs; `none` leaves frames as the Gaussians show them."""
    prompt: str = DEFAULT_PROMPT
    """What the video shows, in words; refiners without language ignore it."""
    seed: int = 0
    """Of everything random."""
