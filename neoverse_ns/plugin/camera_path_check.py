"""Camera paths that ns-render could only end on with a traceback, refused in one line before a run is loaded."""

from __future__ import annotations

from pathlib import Path

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.fields import get_list, read_json


def check_camera_path(path: Path) -> None:
    """Whether there is a camera to draw in a file that the viewer or a program wrote.

    Raises:
        SettingsError: The file cannot be read, is no camera path, or holds no camera; names it.
    """
    document = read_json(path)
    if "camera_path" not in document:
        raise SettingsError(
            f"{path}: no camera path ('camera_path' is missing); give what the viewer's Render tab saves"
        )
    if not get_list(document["camera_path"], f"camera_path of {path}"):
        raise SettingsError(
            f"{path}: the camera path holds no cameras; add keyframes in the viewer's Render tab, and save it again"
        )
