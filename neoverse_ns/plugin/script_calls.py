"""What nerfstudio's commands were asked for, where they tell a method nothing of it.

`eval_setup` reads a run's config.yml as text and never says which file that was, and `ns-render camera-path` reads its
cameras only after the run is loaded. Both know the answer in a local variable of theirs, up the call stack: exact for
every command, for scripts and for calls from Python alike, unlike the process's command line. Where nerfstudio renames
such a variable nothing is found, and runs are looked for where they were trained, as nerfstudio itself does.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_LOADER = "nerfstudio.utils.eval_utils"
_TRAINING = "nerfstudio.scripts.train"
_RENDERING = "nerfstudio.scripts.render"
_SHOWING = "nerfstudio.scripts.viewer.run_viewer"
_VIEWER = "nerfstudio.viewer.viewer"
_MODULES = (_LOADER, _TRAINING, _RENDERING, _SHOWING, _VIEWER)


def config_being_read() -> Path | None:
    """The config.yml that nerfstudio is loading right now; None outside of that."""
    for module, known in _callers():
        path = None
        if module == _LOADER:
            path = known.get("config_path")
        elif module == _TRAINING:
            path = getattr(known.get("config"), "load_config", None)
        if isinstance(path, Path):
            return path
    return None


def camera_path_asked_for() -> Path | None:
    """The file whose cameras `ns-render camera-path` is about to draw; None in every other command."""
    for module, known in _callers():
        path = getattr(known.get("self"), "camera_path_filename", None)
        if module == _RENDERING and isinstance(path, Path):
            return path
    return None


def viewer_being_built() -> bool:
    """Whether nerfstudio's viewer is just being built: it reads every property of the model, and shows none."""
    return any(module == _VIEWER and not getattr(known.get("self"), "ready", True) for module, known in _callers())


def viewer_being_started() -> bool:
    """Whether `ns-viewer` is about to start its viewer."""
    return any(module == _SHOWING for module, _ in _callers())


def _callers() -> Iterator[tuple[str, dict[str, Any]]]:
    """Module names and local variables of the functions that are running, innermost first."""
    frame = inspect.currentframe()
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name in _MODULES:
            yield name, frame.f_locals
        frame = frame.f_back
