"""Drawing a scene along a trajectory into files, one frame in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.console import Steps, progress
from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.rasterize.along import ViewAlong, views_along
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.render.depth import DepthKind, DepthWriter, coloured_depth, depth_arrays, depth_folder, depth_range
from neoverse_ns.render.pictures import beside, colours, opacity, surface_depth, width_beside
from neoverse_ns.render.writers import PictureWriter, check_place, open_writer
from neoverse_ns.trajectory.options import DEFAULT_FPS
from neoverse_ns.trajectory.trajectory import Trajectory

_GLANCES = 5
"""Frames that decide on the colours of depth, which must not change from frame to frame."""


@dataclass(frozen=True)
class InputFrames:
    """The clip, to stand beside what is drawn.

    Attributes:
        frames: RGB in [0, 255].
        times: Normalised, ascending.
    """

    frames: UInt8[Tensor, "m gh gw 3"]
    times: Float[Tensor, " m"]

    def at(self, time: float) -> UInt8[Tensor, "gh gw 3"]:
        """The frame nearest to a time."""
        return self.frames[int((self.times - time).abs().argmin())]


@dataclass(frozen=True)
class FilmOptions:
    """What is written beside the colours, and how.

    Attributes:
        depth: Depth as numbers, too (NAME_depth.npz, or 16-bit PNGs in the folder NAME_depth), and as a picture.
        alpha: The surfaces' opacity.
        side_by_side: The input's frame of the same time stands to the left of every frame.
        lossless: Videos keep every value.
        crf: Quality of videos that do not.
    """

    depth: DepthKind | None = None
    alpha: bool = False
    side_by_side: bool = False
    lossless: bool = False
    crf: int = 16

    def validate(self) -> None:
        """Raise SettingsError where the quality is out of range."""
        if not 0 <= self.crf <= 51:
            raise SettingsError(f"crf must lie between 0 (best) and 51, got {self.crf}")


@dataclass(frozen=True)
class FilmFiles:
    """Names of what is written.

    Attributes:
        colours: The video, or the folder of frames.
        depth: Depth as numbers.
        depth_picture: Depth to look at.
        alpha: Opacity.
    """

    colours: Path
    depth: Path | None
    depth_picture: Path | None
    alpha: Path | None

    @staticmethod
    def of(output: Path, options: FilmOptions) -> FilmFiles:
        """Beside `output`, called after it."""

        def called(ending: str) -> Path:
            return output.with_name(f"{output.stem}{ending}")

        suffix = output.suffix
        numbers = {"npz": called("_depth.npz"), "png": called("_depth"), None: None}[options.depth]
        picture = called(f"_depth_picture{suffix}") if options.depth else None
        return FilmFiles(output, numbers, picture, called(f"_alpha{suffix}") if options.alpha else None)

    def all(self) -> list[Path]:
        """Every one that is written."""
        return [path for path in (self.colours, self.depth, self.depth_picture, self.alpha) if path is not None]

    def check(self) -> None:
        """Make sure that they can be written.

        Raises:
            SettingsError, RunError: See :func:`neoverse_ns.render.writers.check_place`.
        """
        for path in self.all():
            if path.suffix != ".npz":
                check_place(path)


def film(
    gaussians: LayeredGaussians,
    trajectory: Trajectory,
    output: Path,
    options: FilmOptions | None = None,
    background: Float[Tensor, "3"] | None = None,
    clip: InputFrames | None = None,
    draw_options: DrawOptions | None = None,
    watch: Callable[[ViewAlong], None] | None = None,
) -> FilmFiles:
    """Draw every frame of a trajectory and write it, with a progress bar.

    Args:
        gaussians: The scene.
        trajectory: Cameras and times, at the size wanted.
        output: A video, or a folder of PNGs where the name has no ending.
        options: See :class:`FilmOptions`.
        background: Colour behind the scene, RGB in [0, 1]; None is black.
        clip: The input, where it shall stand beside.
        draw_options: How the scene is drawn.
        watch: Called with every frame once it is drawn.

    Raises:
        SettingsError: There is no frame, no input to stand beside, or an option is out of range.
        RunError: Something cannot be written.
    """
    options = options or FilmOptions()
    options.validate()
    if len(trajectory) == 0:
        raise SettingsError("the trajectory holds no frame; give it at least one")
    if options.side_by_side and clip is None:
        raise SettingsError("there is no input to stand beside what is drawn")
    files = FilmFiles.of(output, options)
    files.check()
    cameras, times = trajectory.cameras, trajectory.times.clamp(0, 1)
    left = clip if options.side_by_side else None
    aside = 0 if left is None else width_beside(left.frames.shape[2], left.frames.shape[1], cameras.height)
    background = torch.zeros(3) if background is None else background
    near, far = _depth_colours(gaussians, trajectory, draw_options) if options.depth else (1.0, 2.0)
    with _opened(files, trajectory, options, aside) as writers:
        for view, time in zip(views_along(gaussians, cameras, times, draw_options), times.tolist(), strict=True):
            picture = colours(view, background)
            writers.colours.add(picture if left is None else beside(left.at(time), picture, aside))
            if writers.alpha is not None:
                writers.alpha.add(opacity(view))
            if writers.depth is not None and writers.depth_picture is not None:
                depth = surface_depth(view)
                writers.depth.add(depth)
                writers.depth_picture.add(coloured_depth(depth, near, far))
            if watch is not None:
                watch(view)
            writers.steps.advance()
    return files


@dataclass(frozen=True)
class _Writers:
    """What takes the frames, under the names that :class:`FilmFiles` has for it."""

    colours: PictureWriter
    depth: DepthWriter | None
    depth_picture: PictureWriter | None
    alpha: PictureWriter | None
    steps: Steps


@contextmanager
def _opened(files: FilmFiles, trajectory: Trajectory, options: FilmOptions, aside: int) -> Iterator[_Writers]:
    """All writers of a film, and its progress bar.

    Args:
        files: What they write.
        trajectory: What is filmed.
        options: How they write.
        aside: Pixels beside every picture of the colours.
    """
    cameras, fps = trajectory.cameras, trajectory.fps or DEFAULT_FPS
    with ExitStack() as stack:

        def opened(path: Path, width: int = cameras.width) -> PictureWriter:
            return stack.enter_context(open_writer(path, width, cameras.height, fps, options.lossless, options.crf))

        # Names appear in the reverse order: the colours last, when all else is there.
        pictures = opened(files.colours, cameras.width + aside)
        shown = None if files.depth_picture is None else opened(files.depth_picture)
        alpha = None if files.alpha is None else opened(files.alpha)
        numbers = None
        if files.depth is not None:
            keep = depth_arrays if options.depth == "npz" else depth_folder
            numbers = stack.enter_context(keep(files.depth, trajectory.times.clamp(0, 1), fps))
        steps = stack.enter_context(progress(f"drawing {len(cameras)} frames", len(cameras)))
        yield _Writers(pictures, numbers, shown, alpha, steps)


def _depth_colours(
    gaussians: LayeredGaussians, trajectory: Trajectory, options: DrawOptions | None
) -> tuple[float, float]:
    """Depths coloured as nearest and farthest, from a few small pictures of the path."""
    chosen = torch.linspace(0, len(trajectory) - 1, min(len(trajectory), _GLANCES)).round().long()
    cameras = trajectory.cameras
    scale = min(1.0, 128 / max(cameras.width, cameras.height))
    glance = trajectory[chosen].resized(max(round(scale * cameras.width), 1), max(round(scale * cameras.height), 1))
    views = views_along(gaussians, glance.cameras, glance.times.clamp(0, 1), options)
    return depth_range(torch.cat([surface_depth(view) for view in views]))
