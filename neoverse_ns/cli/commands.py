"""The commands of `ns-neoverse` by name. A command's module is imported when the command is asked for, and not before:
most bring torch, and some much more."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

_HERE = "neoverse_ns.cli"

COMMANDS: dict[str, str] = {
    "reconstruct": "reconstruct:Reconstruct",
    "export": "export:Export",
    "generate": "generate:Generate",
    "trajectory": "trajectory:TrajectoryCommand",
    "render": "render:Render",
    "batch": "batch:Batch",
    "cache": "cache:CacheCommand",
    "extend": "applications.extend:Extend",
    "multiview": "applications.multiview:Multiview",
    "background": "applications.background:BackgroundCommand",
    "superres": "applications.superres:Superres",
    "track": "applications.track:Track",
    "stabilize": "applications.stabilize:Stabilize",
    "bullet-time": "applications.bullet_time:BulletTime",
    "evaluate": "evaluate:Evaluate",
    "demo": "demo:Demo",
    "data": "data:DataCommand",
    "weights": "weights:Weights",
    "edit": "applications.edit:Edit",
    "ablate": "ablate:Ablate",
    "time-gaps": "time_gaps:TimeGaps",
    "train-control": "train_control:TrainControl",
    "train-reconstructor": "train_reconstructor:TrainReconstructor",
}
"""Module in this package, and class in it, of every command, in the order of the help."""


def command_class(name: str) -> type[Any]:
    """The command of a name in :data:`COMMANDS`."""
    module, _, kind = COMMANDS[name].partition(":")
    return getattr(importlib.import_module(f"{_HERE}.{module}"), kind)


def summary(name: str) -> str:
    """What a command is for: the first paragraph of its help, read from its file without importing it."""
    module, _, kind = COMMANDS[name].partition(":")
    file = Path(__file__).parent.joinpath(*module.split(".")).with_suffix(".py")
    for node in ast.parse(file.read_text("utf8")).body:
        if isinstance(node, ast.ClassDef) and node.name == kind:
            return (ast.get_docstring(node) or "").partition("\n\n")[0]
    raise LookupError(f"{file} has no class {kind}")
