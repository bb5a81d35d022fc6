"""Settings of the weights-free reconstruction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import SettingsError


@dataclass
class BundleConfig:
    """How cameras, focal length, depth and motion are found from optical flow.

    Lengths in pixels refer to the clip as it was sampled (its own width), focal lengths to its longer side.
    """

    fov_degrees: float | None = None
    """Horizontal field of view of the camera, where it is known; None estimates it from the clip."""
    lens: Literal["auto", "pinhole", "zoom", "radial"] = "auto"
    """What lens the clip was taken with: a straight one, one that zooms meanwhile, or one that bends straight lines,
    whose frames are straightened; "auto" takes one of the latter two where it explains clearly more."""
    gaps: tuple[int, ...] = (1, 2, 4, 8)
    """Distances in frames between which flow is measured; the first must be 1."""
    focal_guesses: tuple[float, ...] = (0.55, 0.9)
    """Focal lengths over the longer side from which the solve starts; the one with the lowest robust cost is kept."""
    focal_prior: float = 0.75
    """Focal length over the longer side that is most plausible before anything is seen (0.75: most phones)."""
    focal_prior_spread: float = 0.4
    """Standard deviation of the prior on the logarithm of the focal length."""
    focal_prior_weight: float = 0.0003
    """Weight of the prior against flow: residual variance in px^2 per confident observation that it may cost.

    A variance of 0.1 px^2 over the few hundred observations of a clip whose errors are independent of each other."""
    coarse_stride: int = 16
    """Spacing in pixels of the points with which focal guesses are compared."""
    coarse_iterations: int = 18
    """Levenberg-Marquardt steps of that comparison."""
    fine_stride: int = 8
    """Spacing in pixels of the points of the final solve."""
    fine_iterations: int = 12
    """Levenberg-Marquardt steps of the final solve."""
    kernel_wide: float = 6.0
    """Width in pixels of the robust kernel at the start, wide enough to pull a rough start in."""
    kernel_narrow: float = 0.4
    """Width in pixels of the robust kernel at the end, narrow enough to ignore what moves on its own."""
    smoothness: float = 0.005
    """Pull of the coarse solve's inverse depths towards their neighbours, relative to the mean pull of the flow.

    The fine solve has none: flattened depth explains the same flow with a focal length several percent too long."""
    flow_noise: float = 1.5
    """Disagreement in pixels between forward and backward flow at which confidence has fallen to 1/e."""
    depth_iterations: int = 12
    """Rounds of the dense depth estimate of the keyframes."""
    depth_smoothness: float = 0.3
    """Weight of edge-aware smoothness of the dense depth against flow."""
    depth_model: str | None = None
    """Depth network of the transformers library, as a folder or as the id of a model in the hub's local cache: decides
    where flow says little, before a camera that shows no parallax, and for what moves. None needs no weights."""
    motion_threshold: float = 3.0
    """Residual of flow against the best depth, in multiples of the typical one, at which motion is as likely as not."""
    no_parallax_inliers: float = 0.7
    """Share of confident flow that a motionless or purely turning camera must explain to be taken for one."""
    overlays: Literal["auto", "none"] = "auto"
    """What never moves in the picture while the rest does (own car, logo, clock, round lens edge, bars) is found and
    left out (`auto`), or taken for part of the world (`none`)."""
    seed: int = 0
    """Seed of the random sampling inside two-view geometry."""

    def validate(self) -> None:
        """Check every setting.

        Raises:
            SettingsError: One is out of range or not finite.
        """
        for name, value in vars(self).items():
            for number in value if isinstance(value, tuple) else (value,):
                if isinstance(number, (int, float)) and not math.isfinite(number):
                    raise SettingsError(f"{name} must be finite, got {number}")
        if self.fov_degrees is not None and not 5 <= self.fov_degrees <= 150:
            raise SettingsError(f"fov_degrees must lie between 5 and 150 (horizontal), got {self.fov_degrees}")
        if not self.gaps or self.gaps[0] != 1 or list(self.gaps) != sorted(set(self.gaps)):
            raise SettingsError(f"gaps must ascend from 1, for instance (1, 2, 4), got {self.gaps}")
        if not self.focal_guesses or min(self.focal_guesses) < 0.2 or max(self.focal_guesses) > 10:
            raise SettingsError(f"focal_guesses must be one or more values from 0.2 to 10, got {self.focal_guesses}")
        at_least = {
            "coarse_stride": 1,
            "fine_stride": 1,
            "coarse_iterations": 1,
            "fine_iterations": 1,
            "depth_iterations": 1,
            "smoothness": 0,
            "depth_smoothness": 0,
            "focal_prior_weight": 0,
            "seed": 0,
        }
        for name, bound in at_least.items():
            if getattr(self, name) < bound:
                raise SettingsError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        for name in ("focal_prior", "focal_prior_spread", "kernel_wide", "kernel_narrow", "flow_noise"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"{name} must be positive, got {getattr(self, name)}")
        if self.motion_threshold <= 0 or not 0 < self.no_parallax_inliers <= 1:
            raise SettingsError("motion_threshold must be positive and no_parallax_inliers lie in (0, 1]")

    @property
    def known_focal(self) -> float | None:
        """Focal length over width that belongs to `fov_degrees`."""
        return None if self.fov_degrees is None else 0.5 / math.tan(math.radians(self.fov_degrees) / 2)


def field_of_view(focal: float) -> float:
    """Horizontal field of view in degrees of a focal length over width; 0 for an infinite one."""
    return math.degrees(2 * math.atan2(0.5, focal)) if math.isfinite(focal) else 0.0
