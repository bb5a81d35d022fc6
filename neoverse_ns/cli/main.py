"""Entry point of `ns-neoverse`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any

import tyro

from neoverse_ns.cli.commands import COMMANDS, command_class, summary
from neoverse_ns.cli.quiet import silence_imports
from neoverse_ns.console import say
from neoverse_ns.plugin.user_errors import exit_on_user_error


def entrypoint() -> None:
    """Parse the command line and run the subcommand.

    Bad input ends in one line and exit code 1, the keyboard's Ctrl-C in one line and 130, as shells expect.
    """
    command = parse(sys.argv[1:])
    silence_imports()
    try:
        with exit_on_user_error():
            command.run()
    except KeyboardInterrupt:
        say("stopped; what was not finished was not written")
        raise SystemExit(130) from None


def parse(words: Sequence[str]) -> Any:
    """The command that was typed.

    A command is parsed by itself, so that what is said of it concerns it alone, and no other one is imported. Whatever
    does not begin with a command's name gets the list of them, or is told that there is none of its name.
    """
    if words and words[0] in COMMANDS:
        command = command_class(words[0])
        rest = command.tidied(words[1:]) if hasattr(command, "tidied") else words[1:]
        return tyro.cli(command, prog=f"ns-neoverse {words[0]}", args=rest)
    description = (
        "NeoVerse for nerfstudio: from a clip to a 4D scene. ns-neoverse COMMAND --help tells all about a command."
    )
    return tyro.cli(_listing(), prog="ns-neoverse", description=description, args=words)


def _listing() -> Any:
    """All commands as tyro lists subcommands: without settings, with the first paragraph of their help."""
    parts = []
    for name in COMMANDS:
        light = dataclasses.make_dataclass(name, [], namespace={"__doc__": summary(name)})
        parts.append(Annotated[light, tyro.conf.subcommand(name=name, description=summary(name))])
    return reduce(or_, parts)


if __name__ == "__main__":
    entrypoint()
