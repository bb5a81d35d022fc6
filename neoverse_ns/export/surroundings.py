"""`SceneSurroundings`: what moves ask of a scene, answered from its Gaussians and its geometry."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.layers import LAYERS, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.rasterize.drawing import Drawing, DrawOptions
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.trajectory.moves.follow import follow_point
from neoverse_ns.trajectory.moves.subject import PointPath

COVERED = 0.5
"""Opacity of the surfaces from which on a pixel shows one."""
NOTICED = 0.002
"""Share of a keyframe's pixels from which on something that moves counts there."""
_AROUND = 2
"""Pixels to each side of a picked one of which the median depth is taken."""


@dataclass(frozen=True)
class SceneSurroundings:
    """A scene with the clip's cameras, all in one world.

    Attributes:
        gaussians: All layers.
        cameras: One per sampled frame.
        times: Their normalised times, ascending.
        geometry: Depth, moving pixels and things of the keyframes; None where only Gaussians are known.
        options: How the scene is drawn.
    """

    gaussians: LayeredGaussians
    cameras: PinholeCameras
    times: Float[Tensor, " n"]
    geometry: SceneGeometry | None = None
    options: DrawOptions = field(default_factory=DrawOptions)

    def at_pixel(self, x: float, y: float, frame: int) -> PointPath:
        """The point that a pixel of a sampled frame shows, followed through the clip.

        Raises:
            SettingsError: There is no such frame or pixel, or it shows no surface.
        """
        self._check_frame(frame)
        width, height = self.cameras.width, self.cameras.height
        if not (0 <= x < width and 0 <= y < height):
            raise SettingsError(f"pixel {x:g},{y:g} lies outside the frames' {width}x{height}")
        drawing = self._surfaces(frame)
        near = _window(drawing.alpha[0, ..., 0] >= COVERED, x, y)
        depth = _window(drawing.depth[0, ..., 0], x, y)[near]
        if len(depth) == 0:
            raise SettingsError(f"pixel {x:g},{y:g} of frame {frame} shows no surface: pick another")
        ray = torch.tensor([x, y, 1.0], dtype=torch.float64) @ torch.linalg.inv(self.cameras.K[frame].double()).T
        c2w = self.cameras.c2w[frame].double()
        point = c2w[:3, :3] @ (ray * float(depth.median())) + c2w[:3, 3]
        times = self.times.to(torch.float64)
        return PointPath(times, follow_point(self.gaussians.frames, point, float(times[frame]), times))

    def thing(self, number: int) -> PointPath:
        """The middle of a moving thing, by its number from 1.

        Raises:
            SettingsError: There is no such thing.
        """
        things = None if self.geometry is None else self.geometry.things
        if things is None:
            raise SettingsError("moving things were not told apart in this scene: pick one by a pixel instead")
        path = self._path(things == number) if number > 0 else None
        if path is None:
            found = ", ".join(str(n) for n in torch.unique(things).tolist() if n > 0) or "none"
            raise SettingsError(f"there is no moving thing {number} in this scene; there are: {found}")
        return path

    def mover(self) -> PointPath | None:
        """The middle of the thing that covers most of the keyframes; None where nothing moves."""
        geometry = self.geometry
        if geometry is None:
            return None
        if geometry.things is None:
            return self._path(geometry.dynamic)
        counts = torch.bincount(geometry.things.reshape(-1).long())
        counts[:1] = 0
        return self._path(geometry.things == int(counts.argmax())) if int(counts.sum()) > 0 else None

    def median_depth(self, frame: int) -> float:
        """Of the surfaces that a sampled frame's camera sees; 1, the world's unit, where there are none."""
        self._check_frame(frame)
        drawing = self._surfaces(frame)
        depth = drawing.depth[drawing.alpha >= COVERED]
        return float(depth.median()) if len(depth) else 1.0

    def _path(self, masks: Bool[Tensor, "k h w"]) -> PointPath | None:
        """The middle of the pixels chosen, at the keyframes that show enough of them."""
        assert self.geometry is not None
        times, points = [], []
        for keyframe, depth, mask in zip(self.geometry.keyframes, self.geometry.depth, masks, strict=True):
            if float(mask.float().mean()) < NOTICED:
                continue
            times.append(float(self.times[keyframe]))
            points.append(_middle(unproject(depth, self.cameras.K[keyframe], self.cameras.c2w[keyframe])[mask]))
        if not times:
            return None
        return PointPath(torch.tensor(times, dtype=torch.float64), torch.stack(points))

    @torch.no_grad()
    def _surfaces(self, frame: int) -> Drawing:
        """What a sampled frame's camera sees of them."""
        gaussians = self.gaussians.without(*(name for name in self.gaussians if not LAYERS[name].is_surface))
        camera = self.cameras[[frame]]
        size = camera.width, camera.height
        like = gaussians.frames.means
        view = camera.viewmats.to(like), camera.K.to(like)
        return draw_layers(gaussians, float(self.times[frame]), *view, *size, self.options).cpu()

    def _check_frame(self, frame: int) -> None:
        if not 0 <= frame < len(self.cameras):
            raise SettingsError(f"there is no sampled frame {frame}: they are 0 to {len(self.cameras) - 1}")


def _middle(points: Float[Tensor, "m 3"]) -> Float64[Tensor, "3"]:
    """Per axis half way between what lies 10 % from either side: the outline's middle, whatever its parts' sizes."""
    low, high = torch.quantile(points.to(torch.float64), torch.tensor([0.1, 0.9], dtype=torch.float64), dim=0)
    return 0.5 * (low + high)


def _window(values: Tensor, x: float, y: float) -> Tensor:
    row, column = int(y), int(x)
    rows = slice(max(row - _AROUND, 0), row + _AROUND + 1)
    return values[rows, max(column - _AROUND, 0) : column + _AROUND + 1]
