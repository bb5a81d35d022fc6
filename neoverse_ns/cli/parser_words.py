"""What a parser says of a step's flags, in a short line about settings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from neoverse_ns.errors import SettingsError

_NUMBERS = {"INT": "a whole number", "FLOAT": "a number"}
_SWITCH = {"true": "True", "false": "False"}
_LONGEST = 200
"""Characters of what cannot be told in words of our own."""


def wrong_settings(said: str, step: str, words: Sequence[str]) -> SettingsError:
    """The error that a parser's text stands for.

    Args:
        said: What it printed: a box, with advice and its own help.
        step: Name of the step, for what is missing.
        words: Of the command line that it was given.
    """
    lines = _lines(said)
    text = " ".join(line.strip() for line in lines)
    told = _unknown(text, words) or _missing(lines, step) or _bad_value(text, words)
    return SettingsError(told or (text[:_LONGEST].strip() or "its settings cannot be read"))


def switch_in_small_letters(said: str, words: Sequence[str]) -> tuple[str, ...] | None:
    """The words with the `true` or `false` that a parser refused written as it wants them; None where it did not."""
    found = re.search(r"invalid choice '(true|false)' for argument '(--[\w.-]+)'.*'True'", " ".join(_lines(said)))
    if found is None:
        return None
    fixed = list(words)
    for place, word in enumerate(fixed[:-1]):
        if word == found[2]:
            fixed[place + 1] = _SWITCH.get(fixed[place + 1], fixed[place + 1])
    return tuple(fixed) if fixed != list(words) else None


def _lines(said: str) -> list[str]:
    """Without the box, and what only decorates it; indentation stays."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    lines = [line.strip("│╭╮╰╯┃").rstrip() for line in plain.splitlines()]
    kept = [line for line in lines if line.strip("─- ") and not line.strip().startswith("─")]
    return [line for line in kept if "--help" not in line and "For full helptext" not in line]


def _unknown(text: str, words: Sequence[str]) -> str | None:
    _, found, rest = text.partition("Unrecognized options: ")
    if not found:
        return None
    named = re.split(r"[,\s]+", rest.partition("Perhaps you meant")[0].strip())
    flags = list(dict.fromkeys(word[2:] for word in named if word.startswith("--") and word in words))
    if flags:
        return f"unknown setting{'s' if len(flags) > 1 else ''} {', '.join(flags)}"
    return f"'{named[0]}' is one value too many"


def _missing(lines: Sequence[str], step: str) -> str | None:
    flags: list[str] = []
    depth = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if "Missing from" in line:
            depth = None
        elif line.lstrip().startswith("--") and depth in (None, indent):
            depth = indent
            flags.append(line.split()[0][2:])
    if not any("Missing from" in line for line in lines) or not flags:
        return None
    return "needs " + " and ".join(f"--set {step}.{flag}=..." for flag in flags)


def _bad_value(text: str, words: Sequence[str]) -> str | None:
    value = re.search(r"Error parsing --([\w.-]+):", text)
    if value is not None:
        flag = value[1]
        kind = re.search(rf"helptext:.*?--{re.escape(flag)} (\S+)", text)
        names = [name for name in (kind[1] if kind else "").split("|") if name != "{None}"]
        wanted = " or ".join(_NUMBERS.get(name, name) for name in names) or "another value"
        return f"{flag} must be {wanted}, got {_given(flag, words)}"
    choice = re.search(r"invalid choice '.*?' for argument '--([\w.-]+)'\. Expected one of \((.*?)\)", text)
    if choice is not None:
        names = re.findall(r"'(.*?)'", choice[2])
        wanted = "true or false" if names == ["True", "False"] else f"one of {', '.join(names)}"
        return f"{choice[1]} must be {wanted}, got {_given(choice[1], words)}"
    lacking = re.search(r"Missing value for argument '--([\w.-]+)'", text)
    return f"{lacking[1]} needs a value" if lacking is not None else None


def _given(flag: str, words: Sequence[str]) -> str:
    """Values that stand behind a flag."""
    if f"--{flag}" not in words:
        return "another"
    behind = list(words[list(words).index(f"--{flag}") + 1 :])
    end = next((place for place, word in enumerate(behind) if word.startswith("--")), len(behind))
    return " ".join(behind[:end]) or "none"
