"""What every refiner takes and gives: the seam between what was drawn and finished frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.errors import RefinementError
from neoverse_ns.generate.source_scene import SourceScene

DEFAULT_PROMPT = (
    "A smooth video with complete scene content. Inpaint any missing regions or margins naturally to match the "
    "surrounding scene."
)
"""What the released model is asked for where the user says nothing."""


@dataclass(frozen=True)
class Conditions:
    """What is known about every frame of a new video, drawn from the 4D Gaussians at the frames' cameras and times.

    Attributes:
        rgb: Colours in [0, 1] over black; frame 0 is the input's where `first_frame` is set.
        depth: Expected z-depth, world units; 0 where nothing was drawn.
        alpha: Opacity in [0, 1] of what was drawn, the far field that nobody saw left out.
        mask: True where the drawing is to be kept, False where it is to be repainted.
        plucker: Rays through the pixels, unit direction then moment; see
            :func:`neoverse_ns.generate.conditions.plucker.plucker_maps`.
        K: Intrinsics in pixels of the frames' size.
        c2w: Camera-to-world, OpenCV axes.
        times: Normalised time of the scene, 0 for the clip's first frame and 1 for its last.
        first_frame: Whether frame 0 of `rgb` is an input frame, with its mask True everywhere.
    """

    rgb: Float[Tensor, "n h w 3"]
    depth: Float[Tensor, "n h w"]
    alpha: Float[Tensor, "n h w"]
    mask: Bool[Tensor, "n h w"]
    plucker: Float[Tensor, "n 6 h w"]
    K: Float[Tensor, "n 3 3"]
    c2w: Float[Tensor, "n 4 4"]
    times: Float[Tensor, " n"]
    first_frame: bool = False

    def __post_init__(self) -> None:
        if len(self.alpha) == 0:
            raise RefinementError("conditions hold no frame; draw at least one")

    def __len__(self) -> int:
        return self.alpha.shape[0]

    @property
    def height(self) -> int:
        return self.alpha.shape[1]

    @property
    def width(self) -> int:
        return self.alpha.shape[2]

    @property
    def device(self) -> torch.device:
        return self.alpha.device

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name, in order."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "first_frame"}

    def __getitem__(self, frames: slice) -> Conditions:
        """A stretch of frames; `first_frame` stays set only where the stretch begins at frame 0."""
        begins = frames.indices(len(self))[0] == 0
        return Conditions(**{k: v[frames] for k, v in self.tensors().items()}, first_frame=self.first_frame and begins)

    def to(self, device: torch.device | str) -> Conditions:
        return Conditions(**{k: v.to(device) for k, v in self.tensors().items()}, first_frame=self.first_frame)


@runtime_checkable
class ConditionSource(Protocol):
    """Conditions of a whole video, of which a stretch is there when it is asked for.

    :class:`Conditions` are one that is there altogether;
    :class:`neoverse_ns.generate.conditions.drawn.DrawnConditions` draws what is asked for, so that no path is too long.
    """

    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def device(self) -> torch.device: ...
    @property
    def first_frame(self) -> bool: ...
    def __len__(self) -> int: ...
    def __getitem__(self, frames: slice, /) -> Conditions: ...


class Refiner(ABC):
    """Turns conditions into finished frames. Implementations are deterministic under `seed` on one machine."""

    def check(self) -> None:
        """Look for everything that refining will need, without loading it: to be called before long work begins.

        Raises:
            RefinementError: Something is missing; the message says what, and what to do.
        """
        return None

    def adapt(self, source: SourceScene, seed: int = 0) -> None:
        """Learn from the clip itself, before its views are refined; refiners with fixed weights learn nothing.

        Args:
            source: The clip and its 4D scene.
            seed: Of everything random.
        """
        return None

    @abstractmethod
    def refine(
        self, conditions: Conditions, prompt: str = DEFAULT_PROMPT, seed: int = 0
    ) -> Float[Tensor, "n h w 3"]:  # RGB in [0, 1], as many frames and of the size of the conditions
        """Finish the frames; says what it does and shows progress.

        Args:
            conditions: Of any number of frames from one on and any size; what a model cannot take as it is, it pads.
            prompt: What the video shows, in words; refiners without language ignore it.
            seed: Of everything random.

        Raises:
            RefinementError: The frames cannot be refined here; the message says why and what to change.
        """

    def stream(
        self, conditions: ConditionSource, prompt: str = DEFAULT_PROMPT, seed: int = 0
    ) -> Iterator[Float[Tensor, "k h w 3"]]:  # RGB in [0, 1]: the next frames, of any number at a time
        """The same frames as of :meth:`refine`, handed out as soon as they are finished.

        Refiners that look at a stretch at a time override this (:class:`StreamingRefiner`) and hold no more than that;
        this default draws and refines everything at once.
        """
        yield self.refine(conditions[:], prompt, seed)


class StreamingRefiner(Refiner):
    """A refiner that asks for conditions stretch by stretch, and gives frames as it finishes them."""

    @abstractmethod
    def stream(
        self, conditions: ConditionSource, prompt: str = DEFAULT_PROMPT, seed: int = 0
    ) -> Iterator[Float[Tensor, "k h w 3"]]: ...

    def refine(
        self, conditions: ConditionSource, prompt: str = DEFAULT_PROMPT, seed: int = 0
    ) -> Float[Tensor, "n h w 3"]:  # on the device of the conditions
        """All frames of :meth:`stream`."""
        refined = torch.empty(len(conditions), conditions.height, conditions.width, 3, device=conditions.device)
        done = 0
        for piece in self.stream(conditions, prompt, seed):
            refined[done : done + len(piece)] = piece.to(refined)
            done += len(piece)
        return refined
