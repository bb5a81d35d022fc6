"""Draw points that were followed through a run's clip: a few frames of it, side by side.

python scripts/show_tracks.py demo/outputs/demo/neoverse/run --output docs/pictures/tracks.jpg
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
import tyro
from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.api.runs import load
from neoverse_ns.applications.track.pictures import draw_tracks
from neoverse_ns.applications.track.queries import grid
from neoverse_ns.applications.track.track import track
from neoverse_ns.applications.track.tracks import Tracks
from neoverse_ns.console import say
from neoverse_ns.errors import NeoVerseError

GAP = 6
"""Pixels between pictures."""


@dataclass
class ShowTracks:
    """Draw tracks over a few frames."""

    run: tyro.conf.Positional[Path]
    """A finished run."""
    output: Path = Path("docs/pictures/tracks.jpg")
    """The picture to write."""
    grid: int = 32
    """Points in a row."""
    frame: int | None = None
    """Frame that they are given in; the middle one by default."""
    shown: int = 3
    """How many frames are shown, from the first to the last."""
    width: int = 1440
    """Of the picture, pixels."""


def sheet(frames: UInt8[Tensor, "n h w 3"], tracks: Tracks, shown: int, width: int) -> UInt8[Tensor, "sh sw 3"]:
    """A few frames with tracks, side by side.

    Args:
        frames: Of the clip.
        tracks: Of points in these.
        shown: How many frames.
        width: Of all of them together, pixels.
    """
    drawn = draw_tracks(frames, tracks)
    chosen = torch.linspace(0, len(drawn) - 1, shown).round().long()
    each = (width - GAP * (shown - 1)) // shown
    height = round(each * drawn.shape[1] / drawn.shape[2])
    whole = torch.full((height, each * shown + GAP * (shown - 1), 3), 255, dtype=torch.uint8)
    for place, frame in enumerate(chosen.tolist()):
        small = cv2.resize(drawn[frame].numpy(), (each, height), interpolation=cv2.INTER_AREA)
        left = place * (each + GAP)
        whole[:, left : left + each] = torch.from_numpy(small)
    return whole


def main() -> int:
    options = tyro.cli(ShowTracks, description=__doc__)
    try:
        scene = load(options.run)
        assert scene.source is not None, "a run knows its frames"
        frame = len(scene.cameras) // 2 if options.frame is None else options.frame
        tracks = track(scene, grid(options.grid, frame, scene.cameras.width, scene.cameras.height))
    except NeoVerseError as error:
        say(f"Error: {error}")
        return 1
    picture = sheet(scene.source.clip.frames, tracks, options.shown, options.width)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(options.output), picture.numpy()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    say(f"wrote {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
