"""Views from a second camera that was never an input."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.evaluation.methods.baselines import score, score_inside
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.unseen_views import Draw, best_shift, place_beside, place_by_alignment


def score_shift(sample: BenchmarkClip) -> dict[str, Any]:
    """The best constant sideways shift of every left frame, what a new view must beat."""
    assert sample.right_frames is not None
    shifts, pairs = [], []
    for left, right in zip(sample.clip.frames, sample.right_frames, strict=True):
        shift, image = best_shift(left, right)
        shifts.append(shift)
        pairs.append((image, right))
    return {**score(pairs), **_moving(pairs, sample), "shift_pixels": shifts}


def score_right(sample: BenchmarkClip, left: PinholeCameras, draw: Draw) -> dict[str, Any]:
    """The scene drawn from the right camera at every sampled time, in both placements.

    Args:
        sample: Must have true cameras and a right camera.
        left: Estimated cameras of all sampled frames.
        draw: The trained scene.
    """
    assert sample.cameras is not None
    assert sample.right_cameras is not None
    assert sample.right_frames is not None
    result = {}
    for name, place in (("right_aligned", place_by_alignment), ("right_beside", place_beside)):
        views = draw(place(left, sample.cameras, sample.right_cameras), sample.clip.times)
        pairs = list(zip(views, sample.right_frames, strict=True))
        result[name] = score(pairs) | _moving(pairs, sample)
    return result


def _moving(pairs: list[tuple[Tensor, Tensor]], sample: BenchmarkClip) -> dict[str, Any]:
    """What the second camera truly sees moving, alone; nothing where that is unknown."""
    if sample.right_things is None:
        return {}
    inside = score_inside(pairs, sample.right_things > 0)
    return {"psnr_dynamic": inside["psnr"], "psnr_dynamic_each": inside["psnr_each"]}
