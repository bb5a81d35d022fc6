"""Every move that knows the scene, by name; and what users write to ask for some together.

As text `orbit:degrees=90,pixel=120,80,12 + handheld:seed=3`; in a trajectory file
`"move": [{"orbit": {"degrees": 90, "pixel": [120, 80, 12]}}, {"handheld": {"seed": 3}}]`. Presets may stand among them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.fields import get_object
from neoverse_ns.trajectory.moves.crane import Crane
from neoverse_ns.trajectory.moves.dolly_zoom import DollyZoom
from neoverse_ns.trajectory.moves.handheld import Handheld
from neoverse_ns.trajectory.moves.look_at import LookAt
from neoverse_ns.trajectory.moves.orbit import Orbit
from neoverse_ns.trajectory.moves.parameters import made
from neoverse_ns.trajectory.moves.preset import PRESETS
from neoverse_ns.trajectory.moves.smooth import Smooth
from neoverse_ns.trajectory.moves.stage import Stage


@runtime_checkable
class DirectedMove(Protocol):
    """A motion with its parameters."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        ...

    def apply(self, stage: Stage) -> Stage:
        """The frames with their cameras moved."""
        ...


DIRECTED: dict[str, type[Any]] = {
    "orbit": Orbit,
    "dolly_zoom": DollyZoom,
    "handheld": Handheld,
    "crane": Crane,
    "look_at": LookAt,
    "smooth": Smooth,
}
"""Moves that the presets do not have, by name."""

ALL_MOVES: dict[str, type[Any]] = {**DIRECTED, **PRESETS}
"""Everything that may stand in a row of moves."""

_PLUS = re.compile(r"\s*\+\s*(?=[a-z])")


def is_directed(name: str) -> bool:
    """Whether a trajectory's name is one of these moves, a row of them, or a preset with parameters."""
    parts = _PLUS.split(name.strip())
    heads = [part.partition(":")[0].strip() for part in parts]
    return heads[0] in DIRECTED or (heads[0] in ALL_MOVES and (len(parts) > 1 or ":" in parts[0]))


def parse_moves(text: str) -> list[DirectedMove]:
    """Read a row of moves from what a user typed.

    Raises:
        SettingsError: A move or a parameter does not exist, or a value is wrong; the message names it.
    """
    moves = []
    for part in _PLUS.split(text.strip()):
        name, _, rest = part.partition(":")
        moves.append(_move(name.strip(), _split(rest, name.strip())))
    return moves


def read_moves(value: Any, name: str = "move") -> list[DirectedMove]:
    """Read a row of moves from a JSON document: a name, an object of one move, or a list of such.

    Raises:
        SettingsError: As of :func:`parse_moves`.
    """
    moves: list[DirectedMove] = []
    for i, entry in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(entry, str):
            moves += parse_moves(entry)
            continue
        field = f"{name}[{i}]"
        move = get_object(entry, field)
        if len(move) != 1:
            raise SettingsError(f"'{field}' must hold exactly one move, found {list(move)}")
        kind, parameters = next(iter(move.items()))
        moves.append(_move(kind, {} if parameters is None else get_object(parameters, f"{field}.{kind}")))
    if not moves:
        raise SettingsError(f"'{name}' must hold at least one move")
    return moves


def apply_moves(moves: Sequence[DirectedMove], stage: Stage) -> Stage:
    """One after the other, each on what the one before it left.

    Raises:
        SettingsError: A move cannot be done in this scene.
    """
    for move in moves:
        stage = move.apply(stage)
        if not (torch.isfinite(stage.base.c2w).all() and torch.isfinite(stage.base.K).all()):
            raise SettingsError(f"{type(move).__name__} leads to cameras that are not finite: give smaller values")
    return stage


def _move(name: str, given: dict[str, Any]) -> DirectedMove:
    if name not in ALL_MOVES:
        raise SettingsError(f"there is no camera move '{name}'; choose from {', '.join(ALL_MOVES)}")
    move = made(ALL_MOVES[name], given, name)
    move.validate()
    return move


def _split(text: str, move: str) -> dict[str, Any]:
    """`a=1,b=2,3` is {a: "1", b: "2,3"}: what has no name belongs to the value before it."""
    values: dict[str, Any] = {}
    key = None
    for piece in (part.strip() for part in text.split(",")) if text.strip() else ():
        if not piece:
            raise SettingsError(f"'{move}:{text}' has a comma with nothing before or behind it: leave it out")
        if "=" in piece:
            key, _, value = (side.strip() for side in piece.partition("="))
            if key in values:
                raise SettingsError(f"'{move}:{text}' gives '{key}' twice: give it once")
            values[key] = value
        elif key is None:
            raise SettingsError(f"'{move}:{text}' must give its parameters as name=value, found '{piece}'")
        else:
            values[key] += f",{piece}"
    return values
