"""Cameras of held-out frames in the world of the others.

The network mixes all frames it is shown. So the scene comes from training frames alone, and the held-out frames'
cameras from a second look at all frames, of which nothing else is kept.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.interpolation import interpolate_c2w
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.reconstruct.depth_anything.predict import ViewPredictions
from neoverse_ns.reconstruct.frame_windows import join_similarity
from neoverse_ns.reconstruct.split import FrameSplit


def merge_cameras(
    scene: ViewPredictions, everything: ViewPredictions, split: FrameSplit
) -> tuple[Float[Tensor, "n 4 4"], Float[Tensor, "n 3 3"]]:
    """Cameras and intrinsics of all frames: the scene's own, and those of held-out frames moved to them.

    A similarity brings both looks together. What is left between them on the training frames before and after a
    held-out frame is interpolated, so that it stands between its neighbours as it did in the look at all frames.

    Args:
        scene: Predictions for the training frames.
        everything: Predictions for all frames, in a world of their own.
        split: Which frames are which.
    """
    seen = everything[split.train]
    trust = torch.minimum(scene.confidence, seen.confidence)
    move = join_similarity(seen.c2w, scene.c2w, seen.depth, scene.depth, trust)
    moved = move.apply_c2w(everything.c2w.double())
    rest = se3_inverse(moved[split.train]) @ scene.c2w.double()
    lens = (scene.K / seen.K.where(seen.K != 0, torch.ones_like(seen.K)))[:, [0, 1], [0, 1]].log()
    at = _places(split)
    c2w, K = torch.empty_like(everything.c2w), everything.K.clone()
    c2w[split.train], K[split.train] = scene.c2w, scene.K
    c2w[split.held_out] = (moved[split.held_out] @ interpolate_c2w(rest, at)).to(c2w.dtype)
    before, after = at.floor().long(), at.ceil().long()
    change = torch.lerp(lens[before], lens[after], (at - before).to(lens)[:, None]).exp()
    held = K[split.held_out]
    held[:, 0, 0] *= change[:, 0]
    held[:, 1, 1] *= change[:, 1]
    K[split.held_out] = held
    return c2w, K


def _places(split: FrameSplit) -> Float[Tensor, " m"]:
    """Where the held-out frames stand among the training frames, counted in these; beyond the ends, at the ends."""
    train = torch.tensor(split.train, dtype=torch.float64)
    held_out = torch.tensor(split.held_out, dtype=torch.float64).clamp(train[0], train[-1])
    after = torch.searchsorted(train, held_out).clamp(1, max(len(train) - 1, 1))
    if len(train) == 1:
        return torch.zeros_like(held_out)
    before = after - 1
    return before + (held_out - train[before]) / (train[after] - train[before])
