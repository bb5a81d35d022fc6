"""From a clip with truth and a draw to what the reconstructor trains on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Bool, Float32, Float64
from torch import Tensor

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.crop import Crop, crop_of
from neoverse_ns.training.data.draw import SampleConfig as SampleConfig
from neoverse_ns.training.data.draw import SampleDraw as SampleDraw
from neoverse_ns.training.data.draw import draw_sample as draw_sample
from neoverse_ns.training.data.jitter import jittered
from neoverse_ns.training.data.normalise import normalise, relative_to_first
from neoverse_ns.training.data.reverse import flip
from neoverse_ns.training.data.sample import TrainingSample
from neoverse_ns.training.data.truth import ClipInfo, Displacement, FrameTruth, TruthClip
from neoverse_ns.training.data.wear.apply import wear_sample

_ONE_SURFACE = 0.05
"""Share of depth by which neighbouring pixels of one surface differ at most."""


@dataclass(frozen=True)
class _Cropped:
    """One frame at the sample's size.

    Attributes:
        rgb: In [0, 1].
        depth: 0 where unknown.
        valid: Depth is known.
        K: Of the sample's size, at full precision.
        c2w: As the set gives it, None where unknown.
        crop: What part of the frame it is.
        frame_depth: Depth of the whole frame, None where the set has none.
    """

    rgb: Float32[Tensor, "3 h w"]
    depth: Float32[Tensor, "h w"]
    valid: Bool[Tensor, "h w"]
    K: Float64[Tensor, "3 3"]
    c2w: Float64[Tensor, "4 4"] | None
    crop: Crop
    frame_depth: Float32[Tensor, "fh fw"] | None


def make_sample(clip: TruthClip, draw: SampleDraw) -> TrainingSample:
    """Read the frames of a draw and their motion, and bring them to the sample's size, world and unit.

    Raises:
        ClipError: Files cannot be read, or the sample is of no use: a camera is not finite, too few pixels have depth,
            or the camera turns too far between keyframes. The message names the clip.
    """
    name = sample_name(clip.info, draw)
    frames: dict[int, _Cropped] = {}
    for number in sorted([*draw.keyframes, *draw.intermediates]):
        try:
            frames[number] = _crop(clip.frame(number), draw, clip.info.depth_quantile)
        except ClipError as error:
            raise ClipError(f"{name}: frame {number}: {error}") from error
    order = [frames[number] for number in (*draw.keyframes, *draw.intermediates)]
    posed = all(frame.c2w is not None for frame in order)
    deep = any(frame.frame_depth is not None for frame in order)
    valid = torch.stack([frame.valid for frame in order])
    if deep and valid.float().mean() < draw.fewest_valid:
        raise ClipError(f"{name}: too few valid pixels: {100 * valid.float().mean():.1f} %")
    poses = _poses(order, posed, draw, name)
    v_fwd, v_fwd_valid, some_forward = _motion(clip, draw.keyframes, frames, posed)
    v_bwd, v_bwd_valid, some_backward = _motion(clip, draw.keyframes[::-1], frames, posed)
    rgb = jittered(torch.stack([frame.rgb for frame in order]), draw.jitter)
    first = draw.keyframes[0]
    sample = TrainingSample(
        inputs=rgb[: len(draw.keyframes)],
        rgb=rgb,
        times=torch.tensor([number - first for number in (*draw.keyframes, *draw.intermediates)]),
        K=torch.stack([frame.K for frame in order]).float(),
        c2w=poses.float(),
        depth=torch.stack([frame.depth for frame in order]),
        valid=valid,
        v_fwd=v_fwd,
        v_bwd=v_bwd.flip(0),
        v_fwd_valid=v_fwd_valid,
        v_bwd_valid=v_bwd_valid.flip(0),
        static=torch.tensor(clip.info.static),
        has_pose=torch.tensor(posed),
        has_depth=torch.tensor(deep),
        has_motion=torch.tensor(posed and deep and (clip.info.static or some_forward or some_backward)),
        weights=_weights(clip.info, deep and not bool(valid.any())),
        scale=torch.tensor(1.0),
    )
    return wear_sample(normalise(flip(sample) if draw.reversed else sample), draw.wear)


def sample_name(info: ClipInfo, draw: SampleDraw) -> str:
    """Data set, clip and frames, for messages."""
    frames = f"{draw.keyframes[0]}..{draw.keyframes[-1]}/{draw.intermediates[0] - draw.keyframes[0]}"
    return f"{info.dataset} {info.clip} frames {frames}{' reversed' if draw.reversed else ''}"


def _crop(frame: FrameTruth, draw: SampleDraw, quantile: float) -> _Cropped:
    height, width = frame.rgb.shape[:2]
    crop = crop_of(frame.K, (height, width), (draw.height, draw.width), draw.enlargement)
    if frame.c2w is not None and not bool(torch.isfinite(frame.c2w).all()):
        raise ClipError("the pose is not finite")
    depth = torch.zeros(height, width) if frame.depth is None else frame.depth
    if depth.shape != (height, width):
        raise ClipError(f"depth has {depth.shape[1]}x{depth.shape[0]} pixels, the picture {width}x{height}")
    known = torch.isfinite(depth) & (depth > 0)
    if quantile < 1 and bool(known.any()):
        known = known & (depth <= _quantile(depth[known], quantile))
    source, valid = crop.source_pixels(known)
    near = torch.where(valid, depth.flatten()[source], 0)
    return _Cropped(crop.colours(frame.rgb), near, valid, crop.K(frame.K), frame.c2w, crop, frame.depth)


def _quantile(values: Tensor, share: float) -> Tensor:
    """Without interpolation, and without torch.quantile's limit on sizes."""
    return values.kthvalue(max(1, math.ceil(share * len(values))))[0]


