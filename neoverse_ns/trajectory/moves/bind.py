"""Rows of moves bound to a clip: what stands behind a move's name, and the `move` form of trajectory files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import warn
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.direct import OwnLength, direct
from neoverse_ns.trajectory.fields import get_count, get_flag, get_number, get_text
from neoverse_ns.trajectory.files import DEFAULT_NUM_FRAMES, LONGEST, read_time
from neoverse_ns.trajectory.moves.registry import DirectedMove, apply_moves, parse_moves, read_moves
from neoverse_ns.trajectory.moves.stage import Stage, Surroundings
from neoverse_ns.trajectory.options import DEFAULT_FPS, TrajectoryOptions
from neoverse_ns.trajectory.trajectory import Trajectory, between, cameras_between, frames_at

_FIELDS = ("name", "description", "num_frames", "zoom_ratio", "use_first_frame", "time", "fps", "move")


@dataclass(frozen=True)
class MoveRow:
    """Moves that act together, and what a trajectory file says beside them.

    Attributes:
        moves: Applied in this order.
        length: Frames, rate and time curve.
        zoom_ratio: Focal length of the last frame over that of the first, times what the moves make of it.
        use_first_frame: Whether a refiner should keep the input's first frame as it is.
    """

    moves: Sequence[DirectedMove]
    length: OwnLength
    zoom_ratio: float = 1.0
    use_first_frame: bool = False

    def bind(
        self,
        cameras: PinholeCameras,
        times: Float[Tensor, " m"],
        options: TrajectoryOptions | None = None,
        clip: ClipFrames | None = None,
        surroundings: Surroundings | None = None,
    ) -> Trajectory:
        """Move the clip's camera.

        Args:
            cameras: The clip's.
            times: Their normalised times.
            options: What is asked for on top; what it says of length, rate, time and zoom goes first.
            clip: When the clip's frames were taken; needed where time is directed.
            surroundings: The scene, for what is picked or found in it.

        Raises:
            SettingsError: A move cannot be done in this scene, or the time curve not be read.
        """
        options = options or TrajectoryOptions()
        direction = direct(self.length, options, times, clip)
        count = direction.count or self.length.count
        at = torch.linspace(0, len(cameras) - 1, count, dtype=torch.float64)
        moments = between(times.double(), at) if direction.moments is None else direction.moments
        if options.follow == "time":
            at = frames_at(times, moments)
        seconds = torch.arange(count, dtype=torch.float64) / (direction.fps or DEFAULT_FPS)
        stage = Stage(cameras_between(cameras, at), moments, seconds, cameras, times, surroundings)
        made = apply_moves(self.moves, stage)
        moved = Trajectory(made.base, moments, self.use_first_frame, direction.fps, made.subject)
        zoom = self.zoom_ratio if options.zoom is None else options.zoom
        return moved.zoomed(torch.linspace(1, zoom, count, dtype=torch.float64))


def named_row(text: str) -> MoveRow:
    """What a user typed; see :func:`neoverse_ns.trajectory.moves.registry.parse_moves`."""
    return MoveRow(parse_moves(text), OwnLength(DEFAULT_NUM_FRAMES, firm=False))


def parse_row(document: dict[str, Any]) -> MoveRow:
    """Read a trajectory file that has `move` where others have `keyframes` or `trajectory`; it has no `mode`.

    Raises:
        SettingsError: A field is wrong; the message names it.
    """
    unknown = sorted(set(document) - set(_FIELDS))
    if unknown:
        warn(f"trajectory fields without a meaning are ignored: {', '.join(unknown)}")
    for field in ("name", "description"):
        get_text(document.get(field, ""), field)
    count = get_count(document.get("num_frames", DEFAULT_NUM_FRAMES), "num_frames", 1, LONGEST)
    fps = None if document.get("fps") is None else get_number(document["fps"], "fps", above=0.0)
    length = OwnLength(count, fps, read_time(document.get("time")), firm="num_frames" in document)
    return replace(
        MoveRow(read_moves(document["move"]), length),
        zoom_ratio=get_number(document.get("zoom_ratio", 1.0), "zoom_ratio", above=0.0),
        use_first_frame=get_flag(document.get("use_first_frame", False), "use_first_frame"),
    )
