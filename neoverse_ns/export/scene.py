"""What exporters take: a scene with the clip's cameras, whether just reconstructed or from a finished run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.errors import RunError
from neoverse_ns.export.instant import flat_instant, rows_of
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.surroundings import SceneSurroundings
from neoverse_ns.export.thinning import most_worth, worth
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.reconstruct.base import network_unit
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.trajectory.trajectory import Trajectory


@dataclass(frozen=True)
class ExportScene:
    """A scene in this package's world: OpenCV axes, the first camera at the origin.

    Attributes:
        gaussians: All layers.
        cameras: One per sampled frame, refined where they were.
        times: Normalised time per frame, ascending.
        seconds: Time of every frame in the source.
        options: How the scene is drawn.
        source: What it was made from: frames, depth, moving pixels. None where only Gaussians are known.
    """

    gaussians: LayeredGaussians
    cameras: PinholeCameras
    times: Float[Tensor, " n"]
    seconds: Float64[Tensor, " n"]
    options: DrawOptions = field(default_factory=DrawOptions)
    source: Scene | None = None

    def __repr__(self) -> str:
        about = "" if self.source is None else f"{self.title}: "
        return f"ExportScene({about}{self.cameras!r}, {self.gaussians!r})"

    @classmethod
    def of(cls, scene: Scene, options: DrawOptions | None = None) -> ExportScene:
        """A scene that was just made.

        Raises:
            RunError: It was loaded without Gaussians.
        """
        if scene.gaussians is None:
            raise RunError("this scene was loaded without Gaussians: load the run that it belongs to instead")
        clip, cameras = scene.clip, scene.geometry.cameras
        return cls(scene.gaussians, cameras, clip.times, clip.seconds, options or DrawOptions(), scene)

    @property
    def network_unit(self) -> float | None:
        """See :func:`neoverse_ns.reconstruct.base.network_unit`."""
        return None if self.source is None else network_unit(self.source.geometry.report)

    def instant(self, time: float, most: int | None = None, quick: bool = False) -> GaussiansAtTime:
        """See :func:`neoverse_ns.export.instant.flat_instant`; of more than `most`, those that cover most."""
        camera = camera_at(self.cameras, self.times, time)
        now = flat_instant(self.gaussians, time, camera, self.options, quick)
        if most is None or len(now.index) <= most:
            return now
        distances = (now.means - camera.c2w[0, :3, 3].to(now.means)).norm(dim=-1)
        return rows_of(now, most_worth(worth(now.opacities, now.scales, distances), most))

    def visible_instant(self, time: float, most: int | None = None) -> GaussiansAtTime:
        """The same, for formats that cannot hold nothing.

        Raises:
            RunError: Nothing is visible then.
        """
        now = self.instant(time, most)
        if not len(now.means):
            raise RunError(
                f"no Gaussian is visible at time {time:.3g}, and this format cannot be empty: choose another time"
            )
        return now

    def instants(self, options: ExportOptions, doing: str) -> Iterator[tuple[float, GaussiansAtTime]]:
        """Every instant asked for with its normalised time, one after the other and with a progress bar.

        Args:
            options: Which instants, and how many Gaussians each.
            doing: For the bar, as a short phrase.

        Raises:
            SettingsError: There are no such instants.
        """
        times = options.instants(self.times, self.seconds)
        with progress(doing, len(times)) as steps:
            for time in times:
                yield time, self.instant(time, options.max_gaussians, quick=True)
                steps.advance()

    @property
    def title(self) -> str:
        """The clip's name, for people."""
        return "A 4D scene" if self.source is None else self.source.clip.source.stem

    @property
    def surroundings(self) -> SceneSurroundings:
        """What camera moves may ask of it."""
        geometry = None if self.source is None else self.source.geometry
        return SceneSurroundings(self.gaussians, self.cameras, self.times, geometry, self.options)

    @property
    def frame_rate(self) -> float | None:
        """Sampled frames per second, on average; None for a single image."""
        span = float(self.seconds[-1] - self.seconds[0])
        return (len(self.seconds) - 1) / span if span > 0 else None

    @property
    def as_filmed(self) -> Trajectory:
        """The clip's own cameras and times, at its mean rate."""
        return Trajectory(self.cameras, self.times, fps=self.frame_rate)

    def second_at(self, time: float) -> float:
        """Second of the source at a normalised time."""
        return float(np.interp(time, self.times.double().numpy(), self.seconds.numpy()))
