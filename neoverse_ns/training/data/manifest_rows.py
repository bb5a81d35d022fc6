"""A row of a manifest as a line of JSON, and back."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, get_args

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.truth import Part

_DEFAULTS = {field.name: field.default for field in fields(ManifestRow)}
_NUMBERS, _TEXTS = ("frames", "fps", "width", "height", "weight"), ("caption", "split", "licence", "sha256")


def row_line(row: ManifestRow) -> str:
    """One line of JSON, without its end; what is as by default is left out, and the data set is called `set`."""
    found: dict[str, Any] = {"id": row.id, "set": row.dataset, "source": row.source}
    for name in ("frames", "fps", "width", "height", "caption", "split", "static", "weight", "licence", "sha256"):
        value = getattr(row, name)
        if value != _DEFAULTS[name]:
            found[name] = value
    if row.has:
        found["has"] = sorted(row.has)
    return json.dumps(found, ensure_ascii=False)


def row_of(found: Any) -> ManifestRow:
    """The row that a JSON object describes; keys that mean nothing here are passed over.

    Raises:
        ClipError: Something is missing or of another kind; says what.
    """
    if not isinstance(found, dict):
        raise ClipError("not a JSON object")
    found = dict(found)
    found.setdefault("set", found.get("dataset"))
    for name in ("id", "set"):
        if not isinstance(found.get(name), str) or not found[name]:
            raise ClipError(f"no text under '{name}'")
    values: dict[str, Any] = {"id": found["id"], "dataset": found["set"], "source": _source(found.get("source"))}
    for name in _NUMBERS:
        value = found.get(name, _DEFAULTS[name])
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise ClipError(f"no number under '{name}'")
        values[name] = float(value) if name in ("fps", "weight") else int(value)
    for name in _TEXTS:
        value = found.get(name, _DEFAULTS[name])
        if not isinstance(value, str) and (value is not None or name == "split"):
            raise ClipError(f"no text under '{name}'")
        values[name] = value
    if not isinstance(found.get("static", False), bool):
        raise ClipError("neither true nor false under 'static'")
    return ManifestRow(**values, static=found.get("static", False), has=_parts(found.get("has", [])))


def row_from_line(line: bytes | str) -> ManifestRow:
    """The row of a line.

    Raises:
        ClipError: It is no JSON, or describes no row; says why.
    """
    try:
        return row_of(json.loads(line))
    except UnicodeDecodeError as error:
        raise ClipError("not UTF-8 text") from error
    except ValueError as error:
        if isinstance(error, ClipError):
            raise
        raise ClipError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise ClipError("not JSON: nested without end") from error


def _source(found: Any) -> dict[str, str | int]:
    if isinstance(found, str) and found:
        return {"path": found}
    if not isinstance(found, dict) or not found or not all(type(value) in (str, int) for value in found.values()):
        raise ClipError("no place under 'source'")
    return dict(found)


def _parts(found: Any) -> frozenset[Part]:
    # An object of booleans says the same as a list of what is true.
    names = [name for name, there in found.items() if there] if isinstance(found, dict) else found
    if not isinstance(names, list) or not set(map(str, names)) <= set(get_args(Part)):
        raise ClipError(f"something else than {', '.join(get_args(Part))} under 'has'")
    return frozenset(names)
