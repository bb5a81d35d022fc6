"""`ns-neoverse train-control`: the control branch of the video model, on one's own clips."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.console import say
from neoverse_ns.errors import RefinementError
from neoverse_ns.training.control.config import ControlTrainingConfig


@dataclass
class TrainControl:
    """Train the control branch of Wan on clips.

    Pairs are made online and nothing is kept of a clip: at every visit it begins elsewhere, is reconstructed (by
    NeoVerse's network, `--reconstructor network --network.weights FILE`, which stays loaded; or without weights, for
    small runs) and degraded anew. Several GPUs:
    `accelerate launch --num-processes 8 -m neoverse_ns.cli.main train-control
    ...`, with `--fsdp` or `--deepspeed` to share the optimiser's memory: at the released size Wan takes 29 GB of each
    GPU, the text encoder 11 GB (`--text-on cpu` none), the network 4 to 6 GB, and the control branch with its gradients
    and optimiser 49 GB, or its share of them. The checkpoints' control.safetensors goes to the refiner as `control`.
    """

    clips: tyro.conf.Positional[Path]
    """Folder of videos and folders of images, where `street.txt` beside `street.mp4` is its caption; or a manifest
    (`clips.jsonl`), shards, or `NAME=FOLDER` with the name of a data set's layout (`spatial_vid=/data/spatialvid`)."""
    output_dir: Path
    """Where checkpoints and tensorboard figures go; a run that is found there is gone on with."""
    training: Annotated[ControlTrainingConfig, tyro.conf.arg(name="", prefix_name=False)] = field(
        default_factory=ControlTrainingConfig
    )
    """What is learned, and how."""

    def run(self) -> None:
        """Train.

        Raises:
            NeoVerseError: Something given cannot be used; see :class:`ControlTrainer`.
        """
        import importlib.util

        for library in ("diffusers", "transformers", "accelerate", "tensorboard"):
            if importlib.util.find_spec(library) is None:
                raise RefinementError(
                    f"training needs the library {library}: pip install 'neoverse-ns[generation]' tensorboard"
                )
        from neoverse_ns.training.control.trainer import ControlTrainer

        trainer = ControlTrainer(self.clips.expanduser(), self.output_dir.expanduser(), self.training)
        trainer.run()
        if trainer.accelerator.is_main_process:
            say(f"tensorboard --logdir {self.output_dir} shows the figures")
