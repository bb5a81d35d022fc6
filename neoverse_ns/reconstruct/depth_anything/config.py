"""Settings of the reconstruction with Depth Anything 3."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import SettingsError

PATCH = 14
"""Side in pixels of the network's patches: it works on multiples of it."""


@dataclass
class DepthAnythingConfig:
    """How Depth Anything 3 finds cameras and depth, and how motion is found beside it.

    Lin et al., "Depth Anything 3: Recovering the Visual Space from Any Views", 2025. The network comes from its own
    package, which is not installed by default.
    """

    model: str = "depth-anything/DA3-BASE"
    """Id of the weights on the Hugging Face hub, or a folder with their config.json and model.safetensors. DA3-SMALL
    and DA3-BASE are licensed Apache 2.0; DA3-LARGE, DA3-GIANT and the nested ones CC BY-NC 4.0, not for commercial
    use."""
    revision: str | None = None
    """Branch, tag or commit of the weights on the hub; None takes the newest."""
    download: bool = False
    """Whether weights that are not in the hub's local cache may be downloaded (0.5 GB for DA3-BASE)."""
    device: str | None = None
    """Where the network runs, such as `cuda:1` or `cpu`; None takes a CUDA device where there is one."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Precision of the network's backbone; its heads always use float32. `auto` takes float32 on a CPU, elsewhere
    bfloat16 where the device has it, else float16."""
    process_resolution: int = 504
    """Longer side in pixels at which the network looks at the frames; each side becomes the nearest multiple of 14."""
    window: int = 64
    """Frames that go through the network at once; memory grows with them, time with their square. Longer clips are
    cut into windows that overlap, which are joined by what both have seen."""
    overlap: int = 12
    """Frames that neighbouring windows share at least."""
    ray_pose: bool = False
    """Take cameras from the network's ray maps in place of its camera head: slower, and by its authors' measurements
    often more accurate."""
    gaps: tuple[int, ...] = (1, 2, 4)
    """Distances in training frames between which flow is measured, to find what moves; the first must be 1."""
    flow_noise: float = 1.5
    """Disagreement in pixels between forward and backward flow at which confidence has fallen to 1/e."""
    motion_threshold: float = 3.0
    """Residual of flow against cameras and depth, in multiples of the typical one, at which motion is as likely as
    not."""
    depth_error: float = 0.05
    """Relative error to expect of the network's depth: flow that a change of depth by so much explains is no motion."""
    seed: int = 0
    """Seed of what is random in the network's package (the ray maps' cameras)."""

    def validate(self) -> None:
        """Check every setting.

        Raises:
            SettingsError: One is out of range or not finite.
        """
        if not self.model:
            raise SettingsError("da3.model must name weights on the hub, such as depth-anything/DA3-BASE, or a folder")
        if self.process_resolution < 4 * PATCH:
            raise SettingsError(
                f"da3.process_resolution must be at least {4 * PATCH} pixels, got {self.process_resolution}"
            )
        if self.window < 2 or not 1 <= self.overlap < self.window:
            raise SettingsError(
                "da3.window must be at least 2 frames and da3.overlap lie from 1 to one less than it, "
                f"got {self.window} and {self.overlap}"
            )
        if not self.gaps or self.gaps[0] != 1 or list(self.gaps) != sorted(set(self.gaps)):
            raise SettingsError(f"da3.gaps must ascend from 1, for instance (1, 2, 4), got {self.gaps}")
        for name in ("flow_noise", "motion_threshold", "depth_error"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise SettingsError(f"da3.{name} must be positive and finite, got {value}")
        if self.seed < 0:
            raise SettingsError(f"da3.seed must be at least 0, got {self.seed}")
