"""One console for messages and progress bars, so that long work is never silent and both never overwrite each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

CONSOLE = Console(soft_wrap=True)

Listener = Callable[[str, int, int | None], None]
"""Takes what is being done, the units of work that are, and how many there will be, where that is known."""

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


def say(message: str) -> None:
    """Print one line of information, with the package's name in front so that its source is clear inside ns-*."""
    CONSOLE.print(f"[bold cyan]neoverse[/bold cyan] {escape(message)}", highlight=False)


def warn(message: str) -> None:
    """Print one line that the user should not miss."""
    CONSOLE.print(f"[bold yellow]neoverse: {escape(message)}[/bold yellow]", highlight=False)


@contextmanager
def quietly() -> Iterator[None]:
    """Print nothing while the block runs, neither lines nor progress bars."""
    before = CONSOLE.quiet
    CONSOLE.quiet = True
    try:
        yield
    finally:
        CONSOLE.quiet = before


class Steps:
    """Handle given by :func:`progress`: call :meth:`advance` after each unit of work."""

    def __init__(self, bar: Progress, task: int, description: str = "", total: int | None = None) -> None:
        self._bar, self._task = bar, task
        self._description, self._total, self._done = description, total, 0
        self._tell(0)

    def advance(self, count: int = 1, note: str | None = None) -> None:
        """Move the bar by `count` units and, where `note` is given, replace the text behind the description."""
        if note is not None:
            self._bar.update(self._task, note=note)  # type: ignore[arg-type]
        self._bar.advance(self._task, count)  # type: ignore[arg-type]
        self._tell(count)

    def _tell(self, count: int) -> None:
        self._done += count
        listener = _LISTENER.get()
        if listener is not None:
            listener(self._description, self._done, self._total)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let `listener` hear of all progress in this thread while the block runs; what it raises ends the work.

    Args:
        listener: Called when a bar opens and each time it advances.
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


@contextmanager
def progress(description: str, total: int | None) -> Iterator[Steps]:
    """Show a progress bar while the block runs.

    Args:
        description: What is being done, as a short phrase.
        total: Units of work, or None where it cannot be known.
    """
    columns = (
        TextColumn("[bold cyan]neoverse[/bold cyan] {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    if not CONSOLE.is_terminal:
        # In a log file a moving bar is noise: one line says what is going on.
        say(description)
    with Progress(*columns, console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal) as bar:
        yield Steps(bar, bar.add_task(escape(description), total=total, note=""), description, total)
