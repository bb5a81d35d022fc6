"""Commands as steps of a batch: whatever takes a clip or a scene and writes a file or a folder."""

from __future__ import annotations

import dataclasses
import importlib
import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import tyro

from neoverse_ns.batch.records import DONE
from neoverse_ns.batch.step import SCENE, Step, StepPlace
from neoverse_ns.cli.commands import COMMANDS, command_class
from neoverse_ns.cli.directing import PathFlags
from neoverse_ns.cli.parser_words import switch_in_small_letters, wrong_settings
from neoverse_ns.errors import SettingsError

_SCENES = {"run_path": None, "run_config": None, "source": None, "load_config": "--load-config"}
"""Fields of commands that a scene goes to, and its flag; None where it is no flag."""
_FOLDERS = ("extend", "multiview")
"""Commands whose --output is a folder though its default does not say so."""
_MAKER = "keep_scene"
"""Switch of commands that write the scene, too, where it is wanted."""


@dataclass(frozen=True)
class StepKind:
    """A command that can be a step.

    Attributes:
        name: Of the command.
        target: Where its class is, as `module:name`.
        scene: Whether it takes a scene; else it takes a clip.
        source: Flag of that; None where it is no flag.
        output: Flag of what it writes.
        ending: Of the file it writes; empty where that is a folder.
        keeps_scene: Whether it has to be told to write the scene.
        makes_scene: Whether later steps take the scene that it writes.
    """

    name: str
    target: str
    scene: bool
    source: str | None
    output: str
    ending: str
    keeps_scene: bool
    makes_scene: bool


def step_kinds() -> dict[str, StepKind]:
    """All of them by name, those that make scenes first."""
    found = {}
    for name in COMMANDS:
        kind = _kind(name, command_class(name))
        if kind is not None:
            found[kind.name] = kind
    train = _kind("train", importlib.import_module("neoverse_ns.cli.train_step").Train)
    assert train is not None
    found["train"] = dataclasses.replace(train, makes_scene=True)
    return dict(sorted(found.items(), key=lambda pair: (not pair[1].makes_scene, pair[0])))


def _kind(name: str, command: type[Any]) -> StepKind | None:
    """None of a command that takes neither clip nor scene, or writes nothing."""
    if not dataclasses.is_dataclass(command):
        return None
    fields = {field.name: field for field in dataclasses.fields(command)}
    source = next((field for field in ("clip", *_SCENES) if field in fields), None)
    output = next((field for field in ("output_dir", "output") if field in fields), None)
    if source is None or output is None:
        return None
    default = fields[output].default
    ending = (default.suffix if isinstance(default, Path) else "") or ".mp4"
    folder = output == "output_dir" or name in _FOLDERS
    return StepKind(
        name,
        target=f"{command.__module__}:{command.__qualname__}",
        scene=source != "clip",
        source=_SCENES.get(source),
        output="--" + output.replace("_", "-"),
        ending="" if folder else ending,
        keeps_scene=_MAKER in fields,
        makes_scene=_MAKER in fields,
    )


def command_step(name: str, flags: tuple[str, ...], outputs: tuple[str, ...] = ()) -> Step:
    """A step by its name, `render` or `render@left`, with the flags of its command.

    Args:
        name: Of the step.
        flags: But for those of its input and output.
        outputs: What files or folders it writes are called, where one video of the clip's name is not what is wanted.

    Raises:
        SettingsError: There is no such step, or its command does not take the flags.
    """
    kinds = step_kinds()
    kind = kinds.get(name.partition("@")[0])
    if kind is None:
        raise SettingsError(f"there is no step '{name}': choose from {', '.join(kinds)}")
    if outputs and not kind.ending:
        raise SettingsError(f"step {name}: its command fills a folder, and takes no output")
    for output in outputs:
        if Path(output).name != output or output in (".", "..", DONE, SCENE):
            raise SettingsError(f"step {name}: output must be the name of a file in the step's folder, got '{output}'")
    place = StepPlace(Path("/clip"), "clip", Path("/output"), Path("/scene"))
    try:
        command, words = _parse(kind.target, CommandWork(kind, flags, outputs).words(place), name)
        _check(command)
    except SettingsError as error:
        raise SettingsError(f"step {name}: {error}") from error
    # As the parser takes them, so that true and True are one setting.
    flags = words[len(words) - len(flags) :]
    work = CommandWork(kind, flags, outputs)
    settings = (kind.name, *flags, *(("outputs", *outputs) if outputs else ()))
    step = Step(name, work, settings, needs_scene=kind.scene, makes_scene=kind.makes_scene)
    step.validate()
    return step


@dataclass(frozen=True)
class CommandWork:
    """Runs a command on a clip, in this process.

    Attributes:
        kind: Which command.
        flags: As they would be typed; switches take True or False.
        outputs: Names of what it writes; none is one file of the clip's name.
    """

    kind: StepKind
    flags: tuple[str, ...]
    outputs: tuple[str, ...] = ()

    def __call__(self, place: StepPlace) -> Mapping[str, float] | None:
        """See :class:`neoverse_ns.batch.step.Work`."""
        return self.command(place).run()

    def command(self, place: StepPlace) -> Any:
        """The command as it would be made from a command line.

        Raises:
            SettingsError: It does not take the flags.
        """
        return _parse(self.kind.target, self.words(place), self.kind.name)[0]

    def words(self, place: StepPlace) -> tuple[str, ...]:
        """The command line, without the command's name; the flags come last."""
        kind = self.kind
        source = place.scene if kind.scene else place.clip
        names = self.outputs or (f"{place.name}{kind.ending}",)
        output = [str(place.folder / name) for name in names] if kind.ending else [str(place.folder)]
        words = [str(source)] if kind.source is None else [kind.source, str(source)]
        words += [kind.output, *output, *(("--keep-scene", "True") if kind.keeps_scene else ())]
        return (*words, *self.flags)


@lru_cache(maxsize=32)
def _class_at(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _parse(target: str, words: tuple[str, ...], step: str) -> tuple[Any, tuple[str, ...]]:
    """The command that the words make, and the words, with `true` and `false` as True and False where a switch stands.

    Raises:
        SettingsError: They make none.
    """
    while True:
        said = io.StringIO()
        try:
            with redirect_stderr(said), redirect_stdout(said):
                return tyro.cli(tyro.conf.FlagConversionOff[_class_at(target)], args=words), words
        except SystemExit:
            fixed = switch_in_small_letters(said.getvalue(), words)
            if fixed is None:
                raise wrong_settings(said.getvalue(), step, words) from None
            words = fixed


def _check(command: Any) -> None:
    """Find out what is wrong with a command's settings, as far as that can be told without its input."""
    if isinstance(command, PathFlags):
        command.options()
    for value in vars(command).values():
        validate = getattr(value, "validate", None)
        if callable(validate):
            validate()
