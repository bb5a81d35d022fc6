"""Errors the user can act on, shown as one line instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.markup import escape

from neoverse_ns.console import CONSOLE
from neoverse_ns.errors import NeoVerseError


@contextmanager
def exit_on_user_error() -> Iterator[None]:
    """Print a :class:`NeoVerseError` raised inside the block as one line and leave the process with exit code 1."""
    try:
        yield
    except NeoVerseError as error:
        CONSOLE.print(f"[bold red]Error:[/bold red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
