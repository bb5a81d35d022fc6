"""Which pixels of the keyframes move on their own: cues gathered over time, labelled along the image's edges."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.depth.dense_solver import image_bonds, solve_smooth
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.motion.motion_cues import MotionCues

CARRIED = 1.0
"""Weight of a neighbouring keyframe's cues against a keyframe's own."""
DOUBT = 0.1
"""Weight of the assumption that nothing moves."""
ITERATIONS, FINAL_ITERATIONS = 40, 10
"""Conjugate gradient steps of the labelling, on the cues's grid and at full resolution."""
CERTAIN = 0.7
"""Probability of motion that a region has in its core."""
OPENING = 5
"""Diameter in pixels (at 384 px width) of specks and threads that are dropped."""
MOST = 0.65
"""Share of the image from which it is the camera's pose that is wrong, and nothing is masked."""
SMALLEST = 0.0006
"""Share of the image below which a region is taken for noise."""


@dataclass(frozen=True)
class Labelling:
    """How cues becomes a mask.

    Attributes:
        cohesion: Pull between neighbouring pixels of the same colour, against one pixel's cues.
        probable: Probability of motion that a region has throughout.
    """

    cohesion: float
    probable: float


MOVING_CAMERA = Labelling(cohesion=50.0, probable=0.57)
"""Flow is all there is, and blurs a mover's outline: trust the image's edges, and leave the seam around it out."""
UNCOVERED = Labelling(cohesion=30.0, probable=0.6)
"""The same once colours of the still world are known that other keyframes have seen: they show outlines, too."""
STILL_CAMERA = Labelling(cohesion=15.0, probable=0.5)
"""Colours that change are seen to the pixel."""
UNLIKE = 3.0
"""Weight of a colour that is not the still world's: chance hardly brings it about."""
ALIKE = 1.0
"""Weight of one that is: things may well have the colour of what they hide."""


def gather_cues(
    own: MotionCues, neighbours: list[tuple[int, MotionCues]], frame: int, field: FlowField, stride: int
) -> MotionCues:
    """A keyframe's cues together with that of its neighbours, followed along the flow between them.

    Args:
        own: Of the keyframe.
        neighbours: The keyframes before and after it with their cues.
        frame: The keyframe.
        field: Flow between training frames; neighbours that it does not connect are left out.
        stride: Spacing of the cues's pixels.
    """
    moving, still = own.moving.clone(), own.still.clone()
    for other, cues in neighbours:
        if (frame, other) not in field.flow:
            continue
        flow = field.flow[frame, other][::stride, ::stride] / stride
        trust = CARRIED * torch.from_numpy(np.ascontiguousarray(field.confidence[frame, other][::stride, ::stride]))
        y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
        for total, carried in ((moving, cues.moving), (still, cues.still)):
            total += trust * torch.from_numpy(
                cv2.remap(carried.numpy(), x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
            )
    return MotionCues(moving, still)


def with_uncovered(gathered: MotionCues, uncovered: MotionCues) -> MotionCues:
    """Cues together with those of colours beside the still world's, of which a different one is believed more than
    flow that is carried along by what lies around."""
    moving = gathered.moving + UNLIKE * uncovered.moving
    return MotionCues(moving, gathered.still * (1 - uncovered.moving) + ALIKE * uncovered.still)


def label_moving(
    cues: MotionCues, image: UInt8[Tensor, "H W 3"], stride: int, labelling: Labelling
) -> Bool[Tensor, "H W"]:
    """Mask of the moving pixels: the cues, spread over the image's regions but not across their edges.

    A random walker (Grady, "Random Walks for Image Segmentation", PAMI 2006, with the data terms of his 2005 variant):
    the probability of motion is the smooth map that fits the cues best.

    Args:
        cues: At every `stride`-th pixel.
        image: The keyframe.
        stride: Spacing of the cues's pixels.
        labelling: How far to spread the cues.
    """
    weight = cues.moving + cues.still + DOUBT
    value = cues.moving / weight
    right, down = (labelling.cohesion * b for b in image_bonds(image[::stride, ::stride]))
    coarse = solve_smooth(value, weight, right, down, value, ITERATIONS)
    shape = image.shape[:2]
    start, value, weight = (_enlarged(a, stride, shape) for a in (coarse, value, weight))
    right, down = (labelling.cohesion * stride**2 * b for b in image_bonds(image))
    fine = solve_smooth(value, weight, right, down, start, FINAL_ITERATIONS)
    mask = torch.from_numpy(_cleaned(fine.numpy(), labelling.probable))
    return mask if float(mask.float().mean()) < MOST else torch.zeros_like(mask)


def _enlarged(a: Tensor, stride: int, shape: tuple[int, ...] | torch.Size) -> Float[Tensor, "H W"]:
    """Values at every `stride`-th pixel, interpolated at all of them."""
    h, w = shape
    y, x = np.mgrid[:h, :w].astype(np.float32) / stride
    return torch.from_numpy(cv2.remap(a.numpy(), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _cleaned(probability: Float[ndarray, "h w"], probable: float) -> Bool[ndarray, "h w"]:
    """Regions with a certain core, without specks, threads and pinholes."""
    size = max(1, round(OPENING * probability.shape[1] / 384)) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    mask = cv2.morphologyEx((probability > probable).astype(np.uint8), cv2.MORPH_OPEN, disc)
    count, found, facts, _ = cv2.connectedComponentsWithStats(mask)
    labels = np.asarray(found, np.int64)
    keep = facts[:, cv2.CC_STAT_AREA] >= SMALLEST * mask.size
    certain = np.zeros(count, bool)
    certain[np.unique(labels[probability > CERTAIN])] = True
    keep &= certain
    keep[0] = False
    holes = 1 - keep[labels].astype(np.uint8)
    _, found, facts, _ = cv2.connectedComponentsWithStats(holes)
    pinhole = facts[:, cv2.CC_STAT_AREA] < SMALLEST * mask.size
    return (holes == 0) | pinhole[np.asarray(found, np.int64)]
