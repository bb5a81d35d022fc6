"""`ForeignPath`: all cameras of a file, stacked, in the world and order of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.trajectory.foreign.entry import CameraEntry, Label

Clock = Literal["seconds", "shares"]


@dataclass(frozen=True)
class ForeignPath:
    """Cameras of a file.

    Attributes:
        c2w: Camera-to-world, OpenCV axes, in the file's world and unit.
        K: Intrinsics in pixels of `size`; None where the file has none.
        size: Width and height that `K` belongs to.
        labels: Which frames the cameras belong to; None where the file does not say.
        times: When every camera was there, not descending unless the world is our own; None where the file does
            not say.
        clock: What `times` are: seconds from any start, or shares of the clip.
        fps: Frames per second the path was made for; None where it does not say.
        own_world: Whether the file is one that this package's world may be taken for.
    """

    c2w: Float64[Tensor, "n 4 4"]
    K: Float64[Tensor, "n 3 3"] | None = None
    size: tuple[int, int] | None = None
    labels: tuple[Label, ...] | None = None
    times: Float64[Tensor, " n"] | None = None
    clock: Clock = "seconds"
    fps: float | None = None
    own_world: bool = False

    def __len__(self) -> int:
        return len(self.c2w)

    @staticmethod
    def of(entries: Sequence[CameraEntry], clock: Clock = "seconds") -> ForeignPath:
        """Stack entries; intrinsics are brought to the first one's height, times count where all have one.

        Where all are frames of a path of ours, it lies in the scene's own world.

        Args:
            entries: At least one.
            clock: What their times are.
        """
        K = size = times = None
        if all(entry.K is not None and entry.size is not None for entry in entries):
            size = entries[0].size
            assert size is not None
            K = torch.stack([_at_size(entry, size) for entry in entries])
        moments = [entry.time for entry in entries if entry.time is not None]
        if len(moments) == len(entries):
            times = torch.tensor(moments, dtype=torch.float64)
        return ForeignPath(
            torch.stack([entry.c2w for entry in entries]),
            K,
            size,
            tuple(entry.label for entry in entries),
            times,
            clock,
            own_world=all(entry.label.of_path for entry in entries),
        )


def _at_size(entry: CameraEntry, size: tuple[int, int]) -> Float64[Tensor, "3 3"]:
    """The same view in pixels of another size, at its height, with the middle where it was."""
    assert entry.K is not None
    assert entry.size is not None
    scale = size[1] / entry.size[1]
    K = entry.K.clone()
    K[:2] *= scale
    K[0, 2] += 0.5 * (size[0] - scale * entry.size[0])
    return K
