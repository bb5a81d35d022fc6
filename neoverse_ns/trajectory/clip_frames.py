"""What a trajectory must know of a clip beside its cameras: when its frames were taken, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.clip.clip import Clip


@dataclass(frozen=True)
class ClipFrames:
    """The sampled frames of a clip.

    Attributes:
        seconds: Time of every frame in the source, ascending.
        numbers: Position of every frame in the source, from 0.
        names: What every frame's image file is called, without ending; None where frames have no files.
    """

    seconds: Float64[Tensor, " n"]
    numbers: tuple[int, ...]
    names: tuple[str, ...] | None = None

    @staticmethod
    def of(clip: Clip) -> ClipFrames:
        """Those of a clip; frames of a video have no names."""
        from neoverse_ns.clip.source_names import source_names

        names = source_names(clip)
        return ClipFrames(
            clip.seconds.to(torch.float64), tuple(clip.frame_indices.tolist()), None if names is None else tuple(names)
        )

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def length(self) -> float:
        """Seconds from the first to the last frame."""
        return float(self.seconds[-1] - self.seconds[0])
