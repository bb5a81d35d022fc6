"""`Stage`: what a move starts from, and what it may ask of the scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn import functional

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.moves.subject import PointPath


@runtime_checkable
class Surroundings(Protocol):
    """What moves ask of a scene; :class:`neoverse_ns.export.surroundings.SceneSurroundings` answers."""

    def at_pixel(self, x: float, y: float, frame: int) -> PointPath:
        """The point that a pixel of a sampled frame shows, followed through the clip."""
        ...

    def thing(self, number: int) -> PointPath:
        """The middle of a moving thing, by its number from 1."""
        ...

    def mover(self) -> PointPath | None:
        """The middle of what moves most visibly; None where nothing does."""
        ...

    def median_depth(self, frame: int) -> float:
        """Median depth that a sampled frame's camera sees, world units."""
        ...


@dataclass(frozen=True)
class Stage:
    """The frames of a new video before a move is applied.

    Attributes:
        base: The clip's camera at every new frame, or what an earlier move made of it.
        times: Normalised time of the scene per new frame.
        seconds: Time of every new frame in the new video.
        clip: The clip's cameras, one per sampled frame, in the same world.
        clip_times: Their normalised times.
        surroundings: The scene; None where it is not known: then nothing can be picked or found.
        subject: What the latest move that has one is about.
    """

    base: PinholeCameras
    times: Float[Tensor, " n"]
    seconds: Float64[Tensor, " n"]
    clip: PinholeCameras
    clip_times: Float[Tensor, " m"]
    surroundings: Surroundings | None = None
    subject: PointPath | None = None

    def __len__(self) -> int:
        return len(self.base)

    @property
    def shares(self) -> Float64[Tensor, " n"]:
        """How much of the move is done in each frame: evenly from 0 to 1."""
        return torch.linspace(0, 1, len(self), dtype=torch.float64)

    @property
    def up(self) -> Float64[Tensor, "3"]:
        """Unit direction that is up in the clip's pictures, on average."""
        return functional.normalize(-self.clip.c2w[:, :3, 1].to(torch.float64).mean(dim=0), dim=0)

    def standing(self, frame: int | None) -> Stage:
        """With the camera standing where that of a sampled frame is; None leaves it to go along with the clip.

        Raises:
            SettingsError: There is no such frame.
        """
        if frame is None:
            return self
        if not 0 <= frame < len(self.clip):
            raise SettingsError(f"start must be a sampled frame from 0 to {len(self.clip) - 1}, or clip, got {frame}")
        return replace(self, base=self.clip[[frame] * len(self)])

    def about(self, subject: PointPath) -> Stage:
        """The same frames, of a move about something."""
        return replace(self, subject=subject)

    def with_cameras(self, c2w: Float[Tensor, "n 4 4"], K: Float[Tensor, "n 3 3"] | None = None) -> Stage:
        """The same frames with other cameras, in the base's precision."""
        base = self.base
        K = base.K if K is None else K.to(base.K)
        return replace(self, base=PinholeCameras(c2w.to(base.c2w), K, base.width, base.height))
