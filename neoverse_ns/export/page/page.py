"""Writing the page: one HTML file with style, shaders, scripts and the scene inside."""

from __future__ import annotations

import base64
import html
import json
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import torch

from neoverse_ns.console import say, warn
from neoverse_ns.errors import RunError
from neoverse_ns.export.instant import middle_depth
from neoverse_ns.export.page.blocks import Block, rows_in, scene_blocks
from neoverse_ns.export.page.columns import pack_columns
from neoverse_ns.export.page.quantise import Steps, quantise, steps_for
from neoverse_ns.export.page.share import most_shown
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry import quaternions
from neoverse_ns.rasterize.layers import draw_layers

SCRIPTS = ("unpack.js", "cameras.js", "picture.js", "controls.js", "player.js", "stage.js", "main.js")
"""In the order in which they need each other."""
MOST_BLOCKS = 4096
"""A Gaussian tells its block in twelve bits."""
LARGE = 25_000_000
"""Bytes from which on a page is not opened at once any more."""


def write_page(path: Path, scene: ExportScene, title: str, max_gaussians: int | None = None) -> None:
    """Write a page that plays the scene from any side, in any browser with WebGL2, without network.

    It draws as we do: layer by layer, each sorted by depth, Gaussians moved and faded to the instant, with the same
    pixel filter; colours are of degree 0. Numbers are kept in steps that cost some 50 dB; see
    :mod:`neoverse_ns.export.page.quantise`.

    Args:
        path: The file.
        scene: What is exported.
        title: Shown on it.
        max_gaussians: Keep those that show most; None keeps all.

    Raises:
        OSError: The file cannot be written.
        RunError: The scene is too varied for a page.
    """
    chosen = None
    if max_gaussians is not None and max_gaussians < scene.gaussians.count:
        chosen = most_shown(scene, max_gaussians)
    blocks = scene_blocks(scene, chosen)
    if len(blocks) > MOST_BLOCKS:
        raise RunError(f"a page holds {MOST_BLOCKS} different lives of Gaussians, this scene has {len(blocks)}")
    say(f"packing {rows_in(blocks):,} Gaussians into a page")
    focal = float(scene.cameras.K[:, 0, 0].mean())
    steps = steps_for(focal)
    data, columns = pack_columns(quantise(blocks, focal, steps))
    text = assemble(page_header(scene, blocks, steps, columns, title), data)
    path.write_text(text, "utf8")
    if len(text) > LARGE:
        fitting = int(0.95 * rows_in(blocks) * LARGE / len(text))
        warn(
            f"{path.name} has {len(text) / 1e6:.0f} MB, which takes a while to open: --max-gaussians {fitting} keeps "
            f"it below {LARGE / 1e6:.0f} MB"
        )


@torch.no_grad()
def page_header(
    scene: ExportScene, blocks: list[Block], steps: Steps, columns: list[dict[str, Any]], title: str
) -> dict[str, Any]:
    """What the page has to know beside the numbers: cameras in OpenCV axes, times, blocks, how to draw."""
    cameras, seconds = scene.cameras, scene.seconds.double()
    rotations = quaternions.from_matrix(cameras.c2w[:, :3, :3].double())
    K = cameras.K.double()
    lenses = torch.stack([K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]], dim=1)
    frames = [
        {
            "time": float(scene.times[i]),
            "second": float(seconds[i] - seconds[0]),
            "rotation": rotations[i].tolist(),
            "centre": cameras.c2w[i, :3, 3].tolist(),
            "lens": lenses[i].tolist(),
        }
        for i in range(len(cameras))
    ]
    listed = [
        {
            "layer": block.layer,
            "count": len(block.gaussians),
            **dict(zip(("before", "at", "after"), block.interval, strict=True)),
            "dynamic": block.dynamic,
            "origin": block.origin.tolist(),
        }
        for block in blocks
    ]
    return {
        "title": title,
        "width": cameras.width,
        "height": cameras.height,
        "frames": frames,
        "blocks": listed,
        "columns": columns,
        "steps": asdict(steps),
        "distance": _middle_distance(scene),
        "gamma": scene.options.gamma,
        "nearest": scene.options.nearest_only,
        "antialiased": scene.options.rasterize_mode == "antialiased",
    }


def assemble(header: dict[str, Any], data: bytes) -> str:
    """The page's text; `data` is what :func:`neoverse_ns.export.page.columns.pack_columns` made."""
    parts = {
        "style": static("style.css"),
        "header": json.dumps(header, allow_nan=False).replace("<", "\\u003c"),
        "sorter": static("sorter.js"),
        "vertex": static("vertex.glsl"),
        "fragment": static("fragment.glsl"),
        "script": "\n".join(static(name) for name in SCRIPTS),
        "data": base64.b64encode(data).decode("ascii"),
        "title": html.escape(header["title"]),
    }
    before, *rest = static("page.html").split("{{")
    text = [before]
    for piece in rest:
        name, _, after = piece.partition("}}")
        text += [parts[name], after]
    return "".join(text)


def static(name: str) -> str:
    """A file that belongs to the page."""
    return (resources.files("neoverse_ns.export.page") / "static" / name).read_text("utf8")


def _middle_distance(scene: ExportScene) -> float:
    """From the clip's middle camera to what it sees: the point that is circled."""
    at = len(scene.cameras) // 2
    camera, device = scene.cameras[[at]], scene.gaussians.device
    drawn = draw_layers(
        scene.gaussians,
        float(scene.times[at]),
        camera.viewmats.to(device),
        camera.K.to(device),
        camera.width,
        camera.height,
        scene.options,
    )
    return middle_depth(drawn)
