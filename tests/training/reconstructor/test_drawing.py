"""Drawing in training against the same scene moved and drawn as it is in use, and the masks against loops."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry import se3
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.networks.neoverse.splats import keyframe_splats
from neoverse_ns.rasterize.drawing import draw_instant
from neoverse_ns.reconstruct.feedforward.lift import to_dynamic_gaussians
from neoverse_ns.training.data.sample import TrainingSample
from neoverse_ns.training.reconstructor.drawing.config import DrawingConfig
from neoverse_ns.training.reconstructor.drawing.draw_clip import TrueCameras, draw_clip
from neoverse_ns.training.reconstructor.drawing.masks import judged_pixels, seen_by_keyframes
from tests.networks.neoverse.fixtures import lively
from tests.training.reconstructor.batches import synthetic_sample

CONFIG = DrawingConfig()


def predicted(sample: TrainingSample, **options: bool) -> NetworkPredictions:
    with torch.no_grad():
        return lively()(sample.inputs[None], **options)


def cameras_of(sample: TrainingSample) -> TrueCameras:
    return TrueCameras(sample.c2w, sample.K, sample.times)


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("motion", [True, False])
def test_it_is_what_the_network_draws_in_use(static: bool, motion: bool) -> None:
    """Had it predicted the true cameras: the same Gaussians, merged or moved by the code that renders scenes."""
    sample = synthetic_sample(static=static)
    # Gaps of different lengths, in each of which the frame lies elsewhere.
    sample = replace(sample, times=torch.tensor([0, 4, 14, 1, 10]))
    predictions = predicted(sample, is_static=static, use_motion=motion)
    keyframes, (height, width) = len(sample.inputs), sample.inputs.shape[-2:]
    mine = draw_clip(predictions, sample.inputs[None], 0, cameras_of(sample), CONFIG, static, True)
    told = replace(predictions, c2w=sample.c2w[None, :keyframes], K=sample.K[None, :keyframes])
    (splats,) = keyframe_splats(told, sample.inputs[None], sample.times[None, :keyframes], static)
    scene = to_dynamic_gaussians(splats, sample.times[:keyframes])
    viewmats = se3.se3_inverse(sample.c2w)
    for frame, time in enumerate(sample.times.tolist()):
        moment = at_time(scene, time / 14)
        here = slice(frame, frame + 1)
        expected = draw_instant(moment, viewmats[here], sample.K[here], width, height)
        torch.testing.assert_close(mine.rgb[frame], expected.rgb[0].clamp(0, 1).movedim(-1, 0), atol=2e-5, rtol=0)
        torch.testing.assert_close(mine.alpha[frame], expected.alpha[0, ..., 0], atol=2e-5, rtol=0)
        torch.testing.assert_close(mine.depth[frame], expected.depth[0, ..., 0], atol=1e-4, rtol=1e-4)
    assert mine.shown.all()
    assert not torch.equal(mine.rgb[3], mine.rgb[4])


def test_only_keyframes_are_drawn_where_no_more_is_wanted() -> None:
    sample = synthetic_sample()
    predictions = predicted(sample)
    some, every = (
        draw_clip(predictions, sample.inputs[None], 0, cameras_of(sample), CONFIG, False, between)
        for between in (False, True)
    )
    assert some.shown.tolist() == [True, True, True, False, False]
    assert torch.equal(some.rgb[:3], every.rgb[:3])
    assert not some.rgb[3:].any()
    assert every.rgb[3:].any()


def test_points_are_seen_as_a_loop_over_pixels_finds() -> None:
    sample = synthetic_sample(step=4)
    keyframes, (height, width) = 3, sample.depth.shape[-2:]
    # A hole in one intermediate frame, and one in a keyframe.
    valid, depth = sample.valid.clone(), sample.depth.clone()
    valid[3, 5:9, 8:20] = False
    depth[0, 10:20, 10:30] = 0
    mine = seen_by_keyframes(depth, valid, sample.c2w, sample.K, keyframes, 0.05)
    views = torch.linalg.inv(sample.c2w.double())
    wrong = 0
    for gap in range(2):
        frame = keyframes + gap
        K, z = sample.K[frame].double(), depth[frame].double()
        for y in range(height):
            for x in range(width):
                ray = torch.tensor([(x + 0.5 - K[0, 2]) / K[0, 0], (y + 0.5 - K[1, 2]) / K[1, 1], 1.0]).double()
                point = sample.c2w[frame, :3, :3].double() @ (ray * z[y, x]) + sample.c2w[frame, :3, 3]
                seen = any(_sees(point, views[k], sample.K[k].double(), depth[k].double()) for k in range(keyframes))
                wrong += bool(mine[gap, y, x]) != (seen and bool(valid[frame, y, x]))
    assert wrong <= 4  # points at the very edge of the tolerance
    assert 0.3 < float(mine.float().mean()) < 0.99


def _sees(point: torch.Tensor, view: torch.Tensor, K: torch.Tensor, depth: torch.Tensor) -> bool:
    height, width = depth.shape
    local = view[:3, :3] @ point + view[:3, 3]
    u, v = (float(K[i, i] * local[i] / local[2] + K[i, 2]) for i in (0, 1))
    if local[2] <= 0 or not (0 <= u <= width and 0 <= v <= height):
        return False
    x, y = min(max(u - 0.5, 0.0), width - 1.0), min(max(v - 0.5, 0.0), height - 1.0)
    left, top = min(math.floor(x), width - 2), min(math.floor(y), height - 2)
    a, b = x - left, y - top
    corner = depth[top : top + 2, left : left + 2]
    there = float(
        (1 - b) * ((1 - a) * corner[0, 0] + a * corner[0, 1]) + b * ((1 - a) * corner[1, 0] + a * corner[1, 1])
    )
    return there > 0 and abs(float(local[2]) - there) <= 0.05 + 1e-5 * there


def test_keyframes_count_everywhere_and_others_where_they_are_drawn_and_known() -> None:
    alpha = torch.tensor([0.0, 1.0, 0.05, 0.2]).expand(3, 1, 4).clone()
    shown = torch.ones(3, dtype=torch.bool)
    seen = torch.tensor([[[True, True, True, False]]])
    assert judged_pixels(alpha, shown, seen).tolist() == [[[True] * 4]] * 2 + [[[False, True, False, False]]]
    assert judged_pixels(alpha, shown, None)[2].tolist() == [[False, True, False, True]]
    shown[2] = False
    assert not judged_pixels(alpha, shown, None)[2].any()
    # Two keyframes alone have no more to show: one frame between them is the last of three.
    assert judged_pixels(alpha[:1], shown[:1], None).all()
