"""Where the camera goes while time stands still."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.applications.bullet_time.config import BulletTimeConfig
from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.choose import choose_trajectory
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.moves.registry import ALL_MOVES, is_directed
from neoverse_ns.trajectory.options import DEFAULT_FPS, TrajectoryOptions
from neoverse_ns.trajectory.time_curve import frame_count
from neoverse_ns.trajectory.trajectory import Trajectory, cameras_between, frames_at

_PLUS = re.compile(r"\s*\+\s*(?=[a-z])")
"""Between moves, and not within a number such as 1e+2."""
_SAME_VIEW = 0.01
"""Difference of two cameras, in radians and world units, up to which going on from one to the other is no jump."""


@dataclass(frozen=True)
class FrozenPath:
    """The whole video's cameras and moments.

    Attributes:
        trajectory: All of it.
        frozen: Its frames that show the one moment, from first to last.
    """

    trajectory: Trajectory
    frozen: range


def frozen_path(
    scene: ExportScene,
    config: BulletTimeConfig,
    options: TrajectoryOptions | None = None,
    path_to_world: Sim3 | None = None,
) -> FrozenPath:
    """Bind the move to the moment, and play the clip around it where that is wanted.

    Args:
        scene: With the clip's cameras and seconds.
        config: Moment and move.
        options: Length and rate of the move; what they say of time and of what to follow has no meaning here.
        path_to_world: See :func:`neoverse_ns.trajectory.choose.choose_trajectory`.

    Raises:
        SettingsError: There is no such moment or move, or the clip cannot be played around it.
    """
    config.validate()
    options = replace(options or TrajectoryOptions(), time=f"freeze@{config.at.strip()}", follow="time")
    clip = ClipFrames(scene.seconds.double(), tuple(range(len(scene.seconds))))
    if scene.source is not None:
        clip = ClipFrames.of(scene.source.clip)
    try:
        move = choose_trajectory(
            *(from_the_moment(config.trajectory), scene.cameras, scene.times, path_to_world, options, clip),
            *(scene.surroundings, scene.network_unit),
        )
    except SettingsError as error:
        # Of the curve that freezes the moment nobody has heard.
        raise SettingsError(str(error).replace(f"time '{options.time}'", f"--at {config.at}")) from error
    # The clip's first frame is no picture of a moment's views, even of the first: it would be the only one not drawn.
    move = replace(move, first_frame=False)
    return _played_around(scene, move, clip.length) if config.play_around else FrozenPath(move, range(len(move)))


def from_the_moment(name: str) -> str:
    """Moves begin at the clip's camera of the moment, unless they say where: by themselves they begin at its first."""
    if not is_directed(name):
        return name
    parts = []
    for part in _PLUS.split(name):
        move, colon, rest = part.strip().partition(":")
        fields = {f.name: f.default for f in dataclasses.fields(ALL_MOVES[move])} if move in ALL_MOVES else {}
        if fields.get("start") == 0 and "start=" not in rest.replace(" ", ""):
            rest = f"{rest},start=clip" if colon else "start=clip"
        parts.append(f"{move}:{rest}" if rest else move)
    return " + ".join(parts)


def _played_around(scene: ExportScene, move: Trajectory, seconds: float) -> FrozenPath:
    """The clip up to the moment, the move there and back, and the clip from there on."""
    fps, moment = move.fps or DEFAULT_FPS, float(move.times[0])
    here = _clip_cameras(scene, torch.tensor([moment], dtype=torch.float64))
    if _apart(here, move.cameras[:1]) > _SAME_VIEW:
        raise SettingsError(
            "--play-around needs a move that begins where the clip's camera is at the moment: leave out its start, or "
            "take one that is relative to the clip"
        )
    if _apart(move.cameras[-1:], move.cameras[:1]) > _SAME_VIEW:
        move = move[[*range(len(move)), *range(len(move) - 2, -1, -1)]]
    step = 1 / (fps * seconds) if seconds > 0 else 2.0
    before = frame_count(moment * seconds, fps) - 1
    after = frame_count((1 - moment) * seconds, fps) - 1
    moments = torch.cat([moment - step * torch.arange(before, 0, -1), moment + step * torch.arange(1, after + 1)])
    playing = _clip_cameras(scene, moments.double())
    pieces = [playing[:before], move.cameras, playing[before:]]
    times = torch.cat([moments[:before].double(), move.times.double(), moments[before:].double()])
    c2w = torch.cat([piece.c2w.double() for piece in pieces])
    K = torch.cat([piece.K.double() for piece in pieces])
    whole = PinholeCameras(c2w, K, playing.width, playing.height)
    return FrozenPath(Trajectory(whole, times, fps=fps, subject=move.subject), range(before, before + len(move)))


def _clip_cameras(scene: ExportScene, moments: Float64[Tensor, " n"]) -> PinholeCameras:
    return cameras_between(scene.cameras, frames_at(scene.times, moments))


def _apart(one: PinholeCameras, other: PinholeCameras) -> float:
    """Largest difference of two cameras' matrices."""
    return float((one.c2w.double() - other.c2w.double()).abs().max())
