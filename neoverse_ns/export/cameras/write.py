"""All camera formats at once, since together they are small."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from neoverse_ns.console import say
from neoverse_ns.export.camera_files import transforms_json, write_tum
from neoverse_ns.export.cameras.blender import blender_script
from neoverse_ns.export.cameras.track import CameraTrack, camera_track
from neoverse_ns.export.colmap.binary import write_binary
from neoverse_ns.export.colmap.model import colmap_model
from neoverse_ns.export.colmap.text import write_text
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.trajectory.camera_path import opencv_to_opengl, to_camera_path
from neoverse_ns.trajectory.foreign.tum import path_note
from neoverse_ns.trajectory.plain_json import plain

FOLDER, BLENDER, USD = "cameras", "blender_camera.py", "camera.usda"


def write_cameras(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
    """Write the clip's cameras, refined where they were, or those of `options.trajectory`, into `cameras/`.

    In this package's world (the first camera's OpenCV axes):

    - `cameras.json`: everything, with times of the scene and of the video.
    - `cameras.tum`: seconds, position, quaternion xyzw per frame.
    - `transforms.json`: OpenGL cameras; its pictures, `images/...`, are those that the format `colmap` writes.
    - `colmap/sparse/0/`: a model without points, as text and binary.

    Names of cameras that are no frames of the clip begin with `neoverse_path_`, and the TUM file of such has a
    comment: read back, they are not taken for the clip's. COLMAP and TUM cannot say which moments such a path shows.

    In worlds with an axis up:

    - `camera_path.json`: nerfstudio's, in the run's own nerfstudio world, for `ns-render camera-path` and the viewer.
    - `blender_camera.py`: makes an animated camera; see :func:`neoverse_ns.export.cameras.blender.blender_script`.
    - `camera.usda`: an animated USD camera, where usd-core is installed; `options.up` says which axis is up.

    Returns:
        The files, and the folder `colmap`.

    Raises:
        OSError, RunError: They cannot be written.
        SettingsError: There is no such trajectory, or there are no such instants.
    """
    track = camera_track(scene, options)
    there = folder / FOLDER
    there.mkdir(parents=True, exist_ok=True)
    images = [f"images/{name}" for name in track.names]
    documents = {
        "cameras.json": _document(track),
        "transforms.json": transforms_json(track.cameras, images, track.times) | {"fps": track.fps},
        "camera_path.json": _camera_path(track),
    }
    for name, document in documents.items():
        (there / name).write_text(json.dumps(document, indent=1, allow_nan=False), "utf8")
    note = None if track.of_clip else path_note(track.fps if track.flown else None)
    write_tum(there / "cameras.tum", track.cameras.c2w, track.seconds, note)
    model, sparse = colmap_model(track.cameras, track.names), there / "colmap" / "sparse" / "0"
    write_binary(model, sparse)
    write_text(model, sparse)
    (there / BLENDER).write_text(blender_script(track, BLENDER), "utf8")
    files = [there / name for name in (*documents, "cameras.tum", BLENDER)] + [there / "colmap"]
    if find_spec("pxr") is None:
        say("no USD camera: pip install 'neoverse-ns[exports]' (usd-core, for Python 3.11 and later) for it")
        return files
    return [*files, _write_usd(track, options, there / USD)]


def _document(track: CameraTrack) -> dict[str, Any]:
    numbers = track.frame_indices
    frames = [
        ({} if numbers is None else {"frame_index": numbers[i], "time_sec": track.seconds[i]})
        | {
            "name": track.names[i],
            "time": track.times[i],
            "second": track.seconds[i],
            "c2w": track.cameras.c2w[i],
            "K": track.cameras.K[i],
        }
        for i in range(len(track))
    ]
    size = {"width": track.cameras.width, "height": track.cameras.height}
    return plain({"convention": "opencv_c2w"} | size | {"fps": track.fps, "frames": frames})


def _camera_path(track: CameraTrack) -> dict[str, Any]:
    size = track.cameras.width, track.cameras.height
    # It turns the axes itself.
    poses = opencv_to_opengl(track.opengl_z_up())
    return to_camera_path(poses, track.cameras.K, track.times, *size, track.fps)


def _write_usd(track: CameraTrack, options: ExportOptions, path: Path) -> Path:
    from neoverse_ns.export.usd.camera import add_camera
    from neoverse_ns.export.usd.stage import WORLD, codes_of, open_stage

    stage = open_stage(path, options.up, track.fps)
    codes = codes_of(track.seconds.tolist(), track.fps)
    stage.SetStartTimeCode(codes[0])
    stage.SetEndTimeCode(codes[-1])
    add_camera(stage, f"{WORLD}/Camera", track.cameras, codes)
    stage.Save()
    return path
