"""Packages that only some formats need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from neoverse_ns.errors import PackageError


@dataclass(frozen=True)
class Need:
    """A package.

    Attributes:
        module: What is imported.
        install: What to give `pip install` for it.
    """

    module: str
    install: str


FOURDGS = Need("fourdgs", "'neoverse-ns[exports]'")
USD = Need("pxr", "'neoverse-ns[exports]' (usd-core, for Python 3.11 and later)")
GSPLY = Need("gsply", "'gsply[spz]'")


def check_needs(format_name: str, needs: Sequence[Need]) -> None:
    """Find the packages without importing them.

    Raises:
        PackageError: One is missing; the message says how to install it.
    """
    for need in needs:
        if find_spec(need.module) is None:
            raise PackageError(
                f"export format '{format_name}' needs the package {need.module}, which is not installed: "
                f"pip install {need.install}"
            )
