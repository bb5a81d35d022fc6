"""What the reconstructor trains on: some keyframes of a clip, one frame in each gap between them, and their truth."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int64
from torch import Tensor


@dataclass(frozen=True)
class TrainingSample:
    """A sample of k keyframes and s = 2k - 1 frames (NeoVerse, supplement B).

    Frames stand with the keyframes first, then the k - 1 intermediates, each kind in time order. The world is the first
    keyframe's camera, its unit the mean distance of all valid points from it. Batches hold the same fields, each with
    one dimension more in front (see :class:`TrainingBatch`).

    Attributes:
        inputs: Keyframes as the network sees them, worn where an augmentation is on, in [0, 1].
        rgb: All frames as they should be drawn, in [0, 1].
        times: Frame numbers from the first keyframe's 0 on, ascending within each kind also where the clip is reversed.
        K: Intrinsics in pixels of the sample's size, pixel centres at +0.5.
        c2w: Camera to world, OpenCV axes; the identity where poses are unknown.
        depth: z-depth, 0 where invalid.
        valid: Depth is known.
        v_fwd: Displacement of keyframes 0..k-2 until the next keyframe, in the axes of their own camera.
        v_bwd: Displacement of keyframes 1..k-1 until the previous keyframe, in the axes of their own camera.
        v_fwd_valid: `v_fwd` is known.
        v_bwd_valid: `v_bwd` is known.
        static: Nothing moves but the camera.
        has_pose: Poses are known.
        has_depth: Depth is known somewhere.
        has_motion: Motion is known somewhere, or the clip is static.
        weights: Of the sample as a whole (0 leaves it out), of drawn colour, of depth, of motion.
        scale: Unit of the sample in the set's unit.
    """

    inputs: Float[Tensor, "*b k 3 h w"]
    rgb: Float[Tensor, "*b s 3 h w"]
    times: Int64[Tensor, "*b s"]
    K: Float[Tensor, "*b s 3 3"]
    c2w: Float[Tensor, "*b s 4 4"]
    depth: Float[Tensor, "*b s h w"]
    valid: Bool[Tensor, "*b s h w"]
    v_fwd: Float[Tensor, "*b m h w 3"]
    v_bwd: Float[Tensor, "*b m h w 3"]
    v_fwd_valid: Bool[Tensor, "*b m h w"]
    v_bwd_valid: Bool[Tensor, "*b m h w"]
    static: Bool[Tensor, "*b"]
    has_pose: Bool[Tensor, "*b"]
    has_depth: Bool[Tensor, "*b"]
    has_motion: Bool[Tensor, "*b"]
    weights: Float[Tensor, "*b 4"]
    scale: Float[Tensor, "*b"]
