"""A scene drawn along a trajectory, and the frames finished."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from neoverse_ns.console import warn
from neoverse_ns.errors import RefinementError, SettingsError
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.generate.base import Conditions, ConditionSource, Refiner
from neoverse_ns.generate.conditions.drawn import DrawnConditions
from neoverse_ns.generate.conditions.render import ConditionSettings
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.frame_bytes import bytes_of
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.generate.timing import GenerationSeconds
from neoverse_ns.geometry.se3 import se3_inverse, so3_log
from neoverse_ns.trajectory.options import DEFAULT_FPS
from neoverse_ns.trajectory.trajectory import Trajectory

RELEASED_THRESHOLD, OPEN_THRESHOLD = 1.0, 0.95
"""Opacity that pixels must exceed to be kept: by the released program, and by refiners that keep what was drawn."""
_SAME_SHAPE = 0.02
"""Relative difference of aspect ratios up to which two pictures show the same."""
_SAME_VIEW = 0.01
"""Difference up to which two cameras show the same: radians, median depths, shares of the clip and of focal length."""


@dataclass(frozen=True)
class GeneratedVideo:
    """Finished frames and what they were made from.

    Attributes:
        frames: All of them, on the CPU.
        drawn: What they were made from; a long path's is drawn again where it is asked for.
        fps: Frames per second.
        timing: What the time went into; empty where nobody measured.
    """

    frames: UInt8[Tensor, "n h w 3"]
    drawn: ConditionSource
    fps: float = DEFAULT_FPS
    timing: GenerationSeconds = field(default_factory=GenerationSeconds)

    @cached_property
    def conditions(self) -> Conditions:
        """Of all frames at once: ten times the memory of the frames, and the time of drawing them."""
        return self.drawn[:]


@dataclass(frozen=True)
class FrameStream:
    """Frames that are finished while they are taken, so that a path of any length fits into memory.

    Attributes:
        frames: The next ones in their order, of any number at a time, on the CPU.
        drawn: What they are made from, drawn where it is asked for.
        fps: Frames per second.
        timing: What the time went into; grows while frames are taken.
    """

    frames: Iterator[UInt8[Tensor, "k h w 3"]]
    drawn: DrawnConditions
    fps: float
    timing: GenerationSeconds

    def whole(self) -> GeneratedVideo:
        """All frames at once, taken here; none may have been taken before."""
        drawn = self.drawn
        frames = torch.empty(len(drawn), drawn.height, drawn.width, 3, dtype=torch.uint8)
        done = 0
        for piece in self.frames:
            frames[done : done + len(piece)] = piece
            done += len(piece)
        return GeneratedVideo(frames, drawn, self.fps, self.timing)


def refine_along(
    refiner: Refiner,
    source: SourceScene,
    everything: LayeredGaussians,
    trajectory: Trajectory,
    config: RefinerConfig,
    alpha_threshold: float | None = None,
    first_frame: bool | None = None,
    shown: LayeredGaussians | None = None,
) -> FrameStream:
    """Draw a scene along a trajectory and finish the frames; nothing but checks is done before the first is taken.

    Refiners get what the clip's frames showed; what an earlier stage inpainted they repaint, the far field included.
    Without a refiner the scene is drawn as ns-render draws it.

    Args:
        refiner: The one that `config` names, checked.
        source: What refiners learn from and what they are given, in the trajectory's world.
        everything: All layers, in the same world.
        trajectory: Cameras and times.
        config: Prompt and seed.
        alpha_threshold: Opacity that a pixel must exceed to be kept; None takes the refiner's, :func:`threshold_of`.
        first_frame: Whether frame 0 shall be the input's; None leaves it to the trajectory, and out where nothing is
            refined or it does not fill the picture.
        shown: What refiners are given in the stead of what the clip's frames showed, as with what was invented before.

    Raises:
        SettingsError: An option cannot be used.
        RefinementError: The refiner cannot run here, which may only show when frames are taken.
        RunError: What the refiner learns cannot be kept; likewise.
    """
    plain = config.refiner == "none"
    image = _first_frame(source, trajectory) if _wants_first_frame(source, trajectory, first_frame, plain) else None
    drawn = DrawnConditions(
        everything if plain else source.gaussians if shown is None else shown,
        trajectory,
        ConditionSettings(threshold_of(config.refiner, alpha_threshold), far_field=plain),
        None if image is None else image.to(everything.device),
    )
    timing = GenerationSeconds()
    return FrameStream(_finished(refiner, source, drawn, config, timing), drawn, trajectory.fps or DEFAULT_FPS, timing)


def _finished(
    refiner: Refiner, source: SourceScene, drawn: DrawnConditions, config: RefinerConfig, timing: GenerationSeconds
) -> Iterator[UInt8[Tensor, "k h w 3"]]:
    with timing.counting("learning"):
        refiner.adapt(source, config.seed)
    pieces, done = refiner.stream(drawn, config.prompt, config.seed), 0
    while True:
        with timing.counting("refining"):
            before = drawn.seconds
            piece = next(pieces, None)
            if piece is not None:
                piece = bytes_of(piece, drawn.height, drawn.width)
        timing.move("refining", "drawing", drawn.seconds - before)
        if piece is None:
            break
        done += len(piece)
        if done > len(drawn):
            break
        yield piece
    if done != len(drawn):
        raise RefinementError(f"the refiner gave {done} frames instead of {len(drawn)}")


def threshold_of(refiner: str, asked: float | None = None) -> float:
    """What was asked for, else the release's for the released model, and what is clearly open for all others."""
    return asked if asked is not None else RELEASED_THRESHOLD if refiner == "wan" else OPEN_THRESHOLD


