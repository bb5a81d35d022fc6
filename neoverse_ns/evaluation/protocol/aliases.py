"""The table of protocols: aliases, what they stand for, and what others published under them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation import protocol as package
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.published import Published


@cache
def protocols() -> dict[str, Protocol]:
    """Every protocol by its alias, those of one data set together.

    A file in this package that has `PROTOCOLS`, a tuple, adds them by lying here.

    Raises:
        SettingsError: Two share an alias.
    """
    found: dict[str, Protocol] = {}
    for module in _modules():
        for one in getattr(module, "PROTOCOLS", ()):
            if one.alias in found:
                raise SettingsError(f"two protocols are called {one.alias}; give one of them another alias")
            found[one.alias] = one
    return found


@cache
def published() -> tuple[Published, ...]:
    """Every row of others that a file of this package has in `PUBLISHED`, a tuple."""
    return tuple(row for module in _modules() for row in getattr(module, "PUBLISHED", ()))


def published_under(alias: str) -> tuple[list[Published], list[Published]]:
    """Rows of the very protocol of an alias, and rows that resemble it and must not be compared with it."""
    own = [row for row in published() if row.alias == alias]
    return own, [row for row in published() if row.alias != alias and row.near == alias]


def protocol(name: str) -> Protocol:
    """The protocol of an alias; or of a full id, of which the solver and the scenes do not matter.

    Raises:
        SettingsError: There is none; names those that come near.
    """
    known = protocols()
    if name in known:
        return known[name]
    for one in known.values():
        if "/" in name and _bare(name) == _bare(one.full_id("")):
            return one
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or [
        alias for alias in known if alias.startswith(name.partition("@")[0])
    ]
    advice = f"did you mean {' or '.join(near)}?" if near else "ns-neoverse evaluate list names them"
    raise SettingsError(f"there is no protocol '{name}'; {advice}")


def _bare(full_id: str) -> list[str]:
    """An id without what belongs to one run of it: names of scenes in brackets, solvers in parentheses."""
    parts = full_id.lower().split("/")
    return [part.partition("[")[0].partition("(")[0] if place in (0, 2) else part for place, part in enumerate(parts)]


def _modules() -> Sequence[ModuleType]:
    return [import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__)]
