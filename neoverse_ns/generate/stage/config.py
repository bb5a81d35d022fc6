"""Settings of the refinement stage."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from neoverse_ns.errors import SettingsError
from neoverse_ns.flags import flag
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.registry import REFINERS
from neoverse_ns.trajectory.presets import MOVES, MoveSize

OTHER = ("folder", "at_steps", "further_steps", "share", "weight", "keep_weight", "hole_opacity", "max_inpainted")
"""Fields that do not change the views, only where they are kept and how they train the scene."""


@dataclass
class StageConfig(RefinerConfig):
    """Views beside the input path are drawn, refined, and added as training views, so that what the clip never showed
    is filled in, and what looks wrong from aside is put right."""

    refiner: Annotated[str, flag(name="name")] = "none"
    """Who refines: `none` leaves the stage out; `internal` learns from the clip itself; `telea` fills holes from their
    rims; `wan` is the released video model and needs its weights and a GPU."""
    at_steps: tuple[int, ...] = ()
    """Steps before which a round of views is made, each round taking the place of the one before; by default one round
    when photometric optimisation is over, that is after --max-num-iterations steps."""
    further_steps: int = 200
    """Steps that follow the last round, on top of --max-num-iterations where that is over by then."""
    moves: tuple[str, ...] = ("move_left", "move_right", "boom_up", "orbit_left", "orbit_right")
    """Where the new views stand beside the training cameras: names of camera moves, of which the end pose is taken."""
    distance: float = 0.08
    """Length of straight moves, in units of the scene's median depth."""
    angle: float = 5.0
    """Degrees of turns and orbits; an orbit's centre lies at the scene's median depth."""
    every: int = 1
    """One in so many training frames gets views of its own."""
    mask_threshold: float = 0.95
    """Opacity below which a pixel needs refinement."""
    share: float = 0.4
    """Share of the steps after a round that take one of its views instead of a frame of the clip."""
    weight: float = 0.5
    """Weight of a refined pixel's loss beside that of a frame's pixel."""
    keep_weight: float = 0.05
    """The same for pixels that did not need refinement, as a share of `weight`: what is right shall stay."""
    hole_opacity: float = 0.5
    """Opacity below which a pixel is a hole, which only new Gaussians can fill; 0 adds none."""
    max_inpainted: int = 200_000
    """Bound on the number of new Gaussians, shared fairly among the moves: beyond it they are fewer and wider."""

    @property
    def enabled(self) -> bool:
        return self.refiner != "none"

    def move_size(self, median_depth: float) -> MoveSize:
        """How far the moves go in a scene of that median depth."""
        return MoveSize(angle=self.angle, distance=self.distance * median_depth, orbit_radius=median_depth)

    def view_settings(self) -> dict[str, Any]:
        """Everything that decides what the views are, given the scene."""
        return {name: value for name, value in asdict(self).items() if name not in OTHER}

    def validate(self) -> None:
        """Raise SettingsError where a value makes no sense."""
        if self.refiner not in REFINERS:
            raise SettingsError(f"unknown refiner '{self.refiner}': choose one of {', '.join(REFINERS)}")
        unknown = [name for name in self.moves if name not in MOVES]
        if unknown or not self.moves:
            found = f"'{unknown[0]}'" if unknown else "none"
            raise SettingsError(f"refiner.moves must be names of camera moves, got {found}: {', '.join(MOVES)}")
        if list(self.at_steps) != sorted(set(self.at_steps)) or any(step < 1 for step in self.at_steps):
            raise SettingsError(f"refiner.at_steps must be ascending positive steps, got {list(self.at_steps)}")
        for name, least in (("further_steps", 0), ("every", 1), ("max_inpainted", 0)):
            if getattr(self, name) < least:
                raise SettingsError(f"refiner.{name} must be at least {least}, got {getattr(self, name)}")
        for name in ("distance", "angle", "weight"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise SettingsError(f"refiner.{name} must be 0 or a positive number, got {value}")
        for name in ("mask_threshold", "keep_weight", "hole_opacity"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise SettingsError(f"refiner.{name} must lie in [0, 1], got {value}")
        if not 0 <= self.share < 1:
            raise SettingsError(
                f"refiner.share must lie in [0, 1): frames of the clip go on training, got {self.share}"
            )
