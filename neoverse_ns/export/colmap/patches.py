"""Where a frame shows the small patch around a pixel of another: inverse compositional alignment.

After Baker and Matthews, "Lucas-Kanade 20 Years On", IJCV 2004. How the patch is scaled, turned and slanted on its way
is known from geometry; what is measured is its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int64, UInt8
from numpy import ndarray

RADIUS = 5
"""Of a patch, in pixels of the level that it is looked for on."""
COARSEST = 512
"""Width in pixels that the coarsest level has at most: patches are found from a few pixels away."""
ROUNDS = 8
"""Steps of the alignment on each level."""
ENOUGH = 0.02
"""Step in pixels below which a patch has arrived."""
NOISE = 4.0
"""Grey levels by which pixels differ from frame to frame."""
SHARP = 0.2
"""Largest standard deviation of a patch's place in full-size pixels, at that noise: flatter ones are not measured."""
ALIKE = 0.8
"""Least correlation of a patch with what is found."""


@dataclass(frozen=True)
class Level:
    """A frame at one size; places are always given in pixels of the full size."""

    image: Float[ndarray, "h w"]
    shrink: float

    def at(self, uv: Float[ndarray, "n k 2"]) -> Float[ndarray, "n k"]:
        """Values, interpolated linearly; outside the border's are repeated."""
        place = (uv / self.shrink - 0.5).astype(np.float32)
        return cv2.remap(self.image, place[..., 0], place[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def levels(gray: UInt8[ndarray, "h w"]) -> list[Level]:
    """The frame at full size, and halved until it is at most `COARSEST` wide; coarsest first."""
    found = [Level(gray.astype(np.float32), 1.0)]
    while found[-1].image.shape[1] > COARSEST:
        height, width = (max(1, n // 2) for n in found[-1].image.shape)
        small = cv2.resize(found[-1].image, (width, height), interpolation=cv2.INTER_AREA)
        found.append(Level(small, gray.shape[1] / width))
    return found[::-1]


@dataclass(frozen=True)
class Patches:
    """Patches of one frame, ready to be looked for in others.

    Attributes:
        offsets: Of a patch's samples from its middle, in full-size pixels, per level.
        values: Grey levels less their mean.
        size: Norm of `values`.
        steps: What to multiply a difference of grey levels with for a step in pixels.
        clear: Patches whose place the level can tell.
    """

    offsets: list[Float[ndarray, "k 2"]]
    values: list[Float[ndarray, "n k"]]
    size: list[Float[ndarray, " n"]]
    steps: list[Float[ndarray, "n 2 k"]]
    clear: list[Bool[ndarray, " n"]]

    @property
    def sharp(self) -> Bool[ndarray, " n"]:
        """Patches whose place can be told in the end."""
        return self.clear[-1]

    def only(self, chosen: Int64[ndarray, " m"]) -> Patches:
        """Some of them."""
        parts = (self.values, self.size, self.steps, self.clear)
        values, size, steps, clear = ([each[chosen] for each in part] for part in parts)
        return Patches(self.offsets, values, size, steps, clear)


def cut_patches(source: list[Level], middles: Float[ndarray, "n 2"]) -> Patches:
    """The patches around `middles`, on every level."""
    step = np.arange(-RADIUS, RADIUS + 1)
    grid = np.stack(np.meshgrid(step, step), -1).reshape(-1, 2).astype(np.float32)
    offsets, values, size, steps, clear = [], [], [], [], []
    for level in source:
        offsets.append(grid * np.float32(level.shrink))
        places, half = middles[:, None] + offsets[-1], 0.5 * level.shrink
        values.append(_plain(level.at(places)))
        size.append(np.linalg.norm(values[-1], axis=1))
        # Brightness as a whole does not count, so that what a step changes of it does not either.
        slopes = [_plain(level.at(places + half * axis) - level.at(places - half * axis)) for axis in np.eye(2)]
        gradient = np.stack(slopes, 1) / np.float32(2 * half)
        normal = (gradient @ gradient.swapaxes(1, 2)).astype(np.float64)
        clear.append(np.linalg.eigvalsh(normal)[:, 0] > (NOISE / SHARP) ** 2)
        steps.append(np.linalg.inv(normal + 1e-3 * np.eye(2)).astype(np.float32) @ gradient)
    return Patches(offsets, values, size, steps, clear)


def locate(
    patches: Patches, target: list[Level], guess: Float[ndarray, "n 2"], bend: Float[ndarray, "n 2 2"]
) -> tuple[Float[ndarray, "n 2"], Bool[ndarray, " n"]]:
    """Find patches of one frame in another.

    Args:
        patches: See :func:`cut_patches`.
        target: The frame to look in.
        guess: Where about their middles are.
        bend: How a small step from a middle comes out in `target`.

    Returns:
        Where the middles are, and which of them could be measured.
    """
    shift = np.zeros((len(guess), 2), np.float32)
    across = bend.astype(np.float32).swapaxes(1, 2)
    alike = np.zeros(len(guess), bool)
    for level, there in enumerate(target):
        values, size, steps = patches.values[level], patches.size[level], patches.steps[level]

        places = guess.astype(np.float32)[:, None] + patches.offsets[level] @ across

        def found(which: ndarray, places: ndarray = places, there: Level = there) -> ndarray:
            return _plain(there.at(places[which] + shift[which, None] @ across[which]))

        moving = np.nonzero(patches.clear[level] & patches.sharp)[0]
        for _ in range(ROUNDS):
            if not len(moving):
                break
            seen = found(moving)
            gain = size[moving] / np.linalg.norm(seen, axis=1).clip(1e-6)
            step = (steps[moving] @ (seen * gain[:, None] - values[moving])[..., None])[..., 0]
            shift[moving] -= step.clip(-2 * there.shrink, 2 * there.shrink)
            moving = moving[np.abs(step).max(1) > ENOUGH * there.shrink]
        which = np.nonzero(patches.sharp)[0]
        if len(which):
            seen = found(which)
            alike[which] = (seen * values[which]).sum(1) > ALIKE * size[which] * np.linalg.norm(seen, axis=1)
    return guess + (bend @ shift[..., None])[..., 0], alike & patches.sharp


def _plain(values: Float[ndarray, "n k"]) -> Float[ndarray, "n k"]:
    return values - values.mean(1, keepdims=True)
