"""What following points can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import SettingsError

Anchor = Literal["video", "training", "scene"]


@dataclass
class TrackConfig:
    """How points are followed."""

    anchor: Anchor = "video"
    """What the places of moving points are measured on: all frames of the clip; its training frames alone, so that
    places in held-out frames are those of the scene's motion between them; or no frame at all, only the scene's own
    motion."""
    tolerance: float = 0.1
    """How much nearer than a point something must be drawn to hide it, as a share of the point's depth."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if self.anchor not in ("video", "training", "scene"):
            raise SettingsError(f"anchor must be video, training or scene, got {self.anchor!r}")
        if not 0 < self.tolerance < 1:
            raise SettingsError(f"tolerance must lie in (0, 1), got {self.tolerance}")
