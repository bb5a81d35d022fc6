"""What is known of a clip's steps: a file in every finished step's folder, and one of failures in the clip's."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neoverse_ns.batch.files import read_json
from neoverse_ns.batch.step import Job, Step
from neoverse_ns.errors import ClipError
from neoverse_ns.reconstruct.content_digest import content_digest
from neoverse_ns.whole_file import write_whole

DONE, FAILED = "step.json", "failed.json"


@dataclass(frozen=True)
class Done:
    """A finished step; lies in its folder, and so comes and goes with what it made.

    Attributes:
        fingerprint: See :func:`fingerprint`.
        makes_scene: Whether a scene lies in the folder.
        seconds: That it took.
        finished: When, in seconds since 1970.
        clip: What it was made from.
        settings: Of the step.
        numbers: What it measured.
    """

    fingerprint: str
    makes_scene: bool
    seconds: float
    finished: float
    clip: str
    settings: list[str]
    numbers: dict[str, float] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Put it into the step's folder."""
        write_whole(folder / DONE, json.dumps(dataclasses.asdict(self), indent=1) + "\n")


@dataclass(frozen=True)
class Failure:
    """A step that failed.

    Attributes:
        fingerprint: See :func:`fingerprint`.
        reason: In a line.
        when: In seconds since 1970.
    """

    fingerprint: str
    reason: str
    when: float


def read_done(folder: Path) -> Done | None:
    """The record in a step's folder; None where the step has not finished."""
    return _from(Done, read_json(folder / DONE))


def read_failures(folder: Path) -> dict[str, Failure]:
    """Failures in a clip's folder by the step's name."""
    found = read_json(folder / FAILED) or {}
    read = {name: _from(Failure, value) for name, value in found.items() if isinstance(value, dict)}
    return {name: failure for name, failure in read.items() if failure is not None}


def note_failure(folder: Path, step: str, failure: Failure | None) -> None:
    """Remember that a step failed, or, by None, forget it; only for whoever holds the clip's lock."""
    failures = read_failures(folder)
    if failure is None and step not in failures:
        return
    failures.pop(step, None)
    if failure is not None:
        failures[step] = failure
    if failures:
        stored = {name: dataclasses.asdict(value) for name, value in failures.items()}
        write_whole(folder / FAILED, json.dumps(stored, indent=1) + "\n")
    else:
        (folder / FAILED).unlink(missing_ok=True)


def fingerprint(step: Step, clip: str, scene: str | None) -> str:
    """Equal for equal clips, settings and scenes; the version of the program does not count.

    Args:
        step: With its settings.
        clip: Digest of the clip's content.
        scene: Fingerprint of the scene's step; None for steps that need no scene.
    """
    material = [step.settings, clip, scene if step.needs_scene else None, step.makes_scene]
    return hashlib.sha256(json.dumps(material).encode()).hexdigest()[:24]


def clip_digest(clip: Path) -> str:
    """Of the clip's content; of one that cannot be read, that it cannot: reading it will say why."""
    try:
        return content_digest(clip)
    except ClipError:
        return "unreadable"


def latest_scene(job: Job) -> tuple[Path, Done] | None:
    """The step's folder and record of the clip's newest scene; None where there is none."""
    folders = [path for path in job.folder.glob("*") if path.is_dir() and not path.name.startswith(".")]
    found = [(path, done) for path in folders if (done := read_done(path)) is not None and done.makes_scene]
    return max(found, key=lambda pair: pair[1].finished, default=None)


def _from(kind: type[Any], found: dict[str, Any] | None) -> Any:
    """A record as it was written; None of one that holds something else."""
    if found is None:
        return None
    names = {entry.name for entry in dataclasses.fields(kind)}
    try:
        return kind(**{name: value for name, value in found.items() if name in names})
    except TypeError:
        return None
