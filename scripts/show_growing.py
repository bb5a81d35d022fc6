"""Draw what `ns-neoverse multiview` and `extend` left: views side by side, and what of them is invented.

ns-neoverse multiview RUN --rings 2 --output surround
ns-neoverse extend RUN --trajectory pan_left pan_right --angle 30 --num-frames 25 --output wider
python scripts/show_growing.py surround wider docs/pictures
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import tyro
from av.error import FFmpegError
from jaxtyping import UInt8
from PIL import Image

from neoverse_ns.console import say, warn
from neoverse_ns.errors import NeoVerseError, RunError

GAP = 4
HIDDEN = 0.25
"""Brightness that is left of what is invented where only what was seen shall show."""


@dataclass
class ShowGrowing:
    """Pictures of two finished commands."""

    rig: tyro.conf.Positional[Path]
    """What `multiview` wrote."""
    folder: tyro.conf.Positional[Path]
    """Where multiview.jpg goes, and extend.jpg."""
    extended: Path | None = None
    """What `extend` wrote; without it there is no extend.jpg."""
    width: int = 300
    """Of one view, pixels."""


def frame(path: Path, share: float) -> UInt8[np.ndarray, "h w 3"]:
    """One frame of a video, or the picture: 0 is the first, 1 the last.

    Raises:
        RunError: It cannot be read.
    """
    try:
        if path.suffix == ".png":
            return np.asarray(Image.open(path).convert("RGB"))
        with av.open(str(path)) as video:
            frames = [picture.to_ndarray(format="rgb24") for picture in video.decode(video=0)]
    except (OSError, FFmpegError) as error:
        raise RunError(f"{path} cannot be read ({error}): run the command that writes it first") from error
    return frames[round(share * (len(frames) - 1))]


def seen_alone(path: Path, share: float) -> UInt8[np.ndarray, "h w 3"]:
    """The same frame with what is invented darkened."""
    picture = frame(path, share)
    invented = frame(path.with_stem(f"{path.stem}_invented"), share) > 127
    return np.where(invented, HIDDEN * picture, picture).astype(np.uint8)


def sheet(rows: list[list[UInt8[np.ndarray, "_h _w 3"]]], width: int) -> UInt8[np.ndarray, "h w 3"]:
    """Pictures of one shape in rows, each `width` wide."""
    height = round(width * rows[0][0].shape[0] / rows[0][0].shape[1])
    across, down = len(rows[0]) * (width + GAP) - GAP, len(rows) * (height + GAP) - GAP
    whole = np.full((down, across, 3), 255, np.uint8)
    for i, row in enumerate(rows):
        for k, picture in enumerate(row):
            top, left = i * (height + GAP), k * (width + GAP)
            small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
            whole[top : top + height, left : left + width] = small
    return whole


def rig_picture(folder: Path, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """All cameras at one moment from left to right, and below what of them was seen."""
    views = json.loads((folder / "cameras.json").read_text("utf8"))["views"]
    left, right = (
        sorted((n for n in views if n.startswith(side)), reverse=side == "left") for side in ("left", "right")
    )
    files = [folder / views[name]["file"] for name in [*left, "front", *right]]
    shown = [frame(file, 0.5) for file in files]
    known = [shown[i] if file.stem == "front" else seen_alone(file, 0.5) for i, file in enumerate(files)]
    return sheet([shown, known], width)


def extended_picture(folder: Path, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The ends of all trajectories: what was seen, and what the view became."""
    files = sorted(file for file in folder.glob("*.mp4") if not file.stem.endswith("_invented"))
    if not files:
        raise RunError(f"{folder} holds no views: run ns-neoverse extend first")
    return sheet([[seen_alone(file, 1.0) for file in files], [frame(file, 1.0) for file in files]], width)


def main() -> int:
    options = tyro.cli(ShowGrowing, description=__doc__)
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
        pictures = {"multiview.jpg": rig_picture(options.rig, options.width)}
        if options.extended is not None:
            pictures["extend.jpg"] = extended_picture(options.extended, options.width)
        for name, picture in pictures.items():
            Image.fromarray(picture).save(options.folder / name, quality=88)
            say(f"wrote {options.folder / name}")
    except NeoVerseError as error:
        warn(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
