"""An empty USD stage with this package's world in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neoverse_ns.errors import RunError
from neoverse_ns.export.axes import TURNS, Up
from neoverse_ns.export.usd.modules import pxr

WORLD = "/World"
"""Prim that turns this package's axes to those of the stage; everything is below it."""
CODES_A_SECOND = 24.0
"""Where no rate is asked for: what programs for films take for granted. Codes need not be whole numbers."""


def open_stage(path: Path, up: Up, codes_a_second: float) -> Any:
    """A new `Usd.Stage`, replacing the file at `path`, whose unit is the metre for want of a better one.

    The up axis of a stage is a remark that turns nothing; so :data:`WORLD` carries the turn.

    Raises:
        RunError: The file cannot be written.
    """
    Gf, Tf, Usd, UsdGeom = (pxr(name) for name in ("Gf", "Tf", "Usd", "UsdGeom"))
    path.unlink(missing_ok=True)
    try:
        stage = Usd.Stage.CreateNew(str(path))
    except Tf.ErrorException as error:
        raise RunError(f"cannot write {path}: choose another folder") from error
    UsdGeom.SetStageUpAxis(stage, {"y": UsdGeom.Tokens.y, "z": UsdGeom.Tokens.z}[up])
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(codes_a_second)
    stage.SetFramesPerSecond(codes_a_second)
    world = UsdGeom.Xform.Define(stage, WORLD)
    turn = np.eye(4)
    turn[:3, :3] = TURNS[up].double().numpy()
    # USD multiplies row vectors.
    world.AddTransformOp().Set(Gf.Matrix4d(turn.T.tolist()))
    stage.SetDefaultPrim(world.GetPrim())
    return stage


def codes_of(seconds: list[float], codes_a_second: float) -> list[float]:
    """Time codes of seconds of the source; the first is 0."""
    return [round((second - seconds[0]) * codes_a_second, 6) for second in seconds]
