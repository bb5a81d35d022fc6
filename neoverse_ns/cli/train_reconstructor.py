"""`ns-neoverse train-reconstructor`: the feed-forward network, on clips of which everything is known."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.console import say
from neoverse_ns.errors import PackageError
from neoverse_ns.training.reconstructor.config import ReconstructorTrainingConfig, small

Preset = Annotated[
    Annotated[
        ReconstructorTrainingConfig,
        tyro.conf.subcommand(
            "paper",
            default=ReconstructorTrainingConfig(),
            description="What the reconstructor learns from, and how: as the paper has it.",
            prefix_name=False,
        ),
    ]
    | Annotated[
        ReconstructorTrainingConfig,
        tyro.conf.subcommand(
            "small",
            default=small(),
            description="What the reconstructor learns from, and how: as two CPU cores can do.",
            prefix_name=False,
        ),
    ],
    tyro.conf.arg(name="", prefix_name=False),
]


# Older versions of the parser take --output-dir before the preset's name alone.
_ANYWHERE = tuple(filter(None, [getattr(tyro.conf, "CascadeSubcommandArgs", None)]))


@tyro.conf.configure(*_ANYWHERE)
@dataclass
class TrainReconstructor:
    """Train NeoVerse's feed-forward network.

    Settings begin as the paper has them, or as two CPU cores can do (`small`: a network from scratch, on synthetic
    worlds that need no data):

    ns-neoverse train-reconstructor --output-dir out small --steps 1000

    ns-neoverse train-reconstructor --output-dir out paper --data point_odyssey=/data/po@2 clips.jsonl

    Several GPUs, FSDP2 or DeepSpeed: `accelerate launch ... -m neoverse_ns.cli.main train-reconstructor ...`. A run
    that was stopped goes on by the same command. A folder of its checkpoints is a network for every other command:

    ns-neoverse reconstruct clip.mp4 --output-dir scene --reconstructor network \\
        --network.weights out/checkpoints/step-001000
    """

    output_dir: Path
    """Where checkpoints, figures and pictures go; a run that is found there is gone on with."""
    preset: Preset = field(default_factory=ReconstructorTrainingConfig)
    """What is learned, and how."""

    @staticmethod
    def tidied(words: Sequence[str]) -> list[str]:
        """A command line on which `--data` stands once: what follows the later ones is added to the first."""
        kept: list[str] = []
        data: list[str] = []
        place, taking = None, False
        for word in words:
            if word.startswith("-"):
                name, equals, value = word.partition("=")
                taking = name == "--data"
                if taking:
                    place = len(kept) if place is None else place
                    data += [value] if equals else []
                    continue
            (data if taking else kept).append(word)
        return kept if place is None else [*kept[:place], "--data", *data, *kept[place:]]

    def run(self) -> None:
        """Train.

        Raises:
            NeoVerseError: Something given cannot be used; see :class:`ReconstructorTrainer`.
        """
        for library in ("accelerate", "tensorboard"):
            if importlib.util.find_spec(library) is None:
                raise PackageError(f"training needs the library {library}: pip install accelerate tensorboard")
        from neoverse_ns.training.reconstructor.trainer import ReconstructorTrainer

        trainer = ReconstructorTrainer(self.output_dir.expanduser(), self.preset)
        trainer.run()
        if trainer.accelerator.is_main_process:
            say(f"tensorboard --logdir {self.output_dir} shows the figures")
