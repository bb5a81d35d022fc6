"""Parameters of moves: dataclasses filled from text or from JSON, with errors that name what is wrong."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.moves.choice import Subject

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def made(kind: type[Any], given: dict[str, Any], name: str) -> Any:
    """An instance of the dataclass `kind`; what chooses a subject may stand beside its own fields.

    Args:
        kind: Its fields are numbers, whole numbers, flags, or a :class:`Subject`.
        given: Values by name, as text, or as JSON has them.
        name: Of the move, for errors.

    Raises:
        SettingsError: A parameter does not exist or has a wrong value.
    """
    own = {field.name: field.type for field in dataclasses.fields(kind)}
    subject = {field.name: field.type for field in dataclasses.fields(Subject)} if "subject" in own else {}
    known = {key: str(value) for key, value in {**own, **subject}.items() if key != "subject"}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise SettingsError(f"'{name}' has no parameter '{unknown[0]}'; it has {', '.join(known) or 'none'}")
    values = {key: _read(value, known[key], f"{name}:{key}") for key, value in given.items()}
    chosen = Subject(**{key: values.pop(key) for key in subject if key in values})
    chosen.validate()
    return kind(**values, **({"subject": chosen} if subject else {}))


def _read(value: Any, kind: str, name: str) -> Any:
    """A value of the type that a field's annotation names."""
    if kind.startswith("tuple"):
        parts = value.replace("@", ",").split(",") if isinstance(value, str) else value
        count = kind.count("float")
        if not isinstance(parts, list | tuple) or len(parts) != count:
            raise SettingsError(f"'{name}' must be {count} numbers, found {value!r}")
        return tuple(_number(part, name) for part in parts)
    if kind == "bool":
        return _flag(value, name)
    if kind.startswith("int"):
        if kind.endswith("None") and (value is None or value == "clip"):
            return None
        number = _number(value, name)
        if number != int(number):
            raise SettingsError(f"'{name}' must be a whole number, found {value!r}")
        return int(number)
    return _number(value, name)


def _number(value: Any, name: str) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise SettingsError(f"'{name}' must be a finite number, found {value!r}")
    return number


def _flag(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _YES + _NO:
        return value.lower() in _YES
    raise SettingsError(f"'{name}' must be true or false, found {value!r}")
