"""Pictures for docs/applications: the demo's clip without its movers, and a part of it enlarged.

    python scripts/show_clean.py --demo-run RUN --output docs/pictures

RUN is a finished run of the demo's clip. For the enlarged part, the run's scene is given means over the pixels of the
larger clip as its frames.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
import tyro
from _benchmark.clip_pairs import DEMO, larger, reduced, world_named
from jaxtyping import UInt8
from numpy import ndarray

from neoverse_ns.api.runs import load
from neoverse_ns.applications.background.extract import extract_background
from neoverse_ns.applications.superres.config import SuperresConfig
from neoverse_ns.applications.superres.fuse import fuse
from neoverse_ns.applications.superres.sizes import enlarged
from neoverse_ns.applications.superres.surfaces import Surfaces
from neoverse_ns.clip.synthetic.render import render_colour
from neoverse_ns.export.scene import ExportScene

FRAMES: tuple[int, ...] = (3, 12, 21)
PART = (slice(150, 330), slice(250, 550))
"""Rows and columns of the larger picture that are shown."""
QUALITY = 85


@dataclass
class ShowClean:
    """What is shown, and where it goes."""

    demo_run: Path
    """A finished run of the demo's clip, 25 frames of 384x224."""
    output: Path = Path("docs/pictures")
    """Folder of the pictures."""


def background_picture(scene: ExportScene) -> UInt8[ndarray, "h w 3"]:
    """The clip, the clip without movers, the truth, and whose pixels they are, side by side."""
    assert scene.source is not None
    world = world_named(DEMO, len(scene.times))
    made = extract_background(scene, scene.as_filmed[list(FRAMES)])
    rows = []
    for place, frame in enumerate(FRAMES):
        whose = (128 * made.seen[place].int() + 127 * made.own[place].int()).to(torch.uint8)
        shown = [scene.source.clip.frames[frame], made.frames[place], world.empty(frame)]
        rows.append(np.hstack([part.numpy() for part in (*shown, whose[..., None].expand(-1, -1, 3))]))
    return np.vstack(rows)


def superres_picture(scene: ExportScene, frame: int = 12) -> UInt8[ndarray, "h w 3"]:
    """A part of a frame: bicubic, enlarged, the truth."""
    world, config = world_named(DEMO, len(scene.times)), SuperresConfig()
    reach = range(frame - config.neighbours, frame + config.neighbours + 1)
    cameras = larger(world.cameras, config.scale)
    large = torch.stack([render_colour(world.solids, world.lattice, world.time(i), cameras[[i]]) for i in reach])
    given = list(reduced(large, config.scale).numpy().astype(np.float32) / 255)
    near = replace(scene, cameras=scene.cameras[list(reach)], times=scene.times[list(reach)])
    made = fuse(given, Surfaces.of(near), config.neighbours, config)
    plain = enlarged(given[config.neighbours], config.scale)
    truth = large[config.neighbours].numpy().astype(np.float32) / 255
    parts = [(picture[PART].clip(0, 1) * 255).round().astype(np.uint8) for picture in (plain, made, truth)]
    return np.hstack(parts)


def main() -> None:
    options = tyro.cli(ShowClean, description=__doc__)
    scene = load(options.demo_run)
    options.output.mkdir(parents=True, exist_ok=True)
    for name, picture in (("background", background_picture(scene)), ("superres", superres_picture(scene))):
        scaled = (
            cv2.resize(picture, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
            if name == "background"
            else picture
        )
        quality = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        cv2.imwrite(str(options.output / f"{name}.jpg"), scaled[..., ::-1], quality)


if __name__ == "__main__":
    main()
