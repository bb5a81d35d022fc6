"""Packages that can be called: `neoverse_ns.reconstruct` holds code, and is the name of what that code does.

An attribute of that name would be a function until the first import of the package, and a module after it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

HOME = "neoverse_ns.api"
"""Where the functions are; imported when one of them is called."""


class CallablePackage(ModuleType):
    """A package whose call is that of the function of its name."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return function_of(self.__name__)(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        """What `help` and editors show."""
        return inspect.signature(function_of(self.__name__))


def make_callable(package: str) -> None:
    """Let a package, while it is imported, be called from now on.

    Args:
        package: Its `__name__`.
    """
    sys.modules[package].__class__ = CallablePackage


def function_of(package: str) -> Callable[..., Any]:
    """The function that a package's call is."""
    return getattr(import_module(HOME), package.rpartition(".")[2])
