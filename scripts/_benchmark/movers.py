"""Things that move: as the reconstructor told them apart, else the regions of motion masks, linked through time."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Int, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.evaluation.methods.flow_interpolation import dis_flow
from neoverse_ns.reconstruct.base import SceneGeometry

GAP = 0.02
"""Width of the gaps that one thing's mask may have (between a body and a leg), in widths of the picture."""
LEAST = 0.0015
"""Share of the picture below which a region counts as a stray."""
AGREEING = 0.25
"""Share of the smaller of two regions, one followed along the flow to the other's frame, from which they are linked."""

Mask = Bool[np.ndarray, "h w"]


@dataclass(frozen=True)
class Mover:
    """One thing through time.

    Attributes:
        masks: Its pixels in every keyframe; none where it is not seen.
    """

    masks: Bool[Tensor, "k h w"]

    @property
    def seen(self) -> list[int]:
        """Places of the keyframes that show it."""
        return torch.nonzero(self.masks.flatten(1).any(dim=1))[:, 0].tolist()

    @property
    def size(self) -> int:
        """Its pixels, all keyframes together."""
        return int(self.masks.sum())


def find_movers(clip: Clip, geometry: SceneGeometry, most: int) -> list[Mover]:
    """The `most` largest things, largest first, of those that two keyframes show (all where there is one keyframe)."""
    least = 2 if len(geometry.keyframes) > 1 else 1
    things = getattr(geometry, "things", None)
    linked = link(clip.frames[geometry.keyframes], geometry.dynamic) if things is None else told_apart(things)
    movers = [mover for mover in linked if len(mover.seen) >= least]
    return sorted(movers, key=lambda mover: -mover.size)[:most]


def told_apart(things: Int[Tensor, "k h w"]) -> list[Mover]:
    """The things of a scene whose reconstructor has told them apart: numbers from 1 on, 0 where nothing moves."""
    return [Mover(things == number) for number in sorted(set(things.unique().tolist()) - {0})]


def link(frames: UInt8[Tensor, "k h w 3"], masks: Bool[Tensor, "k h w"]) -> list[Mover]:
    """Regions of moving pixels, each linked to at most one of the next frame: the one it agrees with best.

    A region that two others arrive at goes on as the one that agrees better, and the other ends there.
    """
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames.numpy()]
    tracks: list[dict[int, Mask]] = []
    for place, mask in enumerate(masks.numpy()):
        found = regions(mask)
        open_tracks = [track for track in tracks if place - 1 in track]
        for track, number in _pairs(open_tracks, found, greys, place):
            open_tracks[track][place] = found[number]
        taken = {id(track[place]) for track in open_tracks if place in track}
        tracks += [{place: region} for region in found if id(region) not in taken]
    return [_as_mover(track, masks) for track in tracks]


def regions(mask: Mask) -> list[Mask]:
    """Connected parts of a mask; parts with a small gap between them count as one."""
    reach = max(round(GAP * mask.shape[1] / 2), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    joined = cv2.dilate(mask.astype(np.uint8), kernel)
    count, labels = cv2.connectedComponents(joined)
    parts = [(labels == label) & mask for label in range(1, count)]
    return [part for part in parts if part.mean() >= LEAST]


def _pairs(tracks: list[dict[int, Mask]], found: list[Mask], greys: list[np.ndarray], place: int) -> list[tuple]:
    """(track, region) that belong together, every one at most once, best agreement first."""
    if not tracks or not found:
        return []
    back = dis_flow(greys[place], greys[place - 1])
    y, x = np.indices(greys[place].shape, np.float32)
    followed = [
        cv2.remap(track[place - 1].astype(np.uint8), x + back[..., 0], y + back[..., 1], cv2.INTER_NEAREST) > 0
        for track in tracks
    ]
    shares = [
        ((there & here).sum() / max(min(there.sum(), here.sum()), 1), track, number)
        for track, there in enumerate(followed)
        for number, here in enumerate(found)
    ]
    pairs: list[tuple[int, int]] = []
    for share, track, number in sorted(shares, reverse=True):
        free = all(track != other and number != taken for other, taken in pairs)
        if share >= AGREEING and free:
            pairs.append((track, number))
    return pairs


def _as_mover(track: dict[int, Mask], masks: Bool[Tensor, "k h w"]) -> Mover:
    whole = torch.zeros_like(masks)
    for place, region in track.items():
        whole[place] = torch.from_numpy(region)
    return Mover(whole)
