"""Entry point of `ns-neoverse`."""

from __future__ import annotations

import sys
import typing
from typing import Annotated, Any

import tyro

from neoverse_ns.cli.applications.background import BackgroundCommand
from neoverse_ns.cli.applications.bullet_time import BulletTime
from neoverse_ns.cli.applications.edit import Edit
from neoverse_ns.cli.applications.extend import Extend
from neoverse_ns.cli.applications.multiview import Multiview
from neoverse_ns.cli.applications.stabilize import Stabilize
from neoverse_ns.cli.applications.superres import Superres
from neoverse_ns.cli.applications.track import Track
from neoverse_ns.cli.batch import Batch
from neoverse_ns.cli.cache import CacheCommand
from neoverse_ns.cli.data import DataCommand
from neoverse_ns.cli.demo import Demo
from neoverse_ns.cli.evaluate import Evaluate
from neoverse_ns.cli.export import Export
from neoverse_ns.cli.generate import Generate
from neoverse_ns.cli.quiet import silence_imports
from neoverse_ns.cli.reconstruct import Reconstruct
from neoverse_ns.cli.render import Render
from neoverse_ns.cli.train_control import TrainControl
from neoverse_ns.cli.train_reconstructor import TrainReconstructor
from neoverse_ns.cli.trajectory import TrajectoryCommand
from neoverse_ns.cli.weights import Weights
from neoverse_ns.console import say
from neoverse_ns.plugin.user_errors import exit_on_user_error

Command = (
    Annotated[Reconstruct, tyro.conf.subcommand(name="reconstruct")]
    | Annotated[Export, tyro.conf.subcommand(name="export")]
    | Annotated[Generate, tyro.conf.subcommand(name="generate")]
    | Annotated[TrajectoryCommand, tyro.conf.subcommand(name="trajectory")]
    | Annotated[Render, tyro.conf.subcommand(name="render")]
    | Annotated[Batch, tyro.conf.subcommand(name="batch")]
    | Annotated[CacheCommand, tyro.conf.subcommand(name="cache")]
    | Annotated[Extend, tyro.conf.subcommand(name="extend")]
    | Annotated[Multiview, tyro.conf.subcommand(name="multiview")]
    | Annotated[BackgroundCommand, tyro.conf.subcommand(name="background")]
    | Annotated[Superres, tyro.conf.subcommand(name="superres")]
    | Annotated[Track, tyro.conf.subcommand(name="track")]
    | Annotated[Stabilize, tyro.conf.subcommand(name="stabilize")]
    | Annotated[BulletTime, tyro.conf.subcommand(name="bullet-time")]
    | Annotated[Demo, tyro.conf.subcommand(name="demo")]
    | Annotated[DataCommand, tyro.conf.subcommand(name="data")]
    | Annotated[Evaluate, tyro.conf.subcommand(name="evaluate")]
    | Annotated[Weights, tyro.conf.subcommand(name="weights")]
    | Annotated[Edit, tyro.conf.subcommand(name="edit")]
    | Annotated[TrainControl, tyro.conf.subcommand(name="train-control")]
    | Annotated[TrainReconstructor, tyro.conf.subcommand(name="train-reconstructor")]
)


def entrypoint() -> None:
    """Parse the command line and run the subcommand.

    Bad input ends in one line and exit code 1, the keyboard's Ctrl-C in one line and 130, as shells expect.
    """
    command = _parse(sys.argv[1:])
    silence_imports()
    try:
        with exit_on_user_error():
            command.run()
    except KeyboardInterrupt:
        say("stopped; what was not finished was not written")
        raise SystemExit(130) from None


def _parse(words: list[str]) -> Any:
    """The command that was typed; a command is parsed by itself, so that what is said of it concerns it alone."""
    for part in typing.get_args(Command):
        command, *marks = typing.get_args(part)
        if words and any(getattr(mark, "name", None) == words[0] for mark in marks):
            rest = command.tidied(words[1:]) if command is TrainReconstructor else words[1:]
            return tyro.cli(command, prog=f"ns-neoverse {words[0]}", args=rest)
    description = "NeoVerse for nerfstudio: from a clip to a 4D scene."
    return tyro.cli(Command, description=description, args=words)  # pyright: ignore


if __name__ == "__main__":
    entrypoint()
