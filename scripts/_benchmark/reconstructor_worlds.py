"""Networks, and `bundle`, on worlds that no training draws."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import cv2
import torch

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.console import progress
from neoverse_ns.errors import NeoVerseError
from neoverse_ns.metrics.camera import rpe_rotation_degrees
from neoverse_ns.networks.neoverse.checkpoint import load_network
from neoverse_ns.optimise.held_out import held_out_psnr
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import build_scene
from neoverse_ns.training.data.draw import SampleConfig
from neoverse_ns.training.data.make_sample import draw_sample
from neoverse_ns.training.data.plan import PlanConfig
from neoverse_ns.training.data.sets.worlds import WorldClip, WorldRows
from neoverse_ns.training.data.sources import ClipSource
from neoverse_ns.training.reconstructor.clip_terms import one_of
from neoverse_ns.training.reconstructor.initial import InitialConfig, starting_network
from neoverse_ns.training.reconstructor.losses.config import LossConfig
from neoverse_ns.training.reconstructor.objective import Objective
from neoverse_ns.training.reconstructor.validation.measures import mean_figures, measure
from neoverse_ns.training.reconstructor.validation.samples import FixedSamples, plain

SPLIT = "test"


def network_row(folder: Path, worlds: int, keyframes: int, plan: PlanConfig, trained: bool = True) -> dict[str, float]:
    """Mean figures of a checkpoint, or of a network of its size that has learned nothing."""
    network, known = load_network(folder / "reconstructor.ckpt")
    if not trained:
        network = starting_network(InitialConfig("scratch"), known.architecture, 0, plan.longest_side)
    objective = Objective(network, LossConfig(lpips=0.0), recompute=False).eval()
    samples = _samples(worlds, keyframes, plan)
    figures = []
    with torch.no_grad(), progress(f"judging {folder.name if trained else 'an untrained network'}", worlds) as bar:
        for number in range(worlds):
            batch = samples[number]
            if batch is not None:
                result = objective(batch)
                drawn = result.drawn
                figures.append(measure(one_of(batch.tensors, 0), drawn.rgb[0], drawn.alpha[0], result.predictions))
            bar.advance()
    return mean_figures(figures)


def bundle_row(worlds: int, keyframes: int, plan: PlanConfig, scale: int) -> dict[str, float]:
    """Mean figures of `bundle` on the same frames; `failed` counts worlds that it could not reconstruct."""
    rows, failed, figures = _rows(worlds, plan), 0, []
    height, width = plan.size(plan.aspect[0])
    with progress("bundle", worlds) as bar:
        for number in range(worlds):
            source = rows[number * len(rows) // worlds].source
            clip = WorldClip(int(source["seed"]), width * scale, height * scale)
            generator = torch.Generator().manual_seed(number)
            draw = draw_sample(clip.info, keyframes, height, width, plain(SampleConfig()), generator)
            frames = sorted([*draw.keyframes, *draw.intermediates])
            try:
                figures.append(_bundle(clip, frames, keyframes))
            except NeoVerseError:
                failed += 1
            bar.advance()
    return {**mean_figures(figures), "failed": failed}


def _bundle(clip: WorldClip, frames: list[int], keyframes: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        for place, number in enumerate(frames):
            rgb = clip.frame(number).rgb.numpy()
            cv2.imwrite(f"{folder}/{place:04d}.png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        config = SceneConfig(
            clip=ClipConfig(num_frames=len(frames)),
            reconstructor="bundle",
            num_keyframes=keyframes,
            held_out_every=2,
        )
        scene = build_scene(Path(folder), config)
    found = scene.geometry.cameras.c2w[scene.split.keyframes]
    true = torch.from_numpy(clip.c2w)[[frames[k] for k in scene.split.keyframes]]
    return {
        "psnr": held_out_psnr(scene) or math.nan,
        "rotation_degrees": rpe_rotation_degrees(found.double(), true.double()).mean,
    }


def _samples(worlds: int, keyframes: int, plan: PlanConfig) -> FixedSamples:
    source = ClipSource("worlds", Path(), _rows(worlds, plan))
    return FixedSamples([source], worlds, keyframes, plan, SampleConfig())


def _rows(worlds: int, plan: PlanConfig) -> WorldRows:
    height, width = plan.size(plan.aspect[0])
    return WorldRows(worlds, SPLIT, width, height)
