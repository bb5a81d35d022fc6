"""Measure what training on worn pictures is worth: the same training with and without wear, tried on worn worlds.

    python scripts/benchmark_wear.py wear --steps 400
    python scripts/benchmark_wear.py wear --start out/checkpoints/step-003000 --steps 400

Both networks begin alike and see the same samples in the same order. They are tried on held-out worlds, clean, worn in
one way, and in all; truth stays clean. Prints a table, and writes it to wear.md in the folder. A run that was stopped
goes on.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro

from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.clip.wear.draw import WearDraw, draw_wear
from neoverse_ns.console import progress, say, warn
from neoverse_ns.errors import NeoVerseError, SettingsError
from neoverse_ns.training.data.batch import collate
from neoverse_ns.training.data.sources_text import sources_of
from neoverse_ns.training.data.wear.apply import wear_sample
from neoverse_ns.training.reconstructor.clip_terms import one_of
from neoverse_ns.training.reconstructor.config import ReconstructorTrainingConfig, ValidationConfig, small
from neoverse_ns.training.reconstructor.initial import InitialConfig, starting_network
from neoverse_ns.training.reconstructor.objective import Objective
from neoverse_ns.training.reconstructor.trainer import ReconstructorTrainer
from neoverse_ns.training.reconstructor.validation.measures import Figures, mean_figures, measure
from neoverse_ns.training.reconstructor.validation.samples import FixedSamples
from neoverse_ns.training.runs.checkpoints import finished_checkpoints

WAYS = {
    "clean": WearDraw(),
    "blur": WearDraw(shutter=1.2),
    "fewer pixels": WearDraw(scale=0.5),
    "exposure": WearDraw(stops=-0.6, drift=0.2, rate=0.05, gamma=1.15),
    "noise": WearDraw(electrons=200.0, read=0.015, seed=1),
    "coding": WearDraw(quality=20),
}
"""Each kind alone; what is drawn from the training's own ranges comes last."""

SHOWN = {
    "psnr": "PSNR, dB",
    "depth_abs_rel": "depth, abs rel",
    "rotation_degrees": "rotation, deg",
    "epe_moving": "motion",
}


@dataclass
class BenchmarkWear:
    """With and without wear."""

    folder: tyro.conf.Positional[Path]
    """Where both runs and the table go."""
    start: Path | None = None
    """A checkpoint that both go on from; new networks without it."""
    steps: int = 400
    """Of each run."""
    share: float = 0.7
    """Of the clips that are worn, in the second one."""
    samples: int = 24
    """Held-out worlds that both are tried on."""
    longest_side: int = 98
    """Of the pictures, in pixels."""
    rate: float = 1e-3
    """Learning rate."""
    seed: int = 0
    """Of samples and new weights."""


def config_of(options: BenchmarkWear, share: float) -> ReconstructorTrainingConfig:
    """The small preset, shortened, with a share of worn clips."""
    config = small()
    rates = {name: options.rate for name in ("rate", "rate_patch_embed", "rate_new")}
    start = InitialConfig("scratch") if options.start is None else InitialConfig("published", str(options.start))
    return replace(
        config,
        steps=options.steps,
        seed=options.seed,
        optimiser=replace(config.optimiser, **rates, warm_up=min(50, options.steps // 4), ema=None),
        batch=replace(config.batch, longest_side=options.longest_side),
        sample=replace(config.sample, wear=WearConfig(share=share)),
        initial=start,
        validation=ValidationConfig(every=0, keyframes=3),
        save_every=options.steps,
    )


def train(folder: Path, config: ReconstructorTrainingConfig) -> Objective:
    """Train to the last step, or take what was trained before; ready to be tried."""
    trainer = ReconstructorTrainer(folder, config)
    if trainer.step < config.steps:
        trainer.run()
    network = starting_network(
        InitialConfig("published", str(finished_checkpoints(folder)[-1])), config.network, 0, config.batch.longest_side
    )
    return Objective(network, config.loss, config.drawing).eval()


@torch.no_grad()
def tried(objective: Objective, samples: FixedSamples) -> dict[str, Figures]:
    """Mean figures for every way of wearing the inputs."""
    found: dict[str, list[Figures]] = {name: [] for name in (*WAYS, "all, drawn")}
    with progress("trying the network", len(samples)) as steps:
        for number in range(len(samples)):
            batch = samples[number]
            steps.advance()
            if batch is None:
                continue
            clean = one_of(batch.tensors, 0)
            drawn = draw_wear(WearConfig(share=1.0), torch.Generator().manual_seed(number))
            for name, way in {**WAYS, "all, drawn": drawn}.items():
                worn = wear_sample(clean, way)
                result = objective(collate([(worn, batch.names[0])]))
                found[name].append(measure(worn, result.drawn.rgb[0], result.drawn.alpha[0], result.predictions))
    return {name: mean_figures(figures) for name, figures in found.items()}


def table_of(without: dict[str, Figures], worn: dict[str, Figures]) -> str:
    """A row for each way, two columns for each figure: trained on clean pictures, on worn ones."""
    head = "| input | " + " | ".join(f"{title}: clean, worn" for title in SHOWN.values()) + " |"
    lines = [head, "|" + "---|" * (len(SHOWN) + 1)]
    for way in without:
        cells = (f"{without[way][name]:.3f}, {worn[way][name]:.3f}" for name in SHOWN)
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    options = tyro.cli(BenchmarkWear, description=__doc__)
    try:
        if options.steps < 4 or options.samples < 1 or not 0 < options.share <= 1:
            raise SettingsError("steps must be 4 or more, samples 1 or more, share above 0 and at most 1")
        configs = {name: config_of(options, share) for name, share in (("clean", 0.0), ("worn", options.share))}
        found = {}
        for name, config in configs.items():
            sources = sources_of(config.data, config.batch, "val")
            samples = FixedSamples(sources, options.samples, 3, config.batch, config.sample)
            found[name] = tried(train(options.folder / name, config), samples)
        table = table_of(found["clean"], found["worn"])
        (options.folder / "wear.md").write_text(table + "\n")
    except (NeoVerseError, OSError) as error:
        warn(str(error))
        return 1
    say(f"mean of {options.samples} held-out worlds after {options.steps} steps, trained on clean and on worn pictures")
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
