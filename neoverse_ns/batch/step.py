"""What is done to every clip, and where a step finds and leaves its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from neoverse_ns.errors import SettingsError

SCENE = "scene"
"""Folder, within that of a step that makes a scene, in which it lies; see :func:`neoverse_ns.reconstruct.store`."""


@dataclass(frozen=True)
class StepPlace:
    """Where a step works.

    Attributes:
        clip: The video, folder of images or image.
        name: What the clip is called in the output; unlike every other one's.
        folder: Empty, for all that the step writes; it becomes the step's output when the step ends without an error.
        scene: Folder with the clip's saved scene; None for steps that need none.
    """

    clip: Path
    name: str
    folder: Path
    scene: Path | None = None


@runtime_checkable
class Work(Protocol):
    """Does a step of one clip: a function or object that can be pickled."""

    def __call__(self, place: StepPlace) -> Mapping[str, float] | None:
        """Fill `place.folder`; numbers worth a column of the table may be returned. Any exception is a failure."""
        ...


@dataclass(frozen=True)
class Step:
    """One step with its settings.

    Attributes:
        name: Of its folder in the clip's: letters, digits, `-`, `_`, `.`, and one `@` before what tells two of a kind
            apart.
        work: What is done.
        settings: All that decides the result but the clip and its scene; where it changes the step is done again.
        needs_scene: Whether it starts from the clip's scene.
        makes_scene: Whether it leaves one, in the folder :data:`SCENE`, which the steps after it take.
    """

    name: str
    work: Work
    settings: tuple[str, ...] = ()
    needs_scene: bool = True
    makes_scene: bool = False

    def validate(self) -> None:
        """Raise SettingsError where the name cannot be that of a folder."""
        plain = self.name.replace("-", "a").replace("_", "a").replace(".", "a").replace("@", "a", 1)
        if not (plain.isascii() and plain.isalnum()) or self.name[0] in ".@":
            raise SettingsError(
                f"a step cannot be called '{self.name}': use letters, digits, - and _, as in render@left"
            )


@dataclass(frozen=True)
class Job:
    """All that is to be done with one clip.

    Attributes:
        clip: The video, folder of images or image.
        name: Of its folder in `output`.
        output: Of the whole batch.
        steps: In their order.
        scene_step: What makes a scene where no step does and none was made before; None leaves it to fail.
    """

    clip: Path
    name: str
    output: Path
    steps: tuple[Step, ...]
    scene_step: Step | None = None

    @property
    def folder(self) -> Path:
        """Of all that belongs to the clip."""
        return self.output / self.name
