"""Steps that take no time, for clips that are any files; workers find them by this module's name."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.batch.step import Job, Step, StepPlace
from neoverse_ns.errors import ClipError


@dataclass(frozen=True)
class Make:
    """Makes a scene, and does what the clip's text says: fails, dies, or takes its time."""

    said: Path

    def __call__(self, place: StepPlace) -> dict[str, float]:
        """Leave a line for every time that this is called."""
        with self.said.open("a") as file:
            file.write(f"{place.name} make {os.getpid()}\n")
        text = place.clip.read_text()
        (place.folder / "half.txt").write_text("half")
        if "bad" in text:
            raise ClipError(f"{place.clip}: bad,\n and in two lines")
        if "bug" in text:
            raise ZeroDivisionError("division by zero")
        if "dies always" in text or ("dies once" in text and self.said.read_text().count(f"{place.name} make") == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if "slow" in text:
            time.sleep(30)
        if "nap" in text:
            time.sleep(0.5)
        print(f"made it in {place.folder}/text.txt")
        (place.folder / "scene").mkdir()
        (place.folder / "scene" / "text.txt").write_text(text)
        return {"length": len(text)}


@dataclass(frozen=True)
class Use:
    """Takes the scene."""

    said: Path

    def __call__(self, place: StepPlace) -> None:
        """Copy its text."""
        with self.said.open("a") as file:
            file.write(f"{place.name} use {os.getpid()}\n")
        assert place.scene is not None
        (place.folder / f"{place.name}.txt").write_text((place.scene / "text.txt").read_text())


def job_of(folder: Path, name: str, text: str, settings: str = "", steps: tuple[str, ...] = ("make", "use")) -> Job:
    """A clip of that text with both steps; all of them say in `said.txt` that they were called."""
    clip = folder / "clips" / f"{name}.mp4"
    clip.parent.mkdir(exist_ok=True)
    clip.write_text(text)
    made = {
        "make": Step("make", Make(folder / "said.txt"), (settings,), needs_scene=False, makes_scene=True),
        "use": Step("use", Use(folder / "said.txt")),
        "use@again": Step("use@again", Use(folder / "said.txt"), ("again",)),
    }
    return Job(clip, name, folder / "out", tuple(made[step] for step in steps), made["make"])


def said(folder: Path) -> list[str]:
    """Clip and step of every call so far."""
    file = folder / "said.txt"
    return [line.rpartition(" ")[0] for line in file.read_text().splitlines()] if file.exists() else []