def _poses(order: list[_Cropped], posed: bool, draw: SampleDraw, name: str) -> Float64[Tensor, "s 4 4"]:
    """Relative to the first keyframe of the sample, at full precision, since a set's world may begin far away."""
    if not posed:
        return torch.eye(4, dtype=torch.float64).repeat(len(order), 1, 1)
    poses = torch.stack([frame.c2w for frame in order if frame.c2w is not None]).double()
    last = len(draw.keyframes) - 1
    for before, after in pairwise(range(last + 1)):
        turned = poses[before, :3, :3].T @ poses[after, :3, :3]
        angle = math.degrees(math.acos(max(-1.0, min(1.0, (float(turned.trace()) - 1) / 2))))
        if angle > draw.furthest_turn:
            raise ClipError(f"{name}: the camera turns too far: {angle:.0f} degrees between keyframes")
    if not draw.reversed:
        return relative_to_first(poses)
    swapped = [last, *(i for i in range(len(poses)) if i != last)]
    relative = torch.empty_like(poses)
    relative[swapped] = relative_to_first(poses[swapped])
    return relative


def _motion(
    clip: TruthClip, keyframes: list[int], frames: dict[int, _Cropped], posed: bool
) -> tuple[
    Float32[Tensor, "m h w 3"],  # displacement until the next of `keyframes`, in the axes of the own camera
    Bool[Tensor, "m h w"],  # it is known
    bool,  # the clip knows some
]:
    values, valids, some = [], [], False
    for number, other in pairwise(keyframes):
        own = frames[number]
        moved, valid = torch.zeros(*own.depth.shape, 3), torch.zeros_like(own.valid)
        if posed and clip.info.static:
            valid = own.valid
        elif posed and (found := clip.displacement(number, other)) is not None:
            some = True
            moved, valid = _displaced(found, own)
        values.append(moved)
        valids.append(valid)
    return torch.stack(values), torch.stack(valids), some


def _displaced(found: Displacement, frame: _Cropped) -> tuple[Float32[Tensor, "h w 3"], Bool[Tensor, "h w"]]:
    """Motion in the axes of the frame's own camera at the sample's pixels, and where it is known."""
    assert frame.c2w is not None
    source, valid = frame.crop.source_pixels(found.valid)
    # Of row vectors, this is the transposed rotation: from the world's axes to the camera's.
    moved = (found.world.flatten(0, 1)[source].double() @ frame.c2w[:3, :3].double()).float()
    valid = valid & frame.valid & torch.isfinite(moved).all(-1)
    if frame.frame_depth is not None:
        # Of sparse tracks, the pixel that is followed and the one whose depth is taken may show different surfaces.
        valid = valid & ((frame.frame_depth.flatten()[source] - frame.depth).abs() <= _ONE_SURFACE * frame.depth)
    return torch.where(valid[..., None], moved, 0), valid


def _weights(info: ClipInfo, blind: bool) -> Float32[Tensor, "4"]:
    whole = 0.0 if blind else 1.0
    return torch.tensor([whole, info.render_weight, info.depth_weight, info.motion_weight])
