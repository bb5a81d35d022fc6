"""Synthetic benchmark clips, of which everything is known: that of `ns-neoverse demo`, and one from a tripod."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic, save_synthetic
from neoverse_ns.clip.synthetic.path import beside, camera_path
from neoverse_ns.clip.synthetic.render import render_world
from neoverse_ns.clip.synthetic.scene import GROUND, build_scene
from neoverse_ns.clip.synthetic.solids import Solid, rigid
from neoverse_ns.clip.synthetic.textures import Texture, random_lattice
from neoverse_ns.geometry.cameras import PinholeCameras

DEMO, DEMO_STILL = "demo", "demo_still"
"""Names of their rows."""

LEAST_FRAMES = 25
"""Frames of the clip that the command renders, at 8 a second."""

SIZE, RATE = (384, 224), 8.0
"""Width and height of both clips, and their frames a second."""

RADIUS = 0.1
"""Of the ball that rolls before the still camera, in scene units: two thousandths of the picture."""
GRAIN = 0.7
"""Standard deviation of the still camera's noise, grey levels. Without any, repeating a frame would be perfect."""


def render_demo(folder: Path, num_frames: int) -> Path:
    """Render the clip with its truth into `folder`, with more frames along the same paths where more are wanted.

    Returns:
        The clip's folder.
    """
    target = folder / DEMO
    save_synthetic(render_synthetic(max(num_frames, LEAST_FRAMES)), target)
    return target


def render_demo_still(folder: Path, num_frames: int) -> Path:
    """The same for the demo's yard from a tripod: one small ball rolls through it, and nothing else moves.

    There is no second camera: nothing that a camera on a tripod sees tells how far away one beside it would stand.
    """
    target = folder / DEMO_STILL
    save_synthetic(still_clip(max(num_frames, LEAST_FRAMES)), target)
    shutil.rmtree(target / "right_images")
    return target


def still_clip(num_frames: int, width: int = 384, height: int = 224) -> SyntheticClip:
    """What :func:`render_demo_still` writes."""
    generator = torch.Generator().manual_seed(0)
    lattice = random_lattice(generator)
    scene = [solid for solid in build_scene(generator) if not solid.thing]
    texture = Texture((0.6, 0.05, 0.05), (1.0, 0.85, 0.25), 4.0)
    scene.append(Solid("sphere", (RADIUS, RADIUS, RADIUS), texture, _rolling_by, thing=1))
    middle = camera_path(3, width, height, generator)[[1] * num_frames]
    clip = render_world(scene, lattice, middle, fps=8.0)
    noise = GRAIN * torch.randn(clip.frames.shape, generator=generator)
    return replace(clip, frames=(clip.frames + noise).round().clamp(0, 255).to(torch.uint8))


def _rolling_by(time: float) -> Float[Tensor, "4 4"]:
    """From left to right over open ground, without slipping: it turns by its way divided by its radius."""
    way = 0.6 * time
    # Rolling toward its own z axis, which is turned to the right.
    return rigid((-0.5 + way, GROUND - RADIUS, 4.6), yaw=torch.pi / 2, pitch=-way / RADIUS)


@dataclass(frozen=True)
class Foretold:
    """What is known of a synthetic clip before it is rendered.

    Attributes:
        cameras: Of its frames.
        right: The second camera; None where there is none.
    """

    cameras: PinholeCameras
    right: PinholeCameras | None = None


def foretold_demo(num_frames: int) -> Foretold:
    """Of :func:`render_demo`."""
    cameras = camera_path(max(num_frames, LEAST_FRAMES), *SIZE, _after_scene())
    return Foretold(cameras, beside(cameras))


def foretold_demo_still(num_frames: int) -> Foretold:
    """Of :func:`render_demo_still`."""
    return Foretold(camera_path(3, *SIZE, _after_scene())[[1] * max(num_frames, LEAST_FRAMES)])


def _after_scene() -> torch.Generator:
    """What draws the camera's shake, once it has drawn all that stands there."""
    generator = torch.Generator().manual_seed(0)
    random_lattice(generator)
    build_scene(generator)
    return generator


FORETOLD: dict[str, Callable[[int], Foretold]] = {DEMO: foretold_demo, DEMO_STILL: foretold_demo_still}
"""What says of each how it will be, by name."""
SYNTHETIC: dict[str, Callable[[Path, int], Path]] = {DEMO: render_demo, DEMO_STILL: render_demo_still}
"""What renders each, by name."""
