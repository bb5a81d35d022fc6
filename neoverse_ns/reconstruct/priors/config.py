"""Which files hold what is known about a clip, and how they are matched to its frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neoverse_ns.errors import SettingsError

Match = Literal["auto", "name", "number", "order"]


@dataclass
class PriorsConfig:
    """Known poses, intrinsics and depth. All that is given must cover every sampled frame of the clip."""

    cameras: Path | None = None
    """Poses and intrinsics: a `transforms.json` as nerfstudio and COLMAP converters write it (OpenGL axes), or the
    `cameras.json` of `ns-neoverse reconstruct` (OpenCV axes). The bundle leaves poses, and the lens where it is told,
    as they are; the network is told them."""
    use_poses: bool = True
    """Take the poses of `cameras`."""
    use_intrinsics: bool = True
    """Take the focal lengths and principal points of `cameras`, where it has any."""
    depth: Path | None = None
    """Folder of depth along the optical axis, a file per frame: `.npy` in any unit, or 16-bit `.png`. Zero and values
    that are not finite mean unknown; the resolution may differ from the clip's."""
    depth_unit: float = 0.001
    """Depth that one step of a 16-bit image stands for; only proportions between the frames' depths matter."""
    match: Match = "auto"
    """How files belong to frames: by `name` (the images' own, without ending), by the last `number` in the name, which
    counts the source's frames, or in `order`, one for each sampled frame; `auto` tries names, then numbers."""
    first_number: int = 0
    """Number that stands for the source's first frame; many tools begin at 1."""

    @property
    def any(self) -> bool:
        """Whether anything is given."""
        return self.depth is not None or (self.cameras is not None and (self.use_poses or self.use_intrinsics))

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if not (math.isfinite(self.depth_unit) and self.depth_unit > 0):
            raise SettingsError(f"priors.depth_unit must be a finite number above 0, got {self.depth_unit}")
        if self.first_number < 0:
            raise SettingsError(f"priors.first_number must be 0 or more, got {self.first_number}")

    def files(self) -> list[Path]:
        """Files and folders whose content decides the result."""
        cameras = self.cameras if self.use_poses or self.use_intrinsics else None
        return [path for path in (cameras, self.depth) if path is not None]
