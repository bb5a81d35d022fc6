"""What all examples take from the command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Arguments:
    """A clip, a folder for results, steps of optimisation, and frames of new videos."""

    clip: Path
    folder: Path
    steps: int
    frames: int


def arguments(description: str | None) -> Arguments:
    """Read the command line; where it names no clip, a small synthetic one is made in the folder."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", nargs="?", type=Path, help="video, folder of images, or image")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("out"), help="where results go")
    parser.add_argument("--steps", type=int, default=200, help="steps of optimisation")
    parser.add_argument("--frames", type=int, default=49, help="frames of new videos")
    found = parser.parse_args()
    found.folder.mkdir(parents=True, exist_ok=True)
    return Arguments(found.clip or synthetic_clip(found.folder / "synthetic"), found.folder, found.steps, found.frames)


def synthetic_clip(folder: Path, frames: int = 13, width: int = 192, height: int = 112) -> Path:
    """A video of a courtyard with moving things, filmed by hand; made once."""
    from neoverse_ns.clip.synthetic import render_synthetic, save_synthetic

    clip = folder / "clip.mp4"
    return clip if clip.is_file() else save_synthetic(render_synthetic(frames, width, height), folder)
