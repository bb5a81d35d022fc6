"""MotionCues of motion, its labelling, and the depth of what moves, on exact flow and drawn images."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import Views, gather_views
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.motion.dynamic_objects import GROUND_ERROR, _weigh, place_dynamic_objects
from neoverse_ns.reconstruct.bundle.motion.motion_cues import MotionCues, colour_cues, flow_cues
from neoverse_ns.reconstruct.bundle.motion.motion_labels import (
    MOVING_CAMERA,
    STILL_CAMERA,
    Labelling,
    gather_cues,
    label_moving,
)

H, W, F = 64, 96, 80.0
FRAMES, MIDDLE = 9, 4
THRESHOLD = 3.0


def _ground() -> torch.Tensor:
    """Depth of a floor that meets a wall at depth 4."""
    rows = torch.arange(H) + 0.5
    return (F * 1.0 / (rows - H / 2).clamp_min(1.0)).clamp_max(4.0)[:, None].expand(H, W).clone()


def _walk(bounce: float = 0.06) -> torch.Tensor:
    """World-to-camera poses of a walk to the right with footsteps; the middle frame is the world's origin."""
    times = torch.arange(FRAMES) - MIDDLE
    twists = torch.zeros(FRAMES, 6, dtype=torch.float64)
    twists[:, 0] = -0.08 * times
    twists[:, 1] = bounce * torch.sin(2.1 * times.double())
    return se3_exp(twists)


def _views(depth: torch.Tensor, viewmats: torch.Tensor, mover: torch.Tensor, velocity: tuple[float, ...]) -> Views:
    """Exact views of the middle frame in which the pixels of `mover` move by `velocity` per frame."""
    y, x = torch.meshgrid(torch.arange(H) + 0.5, torch.arange(W) + 0.5, indexing="ij")
    points = torch.stack([(x - W / 2) / F * depth, (y - H / 2) / F * depth, depth], -1).double()
    field = FlowField()
    for j in range(FRAMES):
        if j == MIDDLE:
            continue
        moved = points + (j - MIDDLE) * mover[..., None] * torch.tensor(velocity).double()
        seen = moved @ viewmats[j, :3, :3].T + viewmats[j, :3, 3]
        u, v = F * seen[..., 0] / seen[..., 2] + W / 2, F * seen[..., 1] / seen[..., 2] + H / 2
        field.flow[MIDDLE, j] = torch.stack([u - x, v - y], -1).float().numpy()
        field.confidence[MIDDLE, j] = np.ones((H, W), np.float32)
    views = gather_views(field, MIDDLE, viewmats, F)
    assert views is not None
    return views


def _box() -> torch.Tensor:
    """A thing that stands on the floor where this is 2.5 away (image row 64 / 2 + 80 / 2.5 = 64 is the lower edge)."""
    mask = torch.zeros(H, W, dtype=torch.bool)
    mask[25:55, 40:60] = True
    return mask


def test_flow_that_fits_no_depth_is_evidence_of_motion():
    depth, mover = _ground(), _box()
    depth[mover] = 3.0
    views = _views(depth, _walk(), mover, (0.0, 0.05, 0.0))
    found = flow_cues(views, 1 / depth, THRESHOLD)
    share = found.moving / (found.moving + found.still)
    inside, outside = mover.clone(), ~mover
    inside[25:27] = inside[53:55] = inside[:, 40:42] = inside[:, 58:60] = False
    outside[23:57, 38:62] = False
    assert float(share[inside].min()) > 0.9
    assert float(share[outside].max()) < 0.2


def test_wrong_start_depth_is_no_evidence_of_motion():
    depth = _ground()
    views = _views(depth, _walk(), torch.zeros(H, W), (0.0, 0.0, 0.0))
    found = flow_cues(views, 1 / (1.2 * depth), THRESHOLD)
    assert float((found.moving / (found.moving + found.still)).max()) < 0.2


def test_flow_that_nobody_trusts_is_no_evidence():
    depth = _ground()
    views = _views(depth, _walk(), torch.ones(H, W), (0.0, 0.3, 0.0))
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
    truth = _box()
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


def test_a_mover_stands_on_the_ground_beneath_it():
    depth, mover = _ground(), _box()
    still = _views(depth, torch.eye(4).double().repeat(FRAMES, 1, 1), mover, (0.0, 0.0, 0.0))
    placed, error = place_dynamic_objects(depth, mover, still)
    assert torch.equal(placed[~mover], depth[~mover])
    ground = float(depth[57, 50])
    assert float(placed[mover].median()) == pytest.approx(ground, rel=0.03)
    assert float((placed / depth)[mover].max()) <= 1 + 1e-5
    # A camera that does not shake tells nothing more.
    assert torch.equal(error > 0, mover)
    assert error[mover].numpy() == pytest.approx(GROUND_ERROR, rel=1e-4)


def test_a_mover_cut_off_by_the_lower_edge_gets_a_finite_depth():
    depth, mover = _ground(), torch.zeros(H, W, dtype=torch.bool)
    mover[30:, 30:60] = True
    still = _views(depth, torch.eye(4).double().repeat(FRAMES, 1, 1), mover, (0.0, 0.0, 0.0))
    placed, _ = place_dynamic_objects(depth, mover, still)
    assert torch.isfinite(placed).all()
    assert float(placed.min()) > 0
    assert float((placed / depth).max()) <= 1 + 1e-5


@pytest.mark.parametrize("true_depth", [1.6, 2.6])
def test_footsteps_of_the_camera_tell_how_far_a_flying_thing_is(true_depth: float):
    depth, mover = _ground(), torch.zeros(H, W, dtype=torch.bool)
    mover[8:24, 40:56] = True
    true = depth.clone()
    true[mover] = true_depth
    views = _views(true, _walk(), mover.float(), (0.05, -0.02, 0.0))
    placed, error = place_dynamic_objects(depth, mover, views)
    assert abs(math.log(float(placed[mover].median()) / true_depth)) < 0.12
    # An even path of the camera says nothing: the thing stays at the background.
    even, doubt = place_dynamic_objects(depth, mover, _views(true, _walk(0.0), mover.float(), (0.05, -0.02, 0.0)))
    assert float(error[mover].max()) < 0.5 * float(doubt[mover].min())
    assert float(even[mover].median()) == pytest.approx(4.0, rel=0.05)


@pytest.mark.parametrize("certainty", [0.0, 2.0, 11.0, 300.0])
@pytest.mark.parametrize("shift", [-1.2, -0.3, 0.05, 0.8])
def test_path_and_ground_are_weighed_as_hubers_loss_has_it(shift: float, certainty: float):
    moved, _ = _weigh(shift, certainty)

    def cost(x: np.ndarray) -> np.ndarray:
        ratio = np.abs(x) / GROUND_ERROR
        ground = np.where(ratio <= 1, 0.5 * ratio**2, ratio - 0.5)
        return ground + 0.5 * certainty * (x - shift) ** 2

    grid = np.linspace(-1.5, 1.5, 30_001)
    assert moved == pytest.approx(float(grid[cost(grid).argmin()]), abs=2e-4)
