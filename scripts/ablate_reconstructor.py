"""Train the small network without one thing after the other, and compare on what it has not seen.

    python scripts/ablate_reconstructor.py --output-dir out --clip 0 --steps 600 --variants full
    python scripts/ablate_reconstructor.py --output-dir out --clip 0 --steps 300 --markdown report.md

With `--clip` it learns one clip by heart: 33 moments of the world of that seed, in which things move. It is judged on
32 other moments of the same way, none of which it trains on but the first and the last. Without, it trains on the
preset's endless worlds and is judged on those that validation keeps. Each variant trains as long as the others, from
the same weights, on the same samples. Runs that are found in the output folder go on, or are read where they are done.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import tyro
from _benchmark.report import describe_machine

from neoverse_ns.console import CONSOLE
from neoverse_ns.errors import SettingsError
from neoverse_ns.plugin.user_errors import exit_on_user_error
from neoverse_ns.training.data.jitter import JitterConfig
from neoverse_ns.training.data.manifest_rows import row_line
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.world_clip import FPS, FRAMES, NAME
from neoverse_ns.training.reconstructor.config import ReconstructorTrainingConfig, small
from neoverse_ns.training.reconstructor.trainer import ReconstructorTrainer
from neoverse_ns.training.runs.figures import FIGURES

Config = ReconstructorTrainingConfig


def _without_motion(config: Config) -> None:
    config.drawing = replace(config.drawing, motion=False)


def _without_motion_terms(config: Config) -> None:
    config.loss = replace(config.loss, motion=0.0)


def _without_opacity(config: Config) -> None:
    config.loss = replace(config.loss, regular=0.0)


def _without_intermediates(config: Config) -> None:
    config.drawing = replace(config.drawing, intermediates=False)


VARIANTS: dict[str, Callable[[Config], None]] = {
    "full": lambda _: None,
    "without the motion branch": _without_motion,
    "without the motion term": _without_motion_terms,
    "without the opacity term": _without_opacity,
    "without intermediates": _without_intermediates,
}

COLUMNS = (
    *("psnr", "psnr_moving", "psnr_keyframes", "psnr_nearest", "depth_abs_rel", "rotation_degrees", "pose_auc"),
    *("epe_moving", "epe_moving_zero", "epe_still", "alpha"),
)


@dataclass
class Ablation:
    """Equal runs of the small network, and one table."""

    output_dir: Path
    """A folder of runs."""
    steps: int = 300
    """Of each."""
    clip: int | None = None
    """Seed of a world that is learned by heart; by default endless worlds are learned from."""
    rate: float | None = None
    """Of the trunk and of what makes its tokens; the preset's by default."""
    variants: tuple[str, ...] = tuple(VARIANTS)
    """Which."""
    validation_samples: int = 16
    """Each variant is judged on so many, before and after."""
    markdown: Path | None = None
    """Where to write the table."""

    def run(self) -> None:
        """Train, print, write.

        Raises:
            SettingsError: There is no such variant.
        """
        unknown = sorted({*self.variants} - {*VARIANTS})
        if unknown:
            raise SettingsError(f"there is no variant '{unknown[0]}': choose of {', '.join(VARIANTS)}")
        rows: dict[str, dict[str, float]] = {}
        for name in self.variants:
            figures = self._figures(name)
            rows.setdefault("untrained", figures[0])
            rows[f"{name}, {self.steps} steps"] = figures[-1]
        text = f"{describe_machine()}\n\n{_table(rows)}"
        CONSOLE.print(text, highlight=False)
        if self.markdown is not None:
            self.markdown.write_text(text, "utf8")

    def config(self, name: str) -> Config:
        """Settings of a variant."""
        config = small()
        config.steps = config.save_every = self.steps
        config.validation.samples, config.validation.every = self.validation_samples, self.steps
        if self.rate is not None:
            config.optimiser.rate = config.optimiser.rate_patch_embed = self.rate
        if self.clip is not None:
            config.data = (str(one_clip(self.output_dir, self.clip, config)),)
            config.sample.jitter = JitterConfig(probability=0.0, grey=0.0)
        VARIANTS[name](config)
        return config

    def _figures(self, name: str) -> list[dict[str, float]]:
        output = self.output_dir / name.replace(" ", "-")
        config = self.config(name)
        ReconstructorTrainer(output, config).run()
        lines = [json.loads(line) for line in (output / FIGURES).read_text("utf8").splitlines()]
        group = "validation/"
        return [
            {key.removeprefix(group): value for key, value in line.items() if key.startswith(group)}
            for line in lines
            if f"{group}psnr" in line
        ]


def one_clip(folder: Path, seed: int, config: Config) -> Path:
    """A manifest of one world at FRAMES moments to learn from, and at one less, evenly as well, to be judged on."""
    height, width = config.batch.size(config.batch.aspect[0])
    rows = [
        ManifestRow(
            id=f"{split}-{seed}",
            dataset=NAME,
            source={"seed": seed},
            frames=frames,
            fps=FPS,
            width=width,
            height=height,
            split=split,
            has=frozenset({"pose", "depth", "motion"}),
        )
        for split, frames in (("train", FRAMES), (config.validation.split, FRAMES - 1))
    ]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "clip.jsonl"
    file.write_text("".join(f"{row_line(row)}\n" for row in rows), "utf8")
    return file


def _table(rows: dict[str, dict[str, float]]) -> str:
    lines = [f"| run | {' | '.join(COLUMNS)} |", f"|---|{'---:|' * len(COLUMNS)}"]
    for name, figures in rows.items():
        cells = [f"{figures[column]:.3g}" if column in figures else "" for column in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with exit_on_user_error():
        tyro.cli(Ablation).run()