def _wants_first_frame(source: SourceScene, trajectory: Trajectory, asked: bool | None, plain: bool) -> bool:
    """What was asked for; else what the trajectory says, where the frames are refined and the picture fits."""
    if asked is not None:
        return asked
    if plain or not trajectory.first_frame:
        return False
    if not _same_shape(source, trajectory):
        warn("the clip's first frame is left out: the pictures are of another shape")
        return False
    return True


def _same_shape(source: SourceScene, trajectory: Trajectory) -> bool:
    own, cameras = source.cameras, trajectory.cameras
    return abs(cameras.width * own.height / (cameras.height * own.width) - 1) <= _SAME_SHAPE


def _first_frame(source: SourceScene, trajectory: Trajectory) -> Float[Tensor, "gh gw 3"]:
    """The clip's first frame in [0, 1] at the size drawn.

    Raises:
        SettingsError: The path begins at another camera or moment, or the pictures are of another shape, which that
            frame cannot fill.
    """
    _check_start(source, trajectory)
    height, width = trajectory.cameras.height, trajectory.cameras.width
    image = source.frames[0].float() / 255
    if (height, width) == tuple(image.shape[:2]):
        return image
    if not _same_shape(source, trajectory):
        raise SettingsError(
            f"the clip's first frame of {image.shape[1]}x{image.shape[0]} pixels does not fill {width}x{height}: leave "
            "it out (--first-frame False), or keep the clip's shape"
        )
    planes = image.permute(2, 0, 1)[None]
    resized = functional.interpolate(planes, (height, width), mode="bicubic", antialias=True, align_corners=False)
    return resized[0].permute(1, 2, 0).clamp(0, 1)


def _check_start(source: SourceScene, trajectory: Trajectory) -> None:
    """Let paths pass that begin where the clip does: elsewhere its first frame would be a picture of something else."""
    own, begin = source.cameras[:1], trajectory[:1]
    there = se3_inverse(own.c2w[0].double().cpu()) @ begin.c2w[0].double().cpu()
    off = {
        "place": float(there[:3, 3].norm()),
        "direction": float(so3_log(there[:3, :3]).norm()),
        "moment": abs(float(begin.times[0]) - float(source.times[0])),
        "angle of view": abs(float(begin.K[0, 1, 1] / begin.cameras.height / own.K[0, 1, 1] * own.height) - 1),
    }
    wrong = [name for name, value in off.items() if value > _SAME_VIEW]
    if wrong:
        raise SettingsError(
            f"the path begins at another {' and '.join(wrong)} than the clip, whose first frame does not belong there: "
            "leave it out (--first-frame False)"
        )
