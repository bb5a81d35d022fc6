"""The cameras that a video was made along, as a file beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch

from neoverse_ns.errors import RunError
from neoverse_ns.trajectory.foreign.entry import PATH_PREFIX
from neoverse_ns.trajectory.options import DEFAULT_FPS
from neoverse_ns.trajectory.plain_json import plain
from neoverse_ns.trajectory.trajectory import Trajectory

SUFFIX = "_cameras.json"
"""Behind the video's name."""


def write_cameras_beside(video: Path, trajectory: Trajectory) -> Path:
    """Write NAME_cameras.json beside a video or folder of frames: a camera per frame, in the scene's world.

    It has the form of the export `cameras.json`, so it is read wherever a trajectory is asked for, and by
    `ns-neoverse evaluate`, which measures how well the video followed it.

    Raises:
        RunError: It cannot be written.
    """
    cameras, fps = trajectory.cameras, trajectory.fps or DEFAULT_FPS
    frames = [
        {
            "name": f"{PATH_PREFIX}{number:05d}.png",
            "time": float(time),
            "second": number / fps,
            "c2w": cameras.c2w[number].double(),
            "K": cameras.K[number].double(),
        }
        for number, time in enumerate(trajectory.times.to(torch.float64))
    ]
    size = {"width": cameras.width, "height": cameras.height}
    document = plain({"convention": "opencv_c2w"} | size | {"fps": fps, "frames": frames})
    file = video.with_name(f"{video.stem}{SUFFIX}")
    draft = file.with_name(f".writing-{os.getpid()}-{file.name}")
    try:
        draft.write_text(json.dumps(document, allow_nan=False), "utf8")
        os.replace(draft, file)
    except OSError as error:
        raise RunError(
            f"cannot write {file} ({error.strerror or error}): free space, or choose another place"
        ) from error
    return file
