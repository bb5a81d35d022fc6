"""The whole step but for the optimiser: network, drawings and loss of a batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.networks.neoverse.model import HeadName, NeoVerseNetwork
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.rasterize.precision import full_precision
from neoverse_ns.training.data.batch import TrainingBatch
from neoverse_ns.training.data.sample import TrainingSample
from neoverse_ns.training.reconstructor.clip_terms import (
    ClipTruth,
    Knowledge,
    Terms,
    clip_terms,
    one_of,
    weighted_sum,
)
from neoverse_ns.training.reconstructor.drawing.config import DrawingConfig
from neoverse_ns.training.reconstructor.drawing.draw_clip import Drawn, TrueCameras, draw_clip
from neoverse_ns.training.reconstructor.idle import idle_parameters, touch
from neoverse_ns.training.reconstructor.losses.camera import scaled_to_prediction
from neoverse_ns.training.reconstructor.losses.config import LossConfig
from neoverse_ns.training.reconstructor.losses.perceptual import load_vgg


@dataclass(frozen=True)
class StepResult:
    """What a step has come to.

    Attributes:
        total: The loss, mean of the clips' weighted sums of terms.
        terms: Every term of every clip, before weights; 0 where the clip lacks what it needs.
        drawn: All frames as predicted.
        predictions: Of the keyframes.
    """

    total: Float[Tensor, ""]
    terms: dict[str, Float[Tensor, " b"]]
    drawn: Drawn
    predictions: NetworkPredictions


class Objective(nn.Module):
    """Wrap this, not the network, for training on several devices: all that is learned passes through its forward.

    Every term is averaged per clip, then over clips, so that two processes come to the same as one of twice the batch.
    """

    def __init__(
        self,
        network: NeoVerseNetwork,
        losses: LossConfig | None = None,
        drawing: DrawingConfig | None = None,
        *,
        recompute: bool = True,
        mixed_precision: bool | None = None,
        head_chunk: int = 8,
    ) -> None:
        """Check the settings.

        Args:
            network: To be trained.
            losses: Weights of the terms; the paper's by default.
            drawing: How predictions are drawn; as released by default.
            recompute: See :meth:`NeoVerseNetwork.forward`.
            mixed_precision: See there; by default on a GPU alone.
            head_chunk: See there.

        Raises:
            SettingsError: A setting is out of range.
            RunError: The weights of the perceptual distance cannot be read.
        """
        super().__init__()
        self.network = network
        self.losses, self.drawing = losses or LossConfig(), drawing or DrawingConfig()
        self.losses.validate()
        self.drawing.validate()
        self.options: dict[str, Any] = {
            "recompute": recompute,
            "mixed_precision": mixed_precision,
            "head_chunk": head_chunk,
        }
        # No module: its weights neither learn nor belong into checkpoints.
        self._perceptual = load_vgg(self.losses)

    def forward(self, batch: TrainingBatch) -> StepResult:
        """Loss, terms and drawings of a batch, on its device."""
        sample = batch.tensors
        predictions = self._predict(sample)
        with full_precision():
            clips = [self._clip(sample, predictions, number, known) for number, known in enumerate(_known(sample))]
            terms = {name: torch.stack([terms[name] for terms, _ in clips]) for name in clips[0][0]}
            total = weighted_sum(terms, sample.weights, self.losses).mean()
            idle = idle_parameters(self.network, self.drawing.motion, self.losses.points > 0)
            total = total + touch(idle, predictions)
        return StepResult(total, terms, _together([drawn for _, drawn in clips]), predictions)

    def _predict(self, sample: TrainingSample) -> NetworkPredictions:
        heads: list[HeadName] = ["depth", "motion", "gaussians"]
        if self.losses.points:
            heads.append("points")
        return self.network(
            sample.inputs,
            is_static=sample.static & sample.has_pose,
            use_motion=self.drawing.motion,
            heads=heads,
            camera_rounds=True,
            **self.options,
        )

    def _clip(
        self, batch: TrainingSample, predictions: NetworkPredictions, number: int, known: Knowledge
    ) -> tuple[Terms, Drawn]:
        sample = one_of(batch, number)
        if known.pose and not known.depth:
            sample = replace(sample, c2w=scaled_to_prediction(sample.c2w, predictions.camera_params[number]))
        drawn = draw_clip(
            predictions,
            batch.inputs,
            number,
            TrueCameras(sample.c2w, sample.K, sample.times),
            self.drawing,
            merge=known.static and known.pose,
            # Without poses every keyframe is drawn for itself: nothing tells where the others stand.
            intermediates=known.pose and (self.drawing.intermediates or not self.training),
        )
        truth = ClipTruth(number, sample, known)
        return clip_terms(truth, predictions, drawn, self.losses, self.drawing, self._perceptual), drawn


def _known(sample: TrainingSample) -> list[Knowledge]:
    """Flags of every clip, brought from the device in one go."""
    flags = torch.stack([sample.static, sample.has_pose, sample.has_depth, sample.has_motion], dim=-1)
    return [Knowledge(*row) for row in flags.tolist()]


def _together(clips: list[Drawn]) -> Drawn:
    return Drawn(**{name: torch.stack([getattr(clip, name) for clip in clips]) for name in Drawn.__annotations__})
