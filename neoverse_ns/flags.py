"""How settings look on the command line, for configs that must also load where there is none."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any


def flag(**looks: Any) -> object:
    """An annotation of a setting's flag: `tyro.conf.arg` of the same arguments, nothing where tyro is not installed.

    The library needs no command line: a machine that only computes need not have tyro.
    """
    if importlib.util.find_spec("tyro") is None:
        return None
    return importlib.import_module("tyro").conf.arg(**looks)
