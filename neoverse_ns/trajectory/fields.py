"""Reading values out of JSON documents with errors that name the field."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError

_ORTHONORMAL = 1e-3


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file whose outermost value is an object.

    Raises:
        SettingsError: The file is missing, unreadable, not JSON, or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        # Broken JSON and broken UTF-8 are both ValueErrors; absurdly nested input exhausts the stack.
        raise SettingsError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise SettingsError(f"{path} must hold a JSON object, found {_kind(value)}")
    return value


def get_object(value: Any, name: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise SettingsError(f"'{name}' must be an object, found {_kind(value)}")
    return value


def get_list(value: Any, name: str) -> list[Any]:
    """A JSON array."""
    if not isinstance(value, list):
        raise SettingsError(f"'{name}' must be a list, found {_kind(value)}")
    return value


def get_text(value: Any, name: str) -> str:
    """A JSON string."""
    if not isinstance(value, str):
        raise SettingsError(f"'{name}' must be text, found {_kind(value)}")
    return value


def get_flag(value: Any, name: str) -> bool:
    """A JSON boolean."""
    if not isinstance(value, bool):
        raise SettingsError(f"'{name}' must be true or false, found {_kind(value)}")
    return value


def get_number(value: Any, name: str, above: float = -math.inf) -> float:
    """A finite number greater than `above`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise SettingsError(f"'{name}' must be a finite number, found {_kind(value)}")
    if value <= above:
        raise SettingsError(f"'{name}' must be greater than {above:g}, found {value}")
    return float(value)


def get_count(value: Any, name: str, least: int, most: int | None = None) -> int:
    """A whole number from `least` to `most`; 3.0 counts as whole."""
    number = get_number(value, name)
    if number != int(number) or number < least or (most is not None and number > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise SettingsError(f"'{name}' must be a whole number {limits}, found {value}")
    return int(number)


def get_matrix(value: Any, name: str) -> Float64[Tensor, "4 4"]:
    """A rigid motion, as 4 rows of 4 numbers or as 16 numbers row by row."""
    rows = get_list(value, name)
    flat = rows if len(rows) == 16 else [x for i, row in enumerate(rows) for x in get_list(row, f"{name}[{i}]")]
    if len(flat) != 16:
        raise SettingsError(f"'{name}' must be a 4x4 matrix, found {len(flat)} numbers")
    numbers = [get_number(x, f"{name}[{i}]") for i, x in enumerate(flat)]
    return check_rigid(torch.tensor(numbers, dtype=torch.float64).reshape(4, 4), name)


def check_rigid(matrix: Float64[Tensor, "4 4"], name: str) -> Float64[Tensor, "4 4"]:
    """Let a finite rigid motion pass; small deviations from a rotation, as rounding makes them, are fine."""
    bottom = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    R = matrix[:3, :3]
    if not matrix.isfinite().all():
        raise SettingsError(f"'{name}' holds values that are not finite")
    if (matrix[3] - bottom).abs().max() > _ORTHONORMAL:
        raise SettingsError(f"the last row of '{name}' must be 0 0 0 1, found {matrix[3].tolist()}")
    if (R @ R.mT - torch.eye(3, dtype=torch.float64)).abs().max() > _ORTHONORMAL or torch.linalg.det(R) < 0:
        raise SettingsError(f"the upper left 3x3 part of '{name}' must be a rotation without scale or mirroring")
    return matrix


def _is_finite(value: int | float) -> bool:
    """Also for whole numbers too large for a float, which JSON allows."""
    return abs(value) < 1e300


def _kind(value: Any) -> str:
    """A value for an error message, in JSON's own words and cut to a readable length."""
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
