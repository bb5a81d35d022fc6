"""Draw the README's pictures from a finished run: held-out frames beside the truth, and the scene from new cameras.

python scripts/make_pictures.py outputs/demo/neoverse/run/config.yml docs/images
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import tyro
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.console import say, warn
from neoverse_ns.errors import NeoVerseError, RunError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.plugin.run import OpenRun, open_run

GAP = 4
"""White pixels between pictures."""


@dataclass
class MakePictures:
    """Pictures of one run."""

    config: tyro.conf.Positional[Path]
    """The run's config.yml."""
    folder: tyro.conf.Positional[Path]
    """Where held_out.jpg and new_views.jpg go."""
    columns: int = 3
    """Pictures a row."""
    aside: float = 0.12
    """How far the outermost new cameras stand beside the path, in units of the clip's median depth."""
    turn_degrees: float = 3.0
    """How far they turn back toward the scene."""


def held_out_picture(run: OpenRun, columns: int) -> UInt8[Tensor, "h w 3"]:
    """Truth above, drawing below, for held-out frames spread over the clip (training frames if none are)."""
    frames = spread(run.split.held_out or run.split.train, columns)
    drawn = run.draw(run.cameras[frames], run.clip.times[frames])
    return tile([list(run.clip.frames[frames]), list(drawn)])


def new_views_picture(run: OpenRun, columns: int, aside: float, turn_degrees: float) -> UInt8[Tensor, "h w 3"]:
    """Rows are times, columns cameras from the left of the path to its right."""
    times = spread(list(range(len(run.clip))), 2)
    rows = []
    for frame in times:
        cameras = beside(run.cameras[[frame] * columns], torch.linspace(-1, 1, columns), aside, turn_degrees)
        rows.append(list(run.draw(cameras, run.clip.times[[frame] * columns])))
    return tile(rows)


def beside(cameras: PinholeCameras, places: Float[Tensor, " n"], aside: float, turn_degrees: float) -> PinholeCameras:
    """Move each camera along its own x axis by `aside` times its place, and turn it back toward what it looked at."""
    twists = torch.zeros(len(cameras), 6)
    twists[:, 0] = aside * places
    twists[:, 4] = -math.radians(turn_degrees) * places
    return PinholeCameras(cameras.c2w @ se3_exp(twists).to(cameras.c2w), cameras.K, cameras.width, cameras.height)


def spread(frames: list[int], count: int) -> list[int]:
    """At most `count` of `frames`, evenly spread and without the very ends where there is a choice."""
    places = (np.arange(min(count, len(frames))) + 0.5) / min(count, len(frames)) * len(frames)
    return [frames[int(place)] for place in places]


def tile(rows: list[list[UInt8[Tensor, "h w 3"]]]) -> UInt8[Tensor, "th tw 3"]:
    """Pictures of one size side by side and below each other, white between them."""
    height, width = rows[0][0].shape[:2]
    step_y, step_x = height + GAP, width + GAP
    page = torch.full((len(rows) * step_y - GAP, max(map(len, rows)) * step_x - GAP, 3), 255, dtype=torch.uint8)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            page[y * step_y : y * step_y + height, x * step_x : x * step_x + width] = picture
    return page


def main() -> int:
    options = tyro.cli(MakePictures, description=__doc__)
    try:
        if not options.config.is_file():
            raise RunError(f"{options.config} does not exist: give the config.yml in a run folder")
        run = open_run(options.config)
        pictures = {
            "held_out.jpg": held_out_picture(run, options.columns),
            "new_views.jpg": new_views_picture(run, options.columns, options.aside, options.turn_degrees),
        }
        options.folder.mkdir(parents=True, exist_ok=True)
        for name, picture in pictures.items():
            path = options.folder / name
            if not cv2.imwrite(str(path), picture.numpy()[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88]):
                raise RunError(f"{path} cannot be written")
            say(f"wrote {path}")
    except (NeoVerseError, OSError) as error:
        warn(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
