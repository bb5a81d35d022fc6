"""Networks, and `bundle`, on clips of which nothing is known but the pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.errors import NeoVerseError
from neoverse_ns.evaluation.methods.baselines import score_baselines
from neoverse_ns.optimise.held_out import held_out_psnr
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene, build_scene


def clip_rows(
    clip: Path, weights: Sequence[Path], frames: int, side: int, bundle: bool
) -> list[tuple[str, dict[str, float]]]:
    """PSNR of held-out frames, which are every second one, as each draws them; and repeating a frame.

    Args:
        clip: Video or folder of images.
        weights: Folders of checkpoints.
        frames: That are taken, evenly.
        side: Width of what networks see, and of the pictures compared.
        bundle: Also by `bundle`, at the same size.
    """
    config = SceneConfig(
        clip=ClipConfig(num_frames=frames, width=side), num_keyframes=(frames + 1) // 2, held_out_every=2
    )
    rows, scene = [], None
    for folder in weights:
        own = replace(config, reconstructor="network")
        own.network = replace(config.network, weights=str(folder), longest_side=side)
        scene = _add(rows, str(folder), clip, own) or scene
    if bundle:
        scene = _add(rows, "bundle", clip, replace(config, reconstructor="bundle")) or scene
    if scene is not None:
        for name, found in score_baselines(scene.clip, scene.split).items():
            rows.append((name, {"psnr": found["psnr"]}))
    return rows


def _add(rows: list[tuple[str, dict[str, float]]], name: str, clip: Path, config: SceneConfig) -> Scene | None:
    started = time.perf_counter()
    try:
        scene = build_scene(clip, config)
    except NeoVerseError as error:
        rows.append((f"{name}: {error}", {}))
        return None
    rows.append((name, {"psnr": held_out_psnr(scene) or math.nan, "seconds": time.perf_counter() - started}))
    return scene
