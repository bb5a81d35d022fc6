"""Conditions that are drawn when they are asked for: a path of any length costs no more memory than a stretch of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.errors import RefinementError
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.generate.base import Conditions, ConditionSource
from neoverse_ns.generate.conditions.render import CHUNK, ConditionSettings, draw_conditions, within_clip
from neoverse_ns.trajectory.trajectory import Trajectory


class DrawnConditions:
    """A :class:`neoverse_ns.generate.base.ConditionSource` of a scene along a trajectory, on the Gaussians' device.

    Frames are always drawn in the same groups, so that every stretch holds exactly the pixels of the whole
    (`test_a_stretch_is_the_same_whatever_is_asked_for`). The group that was drawn last is kept: refiners that go frame
    by frame draw each once.

    Attributes:
        seconds: Spent drawing so far.
    """

    def __init__(
        self,
        scene: LayeredGaussians,
        trajectory: Trajectory,
        settings: ConditionSettings | None = None,
        first_frame: Float[Tensor, "h w 3"] | None = None,
    ) -> None:
        """Take what will be drawn.

        Args:
            scene: The clip's layers.
            trajectory: Cameras and times of the frames; they are drawn at the cameras' size.
            settings: See :class:`ConditionSettings`.
            first_frame: The input's own frame in [0, 1], to stand in frame 0 and be kept everywhere; None draws it too.

        Raises:
            SettingsError: A setting is out of range.
            RefinementError: There is no frame, or `first_frame` is of another size.
        """
        self._settings = settings or ConditionSettings()
        self._settings.validate()
        if len(trajectory) == 0:
            raise RefinementError("the trajectory holds no frame; give it at least one")
        cameras = trajectory.cameras
        if first_frame is not None and tuple(first_frame.shape) != (cameras.height, cameras.width, 3):
            size, drawn = f"{first_frame.shape[1]}x{first_frame.shape[0]}", f"{cameras.width}x{cameras.height}"
            raise RefinementError(f"the first frame is {size} pixels, but {drawn} are drawn; resize it")
        self._scene, self._cameras, self._times = scene, cameras, within_clip(trajectory.times)
        self._first = first_frame
        self._kept: tuple[int, Conditions] | None = None
        self.seconds = 0.0

    def __len__(self) -> int:
        return len(self._cameras)

    @property
    def height(self) -> int:
        return self._cameras.height

    @property
    def width(self) -> int:
        return self._cameras.width

    @property
    def device(self) -> torch.device:
        return self._scene.device

    @property
    def first_frame(self) -> bool:
        return self._first is not None

    def __getitem__(self, frames: slice) -> Conditions:
        """Neighbouring frames, drawn now.

        Raises:
            RefinementError: It would be none.
        """
        return self.draw(frames)

    def draw(self, frames: slice, advance: Callable[[int], None] | None = None) -> Conditions:
        """The same; `advance` is called with the number of frames finished."""
        start, stop, step = frames.indices(len(self))
        if step != 1 or stop <= start:
            raise RefinementError(f"conditions are drawn of neighbouring frames, and of one at least, not of {frames}")
        if self._kept is None or not self._kept[0] <= start < stop <= self._kept[0] + len(self._kept[1]):
            first = start - start % CHUNK
            drawn = self._draw(first, min(stop + -stop % CHUNK, len(self)), advance)
            if len(drawn) > CHUNK:
                # A caller that lets go of a long stretch shall have its memory back.
                self._kept = None
                return drawn[start - first : stop - first]
            self._kept = first, drawn
        first, drawn = self._kept
        return drawn[start - first : stop - first]

    def _draw(self, start: int, stop: int, advance: Callable[[int], None] | None) -> Conditions:
        begun = time.perf_counter()
        drawn = draw_conditions(
            self._scene, self._cameras[start:stop], self._times[start:stop], self._settings, advance
        )
        self.seconds += time.perf_counter() - begun
        if start > 0 or self._first is None:
            return drawn
        drawn.rgb[0], drawn.mask[0] = self._first.to(drawn.rgb).clamp(0, 1), True
        return replace(drawn, first_frame=True)


def render_conditions(
    scene: LayeredGaussians,
    trajectory: Trajectory,
    settings: ConditionSettings | None = None,
    first_frame: Float[Tensor, "h w 3"] | None = None,
) -> Conditions:
    """Conditions of a whole video at once, with a progress bar; see :class:`DrawnConditions`."""
    source = DrawnConditions(scene, trajectory, settings, first_frame)
    with progress(f"drawing {len(source)} frames to refine", len(source)) as steps:
        return source.draw(slice(None), steps.advance)


def pieces(conditions: ConditionSource, length: int = CHUNK) -> Iterator[Conditions]:
    """All frames in their order, so many at a time."""
    for begin in range(0, len(conditions), length):
        yield conditions[begin : begin + length]
