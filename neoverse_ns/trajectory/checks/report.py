"""`PathReport`: what a camera path does, and what a user should know of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Bool, Float64
from torch import Tensor

Kind = Literal["jump", "fast", "collision", "close", "unseen"]


@dataclass(frozen=True)
class Problem:
    """Something that will show in the video.

    Attributes:
        kind: `jump`: the camera leaps; `fast`: it moves too fast to follow; `collision`: it goes through a surface;
            `close`: something nearly touches it; `unseen`: it looks where the clip never looked.
        first: First frame that shows it.
        last: Last frame of the stretch.
        message: For users, without the frames.
    """

    kind: Kind
    first: int
    last: int
    message: str

    def __str__(self) -> str:
        frames = f"frame {self.first}" if self.first == self.last else f"frames {self.first} to {self.last}"
        return f"{frames}: {self.message}"


@dataclass(frozen=True)
class PathReport:
    """A path, frame by frame.

    Attributes:
        unseen: Share of the picture that shows no surface which the clip saw.
        clearance: Depth of the nearest 2 % of what is seen, world units; infinite where nothing is.
        inside: Whether the camera has gone through a surface and not come back out.
        moved: World units from each frame to the next.
        turned: Degrees from each frame to the next.
        shift: About how far the picture shifts from each frame to the next, in widths.
        problems: In the order of frames.
        fps: Frames per second that speeds are told for.
    """

    unseen: Float64[Tensor, " n"]
    clearance: Float64[Tensor, " n"]
    inside: Bool[Tensor, " n"]
    moved: Float64[Tensor, "n-1"]
    turned: Float64[Tensor, "n-1"]
    shift: Float64[Tensor, "n-1"]
    problems: tuple[Problem, ...]
    fps: float

    def __len__(self) -> int:
        return len(self.unseen)

    def of_kind(self, kind: Kind) -> list[Problem]:
        """The problems of one kind."""
        return [problem for problem in self.problems if problem.kind == kind]

    def summary(self) -> str:
        """One line on the whole path."""
        fastest, turning = (float(steps.max()) * self.fps if len(steps) else 0.0 for steps in (self.moved, self.turned))
        length = f"{len(self)} frames, {len(self) / self.fps:.1f} s at {self.fps:g} per second"
        speed = f"up to {fastest:.2f} units and {turning:.0f} degrees a second"
        return f"{length}; {speed}; {most_unseen(self.unseen)}"


def most_unseen(shares: Float64[Tensor, " n"]) -> str:
    """The largest share of a picture without a surface that the clip saw, and its frame, in words."""
    worst = int(shares.argmax())
    return f"at most {100 * float(shares[worst]):.0f} % of a picture was never seen (frame {worst})"


def stretches(flags: Bool[Tensor, " n"]) -> Iterator[tuple[int, int]]:
    """First and last position of every unbroken run of True."""
    start = None
    for i, flag in enumerate([*flags.tolist(), False]):
        if flag and start is None:
            start = i
        elif not flag and start is not None:
            yield start, i - 1
            start = None
