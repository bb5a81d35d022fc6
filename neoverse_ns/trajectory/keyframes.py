"""Camera paths through poses at given frames, and the `keyframes` form of trajectory files."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.interpolation import interpolate_c2w
from neoverse_ns.trajectory.fields import get_count, get_list, get_number, get_object
from neoverse_ns.trajectory.presets import MOVES, MoveSize, end_pose

_DEFAULTS = {"angle": 30.0, "distance": 0.1, "orbit_radius": 0.5}
"""What a move inside a keyframe uses where it gives no value; presets have other defaults."""


def through_poses(
    frames: list[int], poses: Float64[Tensor, "k 4 4"], num_frames: int, name: str
) -> Float64[Tensor, "{num_frames} 4 4"]:
    """The path that is at `poses` in `frames`: rotations by slerp, positions in straight lines.

    Args:
        frames: Frame numbers; the first must be 0, the last `num_frames` - 1, and each later than the one before.
        poses: c2w at those frames.
        num_frames: Length of the path.
        name: The field the frames come from, for errors.

    Raises:
        SettingsError: The frames break one of these rules.
    """
    least = min(num_frames, 2)
    if len(frames) < least:
        raise SettingsError(f"'{name}' needs at least {least} frames, found {len(frames)}")
    if any(b <= a for a, b in pairwise(frames)):
        raise SettingsError(f"the frames of '{name}' must ascend, found {frames}")
    if frames[0] != 0 or frames[-1] != num_frames - 1:
        raise SettingsError(
            f"the frames of '{name}' must begin at 0 and end at num_frames - 1 = {num_frames - 1}, "
            f"found {frames[0]} and {frames[-1]}"
        )
    if num_frames == 1:
        return interpolate_c2w(poses, torch.zeros(1, dtype=torch.float64))
    at = torch.arange(num_frames)
    knots = torch.tensor(frames)
    before = (torch.searchsorted(knots, at, right=True) - 1).clamp(max=len(frames) - 2)
    fraction = (at - knots[before]).to(torch.float64) / (knots[before + 1] - knots[before])
    return interpolate_c2w(poses, before + fraction)


def parse_keyframes(value: Any, num_frames: int) -> Float64[Tensor, "{num_frames} 4 4"]:
    """Read `[{"<frame>": [{"<move>": {"<parameter>": number}}, ...]}, ...]`.

    The moves of one keyframe are applied one after the other, each in the camera's axes as the one before left it, and
    every keyframe continues from the pose of the one before.

    Raises:
        SettingsError: The document deviates from this form; the message names the field.
    """
    frames, poses = [], []
    pose = torch.eye(4, dtype=torch.float64)
    for i, entry in enumerate(get_list(value, "keyframes")):
        name = f"keyframes[{i}]"
        keyframe = get_object(entry, name)
        if len(keyframe) != 1:
            raise SettingsError(f"'{name}' must have exactly one frame number as its key, found {list(keyframe)}")
        key, moves = next(iter(keyframe.items()))
        if not (key.isdecimal() and len(key) < 10):
            raise SettingsError(f"the key of '{name}' must be a frame number, found '{key}'")
        frames.append(get_count(int(key), f"{name} frame", 0, num_frames - 1))
        for j, move in enumerate(get_list(moves, f"{name}.{key}")):
            pose = pose @ _parse_move(move, f"{name}.{key}[{j}]")
        poses.append(pose)
    stacked = torch.stack(poses) if poses else torch.zeros(0, 4, 4, dtype=torch.float64)
    return through_poses(frames, stacked, num_frames, "keyframes")


def _parse_move(value: Any, name: str) -> Float64[Tensor, "4 4"]:
    move = get_object(value, name)
    if len(move) != 1:
        raise SettingsError(f"'{name}' must hold exactly one move, found {list(move)}")
    kind, parameters = next(iter(move.items()))
    if kind not in MOVES:
        raise SettingsError(f"'{name}' asks for the unknown move '{kind}'; choose from {', '.join(MOVES)}")
    given = {} if parameters is None else get_object(parameters, f"{name}.{kind}")
    unknown = sorted(set(given) - set(_DEFAULTS))
    if unknown:
        raise SettingsError(f"'{name}.{kind}.{unknown[0]}' is unknown; a move has {', '.join(_DEFAULTS)}")
    sizes = {key: get_number(number, f"{name}.{kind}.{key}") for key, number in given.items()}
    return end_pose(kind, MoveSize(**{**_DEFAULTS, **sizes}))
