"""From this package's world (x right, y down, z forward) to worlds that have an axis up."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.geometry import quaternions

Up = Literal["y", "z"]

TURNS: dict[Up, Tensor] = {
    # The first camera looks along -z, as cameras of glTF and USD do.
    "y": torch.tensor([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]]),
    # The first camera looks along +y, as in nerfstudio's world here.
    "z": torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
}
"""Rotations [3,3] from this package's world; both keep it right-handed."""


def turn_quaternion(up: Up) -> Float[Tensor, "4"]:
    """The rotation as a unit quaternion wxyz."""
    return quaternions.from_matrix(TURNS[up])


def turned(now: GaussiansAtTime, up: Up) -> GaussiansAtTime:
    """The Gaussians in a world with that axis up.

    Raises:
        ValueError: They carry view-dependent colour, whose harmonics would have to be turned, too.
    """
    if now.sh.shape[1] > 1:
        raise ValueError("only degree-0 colour can be turned")
    rotation, q = TURNS[up].to(now.means), turn_quaternion(up).to(now.quats)
    quats = quaternions.multiply(q.expand(len(now.quats), 4), now.quats)
    return replace(now, means=now.means @ rotation.T, quats=quats)
