"""Cues of motion and their labelling, on exact flow and drawn images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.motion.motion_cues import MotionCues, colour_cues, flow_cues
from neoverse_ns.reconstruct.bundle.motion.motion_labels import (
    MOVING_CAMERA,
    STILL_CAMERA,
    Labelling,
    gather_cues,
    label_moving,
)
from tests.reconstruct.bundle.motion.walked_scene import F, H, W, box, ground, views_of, walk

THRESHOLD = 3.0


def test_flow_that_fits_no_depth_is_evidence_of_motion():
    depth, mover = ground(), box()
    depth[mover] = 3.0
    views = views_of(depth, walk(), mover, (0.0, 0.05, 0.0))
    found = flow_cues(views, 1 / depth, THRESHOLD)
    share = found.moving / (found.moving + found.still)
    inside, outside = mover.clone(), ~mover
    inside[25:27] = inside[53:55] = inside[:, 40:42] = inside[:, 58:60] = False
    outside[23:57, 38:62] = False
    assert float(share[inside].min()) > 0.9
    assert float(share[outside].max()) < 0.2


def test_wrong_start_depth_is_no_evidence_of_motion():
    depth = ground()
    views = views_of(depth, walk(), torch.zeros(H, W), (0.0, 0.0, 0.0))
    found = flow_cues(views, 1 / (1.2 * depth), THRESHOLD)
    assert float((found.moving / (found.moving + found.still)).max()) < 0.2


def test_flow_that_nobody_trusts_is_no_evidence():
    depth = ground()
    views = views_of(depth, walk(), torch.ones(H, W), (0.0, 0.3, 0.0))
    nothing = views.without(torch.ones(H, W, dtype=torch.bool))
    found = flow_cues(nothing, 1 / depth, THRESHOLD)
    assert float((found.moving + found.still).max()) < 0.02


def test_changed_colours_are_evidence_without_any_flow():
    generator = np.random.default_rng(0)
    background = np.repeat(np.repeat(generator.integers(0, 255, (16, 24, 3)), 4, 0), 4, 1).astype(np.uint8)
    frames = [background.copy() for _ in range(6)]
    for number, frame in enumerate(frames):
        frame[20:40, 4 + 14 * number : 18 + 14 * number] = (255, 0, 255)
    stride, here = 2, 3
    rays = torch.cat([_centres() / F, torch.ones(1, H, W)])[None, :, ::stride, ::stride]
    others = [frame for number, frame in enumerate(frames) if number != here]
    found = colour_cues(
        rays.expand(5, 3, -1, -1), torch.zeros(5, 3, 1, 1), F, torch.ones(H // 2, W // 2), frames[here], others, stride
    )
    truth = torch.zeros(H, W, dtype=torch.bool)
    truth[20:40, 46:60] = True
    truth = truth[::stride, ::stride]
    assert float((found.moving[truth] > 0.9).float().mean()) > 0.8
    assert float((found.moving[~truth] > 0.1).float().mean()) < 0.03
    assert float(found.still[truth].mean()) < 0.1 < 0.5 < float(found.still[~truth].mean())


def _centres() -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(H) + 0.5 - H / 2, torch.arange(W) + 0.5 - W / 2, indexing="ij")
    return torch.stack([x, y])


@pytest.mark.parametrize("labelling", [STILL_CAMERA, MOVING_CAMERA])
def test_labels_fill_a_region_to_its_edges_and_drop_specks(labelling: Labelling):
    truth = box()
    image = torch.full((H, W, 3), 60, dtype=torch.uint8)
    image[truth] = 180
    moving, still = torch.zeros(H // 2, W // 2), torch.zeros(H // 2, W // 2)
    # Known in the region's middle and far from it only: the image's edges say how far each reaches.
    moving[15:25, 22:28] = 1.0
    still[:, :10], still[:, 38:] = 1.0, 1.0
    moving[5, 5] = 1.0
    found = label_moving(MotionCues(moving, still), image, 2, labelling)
    assert float((found & truth).sum()) / float((found | truth).sum()) > 0.9
    assert not found[:20, :20].any()


def test_where_everything_seems_to_move_nothing_is_masked():
    image, nothing = torch.full((H, W, 3), 60, dtype=torch.uint8), torch.zeros(H // 2, W // 2)
    half = nothing.clone()
    half[:, :24] = 1.0
    assert float(label_moving(MotionCues(half, 1 - half), image, 2, STILL_CAMERA).float().mean()) > 0.4
    assert not label_moving(MotionCues(nothing + 1, nothing), image, 2, STILL_CAMERA).any()


def test_neighbouring_keyframes_lend_their_evidence_along_the_flow():
    nothing = torch.zeros(H // 2, W // 2)
    seen = nothing.clone()
    seen[10:14, 20:24] = 1.0
    field = FlowField()
    field.flow[3, 5] = np.full((H, W, 2), (8.0, 0.0), np.float32)
    field.confidence[3, 5] = np.ones((H, W), np.float32)
    gathered = gather_cues(MotionCues(nothing, nothing), [(5, MotionCues(seen, nothing))], 3, field, 2)
    assert torch.equal(gathered.moving[10:14, 16:20] > 0.4, torch.ones(4, 4, dtype=torch.bool))
    assert float(gathered.moving.sum()) == pytest.approx(float(gathered.moving[10:14, 16:20].sum()))
    assert not gather_cues(MotionCues(nothing, nothing), [(7, MotionCues(seen, nothing))], 3, field, 2).moving.any()
