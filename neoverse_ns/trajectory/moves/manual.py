"""What every move does and takes, for people: read from the moves' own documentation."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from typing import Any

from neoverse_ns.trajectory.moves.choice import Subject
from neoverse_ns.trajectory.moves.registry import DIRECTED


def manual() -> str:
    """One paragraph for each of :data:`neoverse_ns.trajectory.moves.registry.DIRECTED`, and one on subjects."""
    parts = [_paragraph(name, kind) for name, kind in DIRECTED.items()]
    about = ", ".join(name for name, kind in DIRECTED.items() if _has_subject(kind))
    parts.append(f"What {about} are about is found (what moves, else what lies in the middle), or given by\n")
    parts[-1] += "\n".join(_parameter(name, None, text) for name, text in _texts(Subject).items())
    return "\n\n".join(parts)


def _paragraph(name: str, kind: type[Any]) -> str:
    texts = _texts(kind)
    rows = [
        _parameter(field.name, field.default, texts[field.name])
        for field in dataclasses.fields(kind)
        if field.name != "subject"
    ]
    return "\n".join([f"{name}: {inspect.getdoc(kind)}", *rows])


def _parameter(name: str, default: Any, text: str) -> str:
    value = "" if default is None and name != "start" else f"={'clip' if default is None else default}"
    return textwrap.fill(f"{name}{value}: {text}", 100, initial_indent="  ", subsequent_indent="      ")


def _has_subject(kind: type[Any]) -> bool:
    return any(field.name == "subject" for field in dataclasses.fields(kind))


def _texts(kind: type[Any]) -> dict[str, str]:
    """The text that stands below each field of a dataclass."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    texts = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            texts[field.target.id] = " ".join(str(ast.literal_eval(below.value)).split())
    return texts
