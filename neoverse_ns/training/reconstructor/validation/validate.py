"""A network on fixed samples, shared out among the processes: mean figures, and one picture of each data set."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neoverse_ns.console import warn
from neoverse_ns.errors import ClipError
from neoverse_ns.metrics.lpips import load_lpips
from neoverse_ns.render.writers import write_png
from neoverse_ns.training.data.batch import TrainingBatch
from neoverse_ns.training.data.sources import ClipSource
from neoverse_ns.training.data.sources_text import sources_of
from neoverse_ns.training.reconstructor.clip_terms import one_of
from neoverse_ns.training.reconstructor.config import ReconstructorTrainingConfig
from neoverse_ns.training.reconstructor.objective import StepResult
from neoverse_ns.training.reconstructor.validation.measures import FIGURES, measure
from neoverse_ns.training.reconstructor.validation.measures import Figures as Measured
from neoverse_ns.training.reconstructor.validation.pictures import contact_sheet
from neoverse_ns.training.reconstructor.validation.samples import FixedSamples
from neoverse_ns.training.runs.checkpoints import told_where
from neoverse_ns.training.runs.figures import Figures

if TYPE_CHECKING:
    from accelerate import Accelerator

PICTURES = "pictures"


class Validation:
    """Of a run.

    Attributes:
        samples: None where no data set has clips of the split.
    """

    def __init__(self, accelerator: Accelerator, config: ReconstructorTrainingConfig, output: Path) -> None:
        self._accelerator, self._config, self._output = accelerator, config.validation, output
        sources = _with_clips(config) if self._config.every else []
        self.samples = None
        if self._config.every and not sources and accelerator.is_main_process:
            warn(f"nothing is validated: no data has clips of the split '{self._config.split}' (validation.split)")
        if sources:
            wanted = self._config.samples, self._config.keyframes
            self.samples = FixedSamples(sources, *wanted, config.batch, config.sample)
        self._kept: dict[int, TrainingBatch | None] = {}
        self._lpips = load_lpips() if sources else None

    def run(self, prepared: Any, step: int, figures: Figures) -> Measured:
        """Figures of the network as it is, means over all samples that have them; on all processes together.

        Raises:
            RunError: A picture cannot be written.
        """
        if self.samples is None:
            return {}
        accelerator = self._accelerator
        found: dict[str, list[float]] = {name: [] for name in FIGURES}
        shown: set[str] = set()
        was_training = prepared.training
        prepared.eval()
        for number in self.samples.share(accelerator.process_index, accelerator.num_processes):
            # Those who share parameters need each other's part in every forward.
            batch = self._batch(0 if number is None else number) or self._stand_in()
            if batch is None:
                continue
            with torch.no_grad():
                loss, result = prepared(batch.to(accelerator.device))
            if number is None or self._batch(number) is None:
                continue
            for name, value in self._measure(batch, float(loss), result).items():
                found[name].append(value)
            self._show(batch, result, step, figures, shown)
        prepared.train(was_training)
        return figures.log(step, found, f"validation at step {step}", "validation/")

    def _batch(self, number: int) -> TrainingBatch | None:
        assert self.samples is not None
        if number not in self._kept:
            self._kept[number] = self.samples[number]
        return self._kept[number]

    def _stand_in(self) -> TrainingBatch | None:
        return next((batch for batch in self._kept.values() if batch is not None), None)

    def _measure(self, batch: TrainingBatch, loss: float, result: StepResult) -> Measured:
        sample = one_of(batch.tensors, 0)
        drawn = result.drawn
        predictions = result.predictions.to("cpu")
        return {
            "loss": loss,
            **measure(sample, drawn.rgb[0].cpu(), drawn.alpha[0].cpu(), predictions, self._lpips),
        }

    def _show(self, batch: TrainingBatch, result: StepResult, step: int, figures: Figures, shown: set[str]) -> None:
        name = batch.names[0].split()[0]
        if not self._config.pictures or name in shown:
            return
        shown.add(name)
        sample, drawn = one_of(batch.tensors, 0), result.drawn
        parts = (drawn.rgb[0].cpu(), drawn.depth[0].cpu(), drawn.alpha[0].cpu())
        sheet = contact_sheet(sample, *parts, result.predictions.to("cpu"))
        figures.picture(step, f"validation/{name}", sheet)
        folder = self._output / PICTURES
        with told_where(folder):
            folder.mkdir(parents=True, exist_ok=True)
            process = self._accelerator.process_index
            path = folder / f"step-{step:06d}-{name}{f'-{process}' if process else ''}.png"
            write_png(path, _bytes(sheet))


def _with_clips(config: ReconstructorTrainingConfig) -> list[ClipSource]:
    """Those of the sources that have clips of the split."""
    found: list[ClipSource] = []
    for text in config.data:
        with suppress(ClipError):
            found += sources_of([text], config.batch, config.validation.split)
    return found


def _bytes(sheet: Tensor) -> Any:
    import cv2

    return cv2.cvtColor((sheet.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy(), cv2.COLOR_RGB2BGR)
