"""The synthetic clip of `ns-neoverse demo` as a benchmark clip: everything about it is known exactly."""

from __future__ import annotations

from pathlib import Path

from neoverse_ns.clip.synthetic import render_synthetic, save_synthetic

DEMO = "demo"
"""Name of its row."""

LEAST_FRAMES = 25
"""Frames of the clip that the command renders, at 8 a second."""


def render_demo(folder: Path, num_frames: int) -> Path:
    """Render the clip with its truth into `folder`, with more frames along the same paths where more are wanted.

    Returns:
        The clip's folder.
    """
    target = folder / DEMO
    save_synthetic(render_synthetic(max(num_frames, LEAST_FRAMES)), target)
    return target
