"""`internal`: the embedded refiner, which learns from the clip itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress, say
from neoverse_ns.errors import RefinementError
from neoverse_ns.generate.base import DEFAULT_PROMPT, Conditions, ConditionSource, StreamingRefiner
from neoverse_ns.generate.conditions.drawn import pieces
from neoverse_ns.generate.degradation.geometry import context_depths
from neoverse_ns.generate.refiners.internal.beside_path import beside_path, held_back
from neoverse_ns.generate.refiners.internal.network_inputs import gather
from neoverse_ns.generate.refiners.internal.reference_lookup import References
from neoverse_ns.generate.refiners.internal.settings import InternalSettings
from neoverse_ns.generate.refiners.internal.state import FILE, TrainingState, origin_of
from neoverse_ns.generate.refiners.internal.training import train
from neoverse_ns.generate.refiners.internal.training_pairs import make_training_pairs
from neoverse_ns.generate.source_scene import SourceScene


class InternalRefiner(StreamingRefiner):
    """Restores drawings of one clip with a network taught on degraded drawings of that clip; no weights needed.

    For every pixel it knows the drawing and, looked up along the drawn depth, the clip's own frames nearest in time; it
    chooses between them and corrects the choice. Where a pixel is covered and those frames agree with the drawing
    hardly anything may change (`NetworkInputs.allowed_change`). Where the camera is beside the clip's path, covered
    pixels change by half of what the network says (`beside_path`).

    Args:
        settings: See :class:`InternalSettings`.
        folder: Where the taught network is kept, and an unfinished one to go on from; None keeps nothing.
    """

    def __init__(self, settings: InternalSettings | None = None, folder: Path | None = None) -> None:
        self._settings = settings or InternalSettings()
        self._settings.validate()
        self._file = None if folder is None else folder / FILE
        self._references: References | None = None
        self._state: TrainingState | None = None
        self._scale = 1.0

    def adapt(self, source: SourceScene, seed: int = 0) -> None:
        """Learn from the clip, or take what was learned from it before; shows progress, and can be interrupted.

        Args:
            source: The clip and its scene. Every frame in it is learned from: give it none that is to judge the result.
            seed: Of everything random.

        Raises:
            RefinementError: The training does not succeed.
            RunError: The folder cannot be written, or holds a damaged file.
        """
        self._references = References.of(source)
        self._scale = context_depths(source).scale
        state = TrainingState.start(self._settings, seed, source.gaussians.device)
        origin = "" if self._file is None else origin_of(source, self._settings, seed)
        if self._file is not None and self._file.is_file():
            if not state.load(self._file, origin):
                say(f"{self._file} was made from something else: teaching the refiner anew")
            elif state.step < self._settings.steps:
                say(f"going on with the refiner at step {state.step} of {self._settings.steps}")
        if state.step < self._settings.steps:
            pairs = make_training_pairs(source, self._references, self._scale, self._settings, seed)
            train(state, pairs, self._settings, self._file, origin)
        self._state = state

    def stream(
        self, conditions: ConditionSource, prompt: str = DEFAULT_PROMPT, seed: int = 0
    ) -> Iterator[Float[Tensor, "k h w 3"]]:
        """Finish the frames, each by itself: what keeps them steady is that neighbours see the same inputs.

        Raises:
            RefinementError: :meth:`adapt` has not been called.
        """
        with progress("refining frames", len(conditions)) as steps:
            for piece in pieces(conditions):
                yield torch.stack([self._frame(piece, frame) for frame in range(len(piece))])
                steps.advance(len(piece))

    @torch.no_grad()
    def _frame(self, piece: Conditions, frame: int) -> Float[Tensor, "h w 3"]:
        if self._state is None or self._references is None:
            raise RefinementError("the refiner has not learned from the clip yet: call adapt with it first")
        if piece.first_frame and frame == 0:
            return piece.rgb[0]
        inputs = gather(piece, frame, self._references, self._scale)
        beside = self._beside(piece, frame)
        made = held_back(self._state.network(inputs), inputs.base, inputs.alpha, beside)
        return made[0].movedim(0, -1).clamp(0, 1).to(piece.rgb)

    def _beside(self, conditions: Conditions, frame: int) -> float:
        assert self._references is not None
        path = self._references.cameras.c2w[:, :3, 3].cpu()
        centre, focal = conditions.c2w[frame, :3, 3].cpu(), float(conditions.K[frame, 0, 0])
        return beside_path(centre.to(path), path, self._scale, focal)
