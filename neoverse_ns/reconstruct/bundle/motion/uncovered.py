"""What the still world behind a keyframe's pixels looks like, seen in other keyframes: whatever looks different moves.

A first search finds the parts of things whose motion flow follows: heads and trunks. Legs swing faster than that, and
where they hide the ground their own depth is a guess, so that nobody knows where to look for their colours again. But
the ground itself, which they uncover in other keyframes, is known there, with its depth and its colour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import KeyframeFlows
from neoverse_ns.reconstruct.bundle.motion.motion_cues import GREY_NOISE, MotionCues, contrast_of
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores

MOST_SOURCES = 12
"""Other keyframes that are asked, spread over the clip."""
TRUSTED = 0.35
"""Confidence of the still depth from which on it is believed."""
RIM = 4
"""Pixels (at 384 px width) around what moves that show nothing still for certain."""
NEAR = 3
"""Side in pixels of the windows over which agreement is averaged."""
UNUSUAL = 0.1
"""Share of the still world that may look as unlike itself as what moves: where depth is poor, much does."""
RECOGNISED = 0.75
"""How much of the still world must look like itself but for that share: where depth is poorer, as of foliage, colours
say nothing of a keyframe."""
CORE = 0.25
"""Share of a region that must move for sure for all of it to be believed."""
FEW = 3
"""Keyframes that must have seen a place to be fully believed."""


@dataclass(frozen=True)
class StillView:
    """What one keyframe shows of the still world, at every `stride`-th pixel.

    Attributes:
        colours: Smoothed, in grey levels.
        depth: z-depth.
        known: Pixels that neither move nor are guessed.
        viewmat: World-to-camera matrix.
    """

    colours: Float[ndarray, "h w 3"]
    depth: Float[ndarray, "h w"]
    known: Bool[ndarray, "h w"]
    viewmat: Float[Tensor, "4 4"]


def still_view(
    image: UInt8[ndarray, "H W 3"],
    depth: Float[Tensor, "h w"],
    confidence: Float[Tensor, "h w"],
    moving: Bool[ndarray, "H W"],
    viewmat: Float[Tensor, "4 4"],
    stride: int,
    ignored: Bool[ndarray, "H W"] | None = None,
) -> StillView:
    """What one keyframe shows of the still world.

    Args:
        image: The keyframe.
        depth: z-depth of every `stride`-th pixel.
        confidence: Trust in it, in [0, 1].
        moving: What moves as far as is known.
        viewmat: World-to-camera matrix.
        stride: Spacing of the pixels that are looked at.
        ignored: What is no part of the world; None where there is no such.
    """
    side = 2 * max(round(RIM * moving.shape[1] / 384), 1) + 1
    hidden = moving if ignored is None else moving | ignored
    near = cv2.dilate(hidden.astype(np.uint8), np.ones((side, side), np.uint8))[::stride, ::stride] > 0
    colours = cv2.GaussianBlur(image, (3, 3), 0)[::stride, ::stride].astype(np.float32)
    return StillView(colours, depth.numpy(), (confidence.numpy() >= TRUSTED) & ~near, viewmat)


def uncovered_cues(views: list[StillView], focal: float) -> list[MotionCues]:
    """Whether the keyframes' pixels look like the still world that other keyframes have seen there; nothing is said of
    keyframes whose still pixels do not, either.

    Args:
        views: Of all keyframes, in the order of time.
        focal: Focal length in pixels of these maps; the principal point is their middle.
    """

    def one(place: int) -> MotionCues:
        here = views[place].colours
        others = [k for k in range(len(views)) if k != place]
        others = others[:: max(math.ceil(len(others) / MOST_SOURCES), 1)]
        agree, seen = np.zeros(here.shape[:2], np.float32), np.zeros(here.shape[:2], np.float32)
        for other in others:
            shown, found = _shown(views[other], views[place].viewmat, focal)
            agree += shown * _agreement(here, found, shown)
            seen += shown
        # Single pixels have the right colour by chance.
        share = cv2.blur(agree, (NEAR, NEAR)) / np.maximum(cv2.blur(seen, (NEAR, NEAR)), 1e-3)
        sure = np.clip(seen / FEW, 0, 1)
        judged = (sure == 1) & views[place].known
        usual = np.quantile(share[judged], UNUSUAL) if judged.any() else 0.0
        if usual < RECOGNISED:
            nothing = torch.zeros(here.shape[:2])
            return MotionCues(nothing, nothing)
        moving = sure * np.clip(1 - share / usual, 0, 1)
        still = sure * contrast_of(here) * share
        return MotionCues(torch.from_numpy(moving), torch.from_numpy(still))

    return list(map_on_cores(one, range(len(views))))


def reaching(found: Bool[Tensor, "k h w"], sure: Bool[Tensor, "k h w"], flows: KeyframeFlows) -> Bool[Tensor, "k h w"]:
    """The regions of `found` a good part of which moves for sure, in their own keyframe or, along the flow, in the one
    before or after it; of the others what does so. Colours alone change for many reasons: leaves, reflections."""
    labels = sure.numpy().astype(np.int64)

    def one(place: int) -> Bool[Tensor, "h w"]:
        core = labels[place] > 0
        for other in (place - 1, place + 1):
            if 0 <= other < len(labels) and (carried := flows.carry(labels[other], place, other)) is not None:
                core = core | (carried.labels > 0)
        regions = np.asarray(cv2.connectedComponents(found[place].numpy().astype(np.uint8))[1], np.int64)
        area, held = (np.bincount(regions[mask], minlength=regions.max() + 1) for mask in (regions >= 0, core))
        whole = held >= CORE * area
        whole[0] = False
        return torch.from_numpy(whole[regions] | (found[place].numpy() & sure[place].numpy()))

    return torch.stack(list(map_on_cores(one, range(len(labels)))))


def _shown(view: StillView, viewmat: Float[Tensor, "4 4"], focal: float) -> tuple[Bool[ndarray, "h w"], ndarray]:
    """Where another camera would see something of a keyframe's still world, and its colours there."""
    height, width = view.depth.shape
    rows, columns = np.nonzero(view.known)
    z = view.depth[rows, columns]
    points = np.stack([(columns + 0.5 - width / 2) / focal * z, (rows + 0.5 - height / 2) / focal * z, z])
    relative = (viewmat.double() @ torch.linalg.inv(view.viewmat.double())).numpy()
    x, y, z = relative[:3, :3] @ points + relative[:3, 3:]
    with np.errstate(all="ignore"):
        column, row = np.floor(focal * x / z + width / 2), np.floor(focal * y / z + height / 2)
    inside = (z > 1e-3) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    place = row[inside].astype(np.int64) * width + column[inside].astype(np.int64)
    # The nearest one is written last.
    order = np.argsort(-z[inside], kind="stable")
    colours = np.zeros((height * width, 3), np.float32)
    colours[place[order]] = view.colours[rows[inside][order], columns[inside][order]]
    shown = np.zeros(height * width, bool)
    shown[place] = True
    return shown.reshape(height, width), colours.reshape(height, width, 3)


def _agreement(here: ndarray, found: ndarray, shown: Bool[ndarray, "h w"]) -> Float[ndarray, "h w"]:
    """In [0, 1]: how well colours fit into the range of what is shown within a pixel."""
    near = np.ones((3, 3), np.uint8)
    low = cv2.erode(np.where(shown[..., None], found, 1e3), near)
    high = cv2.dilate(np.where(shown[..., None], found, -1e3), near)
    drift = (0.5 * (low + high) - here)[shown]
    # A camera that adapts to the light changes all colours alike.
    change = np.median(drift[::5], axis=0) if len(drift) else np.float32(0)
    outside = np.maximum(low - change - here, here - high + change).max(-1)
    return np.exp(-((np.maximum(outside, 0) / GREY_NOISE) ** 2))
