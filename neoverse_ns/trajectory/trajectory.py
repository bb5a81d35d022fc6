"""`Trajectory`: where and when a new video looks at the scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import interpolate_c2w
from neoverse_ns.trajectory.moves.subject import PointPath

Keep = Literal["vertical", "horizontal", "all"]


@dataclass(frozen=True)
class Trajectory:
    """Cameras of the frames to be rendered, and the moments they show: everything that drawing them needs.

    Attributes:
        cameras: One per frame, in the world of the clip's first camera; zoom is in their intrinsics.
        times: Normalised time of the scene at every frame; 0 is the clip's first frame, 1 its last.
        first_frame: Whether the path wants the input's first frame kept as it is.
        fps: Frames per second it was made for; None where it does not say.
        subject: What the camera circles or keeps in view, where a move has such a thing; drawing does not need it.
    """

    cameras: PinholeCameras
    times: Float[Tensor, " n"]
    first_frame: bool = False
    fps: float | None = None
    subject: PointPath | None = None

    def __post_init__(self) -> None:
        if len(self.times) != len(self.cameras):
            raise SettingsError(
                f"a trajectory of {len(self.cameras)} cameras needs as many times, got {len(self.times)}"
            )

    def __repr__(self) -> str:
        size, rate = f"{self.cameras.width}x{self.cameras.height}", "" if self.fps is None else f", {self.fps:g} fps"
        span = "" if len(self) == 0 else f", times {float(self.times[0]):.3g} to {float(self.times[-1]):.3g}"
        return f"Trajectory({len(self)} frames of {size}{span}{rate})"

    def __len__(self) -> int:
        return len(self.cameras)

    def __getitem__(self, frames: slice | Tensor | list[int]) -> Trajectory:
        return replace(self, cameras=self.cameras[frames], times=self.times[frames])

    @property
    def c2w(self) -> Float[Tensor, "n 4 4"]:
        """Camera-to-world, OpenCV axes."""
        return self.cameras.c2w

    @property
    def K(self) -> Float[Tensor, "n 3 3"]:
        """Intrinsics in pixels of the cameras' size."""
        return self.cameras.K

    def resized(self, width: int, height: int, keep: Keep = "vertical") -> Trajectory:
        """The same views at another size; pixels keep their shape, and more or less is seen where the aspect differs.

        Args:
            width: Pixels.
            height: Pixels.
            keep: Which angle of view stays as it is; `all` keeps what was in view in view, whatever comes in beside it.

        Raises:
            SettingsError: A side is below 1.
        """
        if width < 1 or height < 1:
            raise SettingsError(f"a picture needs sides of at least 1 pixel, got {width}x{height}")
        old = self.cameras
        if (width, height) == (old.width, old.height):
            return self
        scales = {"vertical": height / old.height, "horizontal": width / old.width}
        scale = min(scales.values()) if keep == "all" else scales[keep]
        K = old.K.clone()
        K[:, :2] *= scale
        K[:, 0, 2] += 0.5 * (width - scale * old.width)
        K[:, 1, 2] += 0.5 * (height - scale * old.height)
        return replace(self, cameras=PinholeCameras(old.c2w, K, width, height))

    def zoomed(self, factor: Float[Tensor, " n"]) -> Trajectory:
        """Focal lengths times `factor`, frame by frame; the principal point stays."""
        return replace(self, cameras=replace(self.cameras, K=zoom(self.K, factor)))

    def resampled(self, count: int | None) -> Trajectory:
        """The same motion in `count` frames, played faster or slower; None leaves it as it is."""
        if count is None or count == len(self):
            return self
        return self.at(torch.linspace(0, len(self) - 1, count, dtype=torch.float64))

    def at(self, positions: Float[Tensor, " m"]) -> Trajectory:
        """The path at positions between its frames, which are counted from 0; beyond the ends it stands still."""
        times = between(self.times.double(), positions)
        return replace(self, cameras=cameras_between(self.cameras, positions), times=times)


def zoom(K: Float[Tensor, "n 3 3"], factor: Float[Tensor, " n"]) -> Float[Tensor, "n 3 3"]:
    """Camera matrices with focal lengths times `factor`, each about its own principal point."""
    zoomed = K.clone()
    zoomed[:, 0, 0] *= factor.to(K)
    zoomed[:, 1, 1] *= factor.to(K)
    return zoomed


def cameras_between(cameras: PinholeCameras, at: Float[Tensor, " m"]) -> PinholeCameras:
    """Cameras at fractional positions, in float64; intrinsics change linearly between neighbours.

    Args:
        cameras: At positions 0 .. n-1.
        at: Positions wanted; those beyond the ends give the camera there.
    """
    c2w = interpolate_c2w(cameras.c2w.to(torch.float64), at)
    return PinholeCameras(c2w, between(cameras.K.to(torch.float64), at), cameras.width, cameras.height)


def between(values: Float64[Tensor, "n *shape"], at: Float[Tensor, " m"]) -> Float64[Tensor, "m *shape"]:
    """Values at fractional positions: on straight lines, and those at the ends beyond them."""
    last = len(values) - 1
    at = at.to(values).clamp(0, last)
    before = at.floor().long().clamp(max=max(last - 1, 0))
    after = (before + 1).clamp(max=last)
    share = (at - before).reshape(-1, *[1] * (values.ndim - 1))
    return torch.lerp(values[before], values[after], share)


def frames_at(times: Float[Tensor, " n"], moments: Float[Tensor, " m"]) -> Float64[Tensor, " m"]:
    """Fractional positions among the clip's frames at which it shows `moments`; the end where they lie outside.

    Args:
        times: Of the clip's frames, ascending.
        moments: Times of the same kind.
    """
    if len(times) < 2:
        return torch.zeros(len(moments), dtype=torch.float64)
    knots, moments = times.double(), moments.double()
    before = (torch.searchsorted(knots, moments, right=True) - 1).clamp(0, len(knots) - 2)
    gap = (knots[before + 1] - knots[before]).clamp(min=1e-12)
    return before + ((moments - knots[before]) / gap).clamp(0, 1)


def spread_times(count: int) -> Float[Tensor, " {count}"]:
    """Normalised times that play the whole clip once: evenly from 0 to 1."""
    return torch.linspace(0, 1, count, dtype=torch.float64)
