"""Measure what teaching the internal refiner on worn views gains: on worn views of held-out frames, and on clean ones.

    python scripts/benchmark_worn_refiner.py
    python scripts/benchmark_worn_refiner.py --clip CLIP --lpips-weights ALEXNET --steps 400

The clip (by default the synthetic one) is reconstructed from its training frames; two refiners learn from them with
equal seeds, one shown worn views in `--share` of the rounds. Both are then shown degraded drawings of the held-out
frames, whose seeds neither has met, with the training frames to look pixels up in: as they are, and worn alike. Printed
are PSNR in dB and, where there are weights, LPIPS against the held-out frames as filmed.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.synthetic.render import render_synthetic
from neoverse_ns.clip.synthetic.save import save_synthetic
from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.clip.wear.draw import WearDraw, draw_wear
from neoverse_ns.console import say
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.degradation.geometry import context_depths
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.generate.degradation.simulate import simulate
from neoverse_ns.generate.refiners.internal.network_inputs import gather
from neoverse_ns.generate.refiners.internal.reference_lookup import References
from neoverse_ns.generate.refiners.internal.settings import InternalSettings
from neoverse_ns.generate.refiners.internal.state import TrainingState
from neoverse_ns.generate.refiners.internal.training import train
from neoverse_ns.generate.refiners.internal.training_pairs import make_training_pairs
from neoverse_ns.generate.refiners.internal.worn_views import WornViews
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.metrics.image import psnr
from neoverse_ns.metrics.lpips import LPIPS, load_lpips
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene, build_scene

FIRST_SEED = 10_000
"""Of what is judged: far from any that training is given."""
MASK_ALPHA = 0.95
"""Opacity from which on a pixel is marked as to be kept."""


@dataclass
class WearBenchmark:
    """Compare the internal refiner taught with and without worn views."""

    clip: Path | None = None
    """A video; by default the synthetic clip."""
    frames: int = 25
    """Frames sampled of it."""
    width: int = 224
    """Their width."""
    steps: int = 400
    """Training steps of each refiner."""
    share: float = 0.5
    """Share of the rounds of training pairs that are worn."""
    rounds: int = 12
    """Rounds of training pairs: each is worn in one way."""
    judged: int = 6
    """Ways to wear the held-out views."""
    seed: int = 0
    """Of the refiners' training."""
    lpips_weights: Path | None = None
    """File with AlexNet's weights for LPIPS; by default torch's cache is searched."""


def scene_of(options: WearBenchmark) -> Scene:
    """The clip's scene from its training frames."""
    config = SceneConfig(clip=ClipConfig(num_frames=options.frames, width=options.width), reconstructor="bundle")
    if options.clip is not None:
        return build_scene(options.clip, config)
    with tempfile.TemporaryDirectory() as folder:
        height = round(options.width * 0.5625 / 16) * 16
        video = save_synthetic(render_synthetic(options.frames, options.width, height), Path(folder))
        return build_scene(video, config)


def taught(source: SourceScene, options: WearBenchmark, wear: WearConfig) -> TrainingState:
    """A refiner's network after its steps."""
    settings = InternalSettings(steps=options.steps, rounds=options.rounds, wear=wear)
    references, scale = References.of(source), context_depths(source).scale
    state = TrainingState.start(settings, options.seed, source.gaussians.device)
    train(state, make_training_pairs(source, references, scale, settings, options.seed), settings)
    return state


def held_out_views(scene: Scene, seed: int) -> tuple[Conditions, torch.Tensor]:
    """Degraded drawings of the held-out frames, and the frames."""
    every, held = scene.clip, scene.split.held_out
    assert scene.gaussians is not None
    whole = SourceScene(every.frames, scene.geometry.cameras, every.times, scene.geometry.keyframes, scene.gaussians)
    settings = DegradationSettings(drop_conditions=0.0, drop_mask=0.0)
    pair = simulate(whole, torch.Generator().manual_seed(seed), settings, held)
    return replace(pair.conditions, mask=pair.conditions.alpha > MASK_ALPHA), pair.target


@torch.no_grad()
def scores(
    state: TrainingState | None, scene: Scene, source: SourceScene, draws: list[WearDraw], lpips: LPIPS | None
) -> dict[str, float]:
    """Means over the held-out frames and ways to wear them; without a network, of the drawing with its holes filled."""
    references, scale = References.of(source), context_depths(source).scale
    found: dict[str, list[float]] = {"psnr": [], "lpips": []}
    for number, draw in enumerate(draws):
        conditions, truth = held_out_views(scene, FIRST_SEED + number)
        drawn, shown = WornViews(references)(conditions, draw)
        for frame, target in enumerate(truth):
            inputs = gather(drawn, frame, shown, scale)
            made = inputs.base if state is None else state.network(inputs)
            image = made[0].movedim(0, -1).clamp(0, 1)
            found["psnr"].append(psnr(image, target))
            if lpips is not None:
                found["lpips"].append(float(lpips(image, target)))
    return {name: sum(values) / len(values) for name, values in found.items() if values}


def main() -> int:
    options = tyro.cli(WearBenchmark, description=__doc__)
    scene = scene_of(options)
    assert scene.gaussians is not None
    source, lpips = SourceScene.of(scene, scene.gaussians), load_lpips(options.lpips_weights)
    generator = torch.Generator().manual_seed(FIRST_SEED + options.seed)
    worn = [draw_wear(WearConfig(share=1.0), generator) for _ in range(options.judged)]
    clean = [WearDraw()] * options.judged
    networks = {
        "drawing": None,
        "without": taught(source, options, WearConfig()),
        "with": taught(source, options, WearConfig(share=options.share)),
    }
    for kind, draws in (("clean", clean), ("worn", worn)):
        for name, state in networks.items():
            figures = ", ".join(
                f"{key} {value:.3f}" for key, value in scores(state, scene, source, draws, lpips).items()
            )
            say(f"{kind} views, {name}: {figures}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
