"""Settings of a batch's steps: sections of a TOML or JSON file, and single ones typed on the command line."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neoverse_ns.errors import PackageError, SettingsError

CLIPS = "clips"
"""Section of the file with settings of single clips, by the name of their file or folder."""

Settings = dict[str, Any]
"""Values by the flags of a step's command, without the dashes; nested ones in a dict."""


def read_settings(path: Path) -> dict[str, Settings]:
    """Sections of a file by name.

    Raises:
        SettingsError: It cannot be read, or holds something else.
        PackageError: It is TOML, which Python 3.10 reads by a package of its own.
    """
    path = path.expanduser()
    try:
        text = path.read_text("utf8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--settings {path} cannot be read ({error}): give a TOML or JSON file") from error
    try:
        found = json.loads(text) if path.suffix.lower() == ".json" else _toml(path).loads(text)
    except ValueError as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
        raise SettingsError(f"--settings {path} is no {kind}: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(section, dict) for section in found.values()):
        raise SettingsError(f"--settings {path} must hold a section a step, as [render] with trajectory = 'static'")
    clips = found.get(CLIPS, {})
    if not all(isinstance(clip, dict) for clip in clips.values()):
        raise SettingsError(f"--settings {path}: [clips] must hold a section a clip, as [clips.'street.mp4'.render]")
    return found


def _toml(path: Path) -> Any:
    for name in ("tomllib", "tomli"):
        if importlib.util.find_spec(name) is not None:
            return importlib.import_module(name)
    raise PackageError(f"{path}: Python 3.10 reads TOML by a package: pip install tomli, or write the settings as JSON")


def parse_typed(typed: Sequence[str]) -> dict[str, Settings]:
    """Settings by step of such as `render.trajectory=orbit_left`.

    Raises:
        SettingsError: One is written in another way.
    """
    found: dict[str, Settings] = {}
    for entry in typed:
        name, equals, value = entry.partition("=")
        step, dot, flag = name.partition(".")
        if not (step and dot and flag and equals):
            raise SettingsError(f"--set {entry} must be STEP.FLAG=VALUE, as render.trajectory=orbit_left")
        found.setdefault(step, {})[flag.lstrip("-")] = value
    return found


def merged(*settings: Mapping[str, Any]) -> Settings:
    """Settings of one step, the last ones first; nested ones become flat, as `wan.model`."""
    result: Settings = {}
    for each in settings:
        result |= _flat(each)
    return result


def flags(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The same as words of a command line, in an order that does not depend on how they were written down."""
    words: list[str] = []
    for name, value in sorted(settings.items()):
        values = value if isinstance(value, (list, tuple)) else [value]
        words += [f"--{name}", *(str(entry) for entry in values)]
    return tuple(words)


def _flat(settings: Mapping[str, Any], above: str = "") -> Settings:
    result: Settings = {}
    for name, value in settings.items():
        full = above + name.replace("_", "-")
        if isinstance(value, Mapping):
            result |= _flat(value, f"{full}.")
        else:
            result[full] = value
    return result
