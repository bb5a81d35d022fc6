"""Folders of checkpoints: each is there whole or not at all, and old ones go."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neoverse_ns.console import warn
from neoverse_ns.errors import UNREADABLE, RunError

CHECKPOINTS, PROGRESS_FILE = "checkpoints", "progress.json"
_UNFINISHED = ".part"


def unfinished_checkpoint(output: Path, step: int) -> Path:
    """The folder that all processes write the checkpoint of a step into, before it is one."""
    return output / CHECKPOINTS / f"step-{step:06d}{_UNFINISHED}"


def begin_checkpoint(output: Path, step: int) -> Path:
    """Make that folder, and empty it; on one process, before the others write.

    Raises:
        RunError: It cannot be made.
    """
    folder = unfinished_checkpoint(output, step)
    with told_where(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    return folder


def finish_checkpoint(unfinished: Path, keep: int, keep_every: int | None = None) -> Path:
    """Declare a checkpoint whole, and drop older ones; on one process, after all have written.

    Args:
        unfinished: As :func:`begin_checkpoint` gave it, filled.
        keep: Newest ones that stay.
        keep_every: Those of every so many steps stay too.

    Returns:
        Where it lies now.

    Raises:
        RunError: The folder cannot be written.
    """
    folder = unfinished.with_suffix("")
    step = int(folder.name.partition("-")[2])
    with told_where(folder):
        (unfinished / PROGRESS_FILE).write_text(json.dumps({"step": step}))
        if folder.exists():
            # Of an earlier run into the same folder.
            shutil.rmtree(folder)
        unfinished.replace(folder)
    for old in finished_checkpoints(folder.parent.parent)[:-keep]:
        if keep_every is None or checkpoint_step(old) % keep_every:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def finished_checkpoints(output: Path) -> list[Path]:
    """Whole checkpoints of a run, the oldest first; what a killed run left half-written is none."""
    found = (output / CHECKPOINTS).glob("step-*")
    whole = [path for path in found if path.suffix != _UNFINISHED and (path / PROGRESS_FILE).is_file()]
    return sorted(whole, key=checkpoint_step)


def newest_checkpoint(output: Path, resume: bool) -> Path | None:
    """The checkpoint that a run goes on from; None where it begins, which is told where another one's would go."""
    finished = finished_checkpoints(output)
    if finished and not resume:
        warn(f"{output} has checkpoints of an earlier run, which this one will replace one by one")
        return None
    return finished[-1] if finished else None


def checkpoint_step(folder: Path) -> int:
    """After which step a checkpoint was saved.

    Raises:
        RunError: It does not say.
    """
    try:
        return int(json.loads((folder / PROGRESS_FILE).read_text())["step"])
    except UNREADABLE as error:
        raise RunError(f"{folder} is damaged ({error}): delete it to go on from the one before") from error


@contextmanager
def told_where(folder: Path) -> Iterator[None]:
    """Tell what cannot be written within the block as an error of the run.

    Raises:
        RunError: What was written did not fit, or may not be written there.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"cannot write to {folder} ({reason}): free space, or choose another folder") from error
