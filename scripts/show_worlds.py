"""Draw random worlds on one page, with what is known of them, and tell how long they take.

    python scripts/show_worlds.py docs/pictures/worlds.jpg --rows 4
    python scripts/show_worlds.py wear.jpg --wear

A row is a world: three of its frames, depth (near is bright), and how far what moves goes in four frames, by direction
(red right, green down, blue away). With --wear, a row is a frame as it is, worn in each way alone, and in all of them.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import tyro
from jaxtyping import Float, UInt8
from show_geometry import check_output
from torch import Tensor

from neoverse_ns.clip.wear.apply import wear_inputs
from neoverse_ns.clip.wear.draw import WearDraw
from neoverse_ns.console import say, warn
from neoverse_ns.errors import NeoVerseError, SettingsError
from neoverse_ns.training.data.make_sample import SampleDraw, make_sample
from neoverse_ns.training.data.sets.world_clip import WorldClip
from neoverse_ns.training.data.wear.flow import keyframe_flow

GAP = 4
"""White pixels between pictures."""

WAYS = {
    "blur": WearDraw(shutter=1.5),
    "pixels": WearDraw(scale=0.45),
    "exposure": WearDraw(stops=-0.7, gamma=1.15),
    "noise": WearDraw(electrons=150.0, read=0.015),
    "coding": WearDraw(quality=15),
    "all": WearDraw(1.0, scale=0.7, stops=-0.4, gamma=1.1, electrons=400.0, read=0.01, quality=35),
}


@dataclass
class ShowWorlds:
    """One page of worlds."""

    output: tyro.conf.Positional[Path]
    """Picture to write; its suffix decides the format (jpg, png)."""
    rows: int = 6
    """Worlds."""
    seed: int = 0
    """Of the first one."""
    width: int = 196
    """Of a picture in pixels."""
    height: int = 112
    """Of a picture in pixels."""
    rays: int = 2
    """Per pixel along each axis; training takes 1."""
    wear: bool = False
    """Show wear instead."""


def world_row(clip: WorldClip, rays: int) -> list[UInt8[Tensor, "h w 3"]]:
    """Frames, depth and motion of one world."""
    last = clip.info.frames - 1
    frames = [clip.frame(index, rays=rays) for index in (2, last // 2, last - 2)]
    depth, motion = frames[1].depth, clip.displacement(last // 2, last // 2 + 4)
    assert depth is not None
    known = depth > 0
    near = torch.where(known, depth[known].min() / depth.clamp_min(1e-6), 0.0)
    # Along the camera's axes, in a tenth of the median depth.
    turned = motion.world @ torch.from_numpy(clip.c2w[last // 2][:3, :3]).float()
    colours = (0.5 + 5 * turned / depth[known].median()).clamp(0, 1)
    return [*(frame.rgb for frame in frames), _picture(near[..., None].expand(-1, -1, 3)), _picture(colours)]


def wear_row(clip: WorldClip, options: ShowWorlds) -> list[UInt8[Tensor, "h w 3"]]:
    """The middle one of three frames, clean and worn."""
    draw = SampleDraw([8, 12, 16], [10, 14], False, options.height, options.width)
    sample = make_sample(clip, draw)
    flow, depth, times = keyframe_flow(sample), sample.depth[:3], sample.times[:3]
    worn = [wear_inputs(sample.inputs, way, times, flow, depth)[1] for way in WAYS.values()]
    return [_picture(picture.permute(1, 2, 0)) for picture in (sample.inputs[1], *worn)]


def _picture(values: Float[Tensor, "h w 3"]) -> UInt8[Tensor, "h w 3"]:
    return (values.clamp(0, 1) * 255).round().to(torch.uint8)


def page_of(rows: list[list[UInt8[Tensor, "h w 3"]]]) -> UInt8[np.ndarray, "h w 3"]:
    """All rows on white."""
    lines = []
    for row in rows:
        padded = [np.pad(picture.numpy(), ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for picture in row]
        lines.append(np.concatenate(padded, axis=1))
    return np.concatenate(lines)[:-GAP, :-GAP]


def milliseconds(clip_seed: int, width: int, height: int) -> tuple[float, float]:
    """Of a processor, whatever else it does: making a world, and a frame as training asks for it, with its motion."""
    before = time.process_time()
    clip = WorldClip(clip_seed, width, height)
    _ = clip.c2w, clip.poses
    made = time.process_time()
    indices = range(0, clip.info.frames, 4)
    for index in indices:
        clip.frame(index)
        clip.displacement(index, (index + 4) % clip.info.frames)
    return 1000 * (made - before), 1000 * (time.process_time() - made) / len(indices)


def main() -> int:
    options = tyro.cli(ShowWorlds, description=__doc__)
    try:
        check_output(options.output)
        if min(options.rows, options.width, options.height, options.rays) < 1:
            raise SettingsError("rows, width, height and rays must be at least 1")
        torch.set_num_threads(1)
        rows = []
        for seed in range(options.seed, options.seed + options.rows):
            clip = WorldClip(seed, options.width, options.height)
            rows.append(wear_row(clip, options) if options.wear else world_row(clip, options.rays))
            kind = "static" if clip.info.static else f"{clip.world.things} moving"
            say(f"{seed}: {clip.world.kind}, camera {clip.world.path}, {len(clip.world.parts)} parts, {kind}")
        times = np.array([milliseconds(seed, options.width, options.height) for seed in range(20)])
        world, frame = np.median(times, axis=0)
        say(f"a world takes {world:.1f} ms, a frame of {options.width}x{options.height} with its motion {frame:.1f} ms")
        options.output.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(options.output), page_of(rows)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85]):
            raise SettingsError(f"{options.output}: no picture format is known by its suffix")
    except (NeoVerseError, OSError, cv2.error) as error:
        warn(str(error))
        return 1
    say(f"wrote {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
