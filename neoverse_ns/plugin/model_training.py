"""What nerfstudio's trainer asks of the model: parameters, losses, and when to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from nerfstudio.engine.callbacks import TrainingCallback, TrainingCallbackAttributes, TrainingCallbackLocation
from torch import Tensor
from torch.nn import Parameter

from neoverse_ns.console import say
from neoverse_ns.generate.stage.view_loss import refined_view_losses
from neoverse_ns.optimise.optimisation import SceneOptimisation
from neoverse_ns.plugin.camera_refinement import CameraRefinement
from neoverse_ns.plugin.model_config import NeoVerseModelConfig
from neoverse_ns.plugin.refined_feed import WEIGHT_KEY
from neoverse_ns.rasterize.precision import full_precision
from neoverse_ns.reconstruct.scene import Scene


class ModelTraining:
    """Mixin for a model: a training step of :class:`SceneOptimisation` in nerfstudio's terms."""

    config: NeoVerseModelConfig
    optimisation: SceneOptimisation
    camera_optimizer: CameraRefinement
    device_indicator_param: Parameter
    training: bool
    _scene: Scene
    step: int = 0
    """The step under way."""
    _stalled_early: Callable[[int], bool] | None = None

    def get_param_groups(self) -> dict[str, list[Parameter]]:
        if not self.config.optimise:
            return {}
        groups = self.optimisation.groups()
        self.camera_optimizer.get_param_groups(param_groups=groups)
        return groups

    def ask_before_stopping(self, ask: Callable[[int], bool]) -> None:
        """Have `ask(step)` decide whether a run whose loss has stopped falling after `step` may end."""
        self._stalled_early = ask

    def get_training_callbacks(
        self, training_callback_attributes: TrainingCallbackAttributes
    ) -> list[TrainingCallback]:
        """What keeps count of the steps and ends the run early."""
        trainer = training_callback_attributes.trainer

        def before(step: int) -> None:
            self.step = step

        def after(step: int) -> None:
            early_stop = self.optimisation.early_stop
            stalled, early_stop.stalled = early_stop.stalled, False
            if stalled and trainer is not None and (self._stalled_early is None or self._stalled_early(step)):
                say(f"the loss has stopped falling: ending after {step + 1} steps")
                trainer.stop_training = True

        return [
            TrainingCallback([TrainingCallbackLocation.BEFORE_TRAIN_ITERATION], before),
            TrainingCallback([TrainingCallbackLocation.AFTER_TRAIN_ITERATION], after),
        ]

    def get_metrics_dict(self, outputs: dict[str, Any], batch: dict[str, Any]) -> dict[str, Tensor]:
        with torch.no_grad():
            squares = (outputs["rgb"] - batch["image"].to(outputs["rgb"])) ** 2
            frame = self._training_frame(batch)
            size = (squares.shape[0], squares.shape[1])
            world = None if frame is None else self._scene.clip.world(frame, size)
            error = torch.mean(squares if world is None else squares[world.to(squares.device)])
        name = "psnr_refined" if WEIGHT_KEY in batch else "psnr"
        return {name: -10 * torch.log10(error), "num_gaussians": torch.tensor(float(self.optimisation.scene.count))}

    def _training_frame(self, batch: dict[str, Any]) -> int | None:
        """Position among the sampled frames of what a training step looks at; None for anything else."""
        ours = self.training and "image_idx" in batch and WEIGHT_KEY not in batch
        return self._scene.split.train[int(batch["image_idx"])] if ours else None

    @full_precision()
    def get_loss_dict(
        self, outputs: dict[str, Any], batch: dict[str, Any], metrics_dict: dict[str, Any] | None = None
    ) -> dict[str, Tensor]:
        if not self.config.optimise:
            # Nerfstudio wants something to differentiate.
            return {"nothing": self.device_indicator_param.sum() * 0.0}
        image = batch["image"].to(outputs["rgb"])
        if WEIGHT_KEY in batch:
            # Cameras, exposure, depth and motion are the business of the clip's own frames.
            return refined_view_losses(outputs["rgb"], image, batch[WEIGHT_KEY], self.config.losses)
        frame = self._training_frame(batch)
        losses = self.optimisation.losses(
            outputs["rgb"], outputs["depth"], outputs["accumulation"], image, frame, self.step
        )
        if self.training:
            self.optimisation.note(losses)
        return losses
