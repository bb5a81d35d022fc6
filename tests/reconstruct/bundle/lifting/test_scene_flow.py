"""Motion of keyframe pixels in 3D."""

from __future__ import annotations

import torch

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import pixel_centres, project, unproject
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow, Motion, Side, scene_flow

HEIGHT, WIDTH = 24, 40
IMAGE = torch.full((HEIGHT, WIDTH, 3), 128, dtype=torch.uint8)
BOX = (slice(8, 16), slice(12, 24))
STEP = torch.tensor([0.2, 0.05, -0.3])
"""Displacement of the box over one gap."""

NOTHING = Side(0, 0.0, 0.1, None)


def _geometry() -> SceneGeometry:
    """Three keyframes of a camera going right before a wall at depth 4, and a box that comes nearer from depth 2.3."""
    c2w = torch.eye(4).repeat(3, 1, 1)
    c2w[:, 0, 3] = torch.tensor([-0.1, 0.0, 0.1])
    K = torch.tensor([[30.0, 0.0, WIDTH / 2], [0.0, 30.0, HEIGHT / 2], [0.0, 0.0, 1.0]])
    cameras = PinholeCameras(c2w, K.repeat(3, 1, 1), WIDTH, HEIGHT)
    depth = torch.full((3, HEIGHT, WIDTH), 4.0)
    dynamic = torch.zeros(3, HEIGHT, WIDTH, dtype=torch.bool)
    depth[1][BOX], dynamic[1][BOX] = 2.0, True
    # Generous around where the box lands, so that every landing point shows it.
    for number, z in ((0, 2.3), (2, 1.7)):
        depth[number, 4:20, 6:34], dynamic[number, 4:20, 6:34] = z, True
    return SceneGeometry(cameras, [0, 1, 2], depth, torch.ones_like(depth), dynamic, {"kind": "parallax"})


def _points(geometry: SceneGeometry) -> torch.Tensor:
    return unproject(geometry.depth[1], geometry.cameras.K[1], geometry.cameras.c2w[1])


def _flow(geometry: SceneGeometry, other: int, sign: float) -> torch.Tensor:
    """Exact flow of keyframe 1, the wall at rest and the box moved."""
    points = _points(geometry).clone()
    points[BOX] += sign * STEP
    uv, _ = project(points.reshape(-1, 3), geometry.cameras.viewmats[other], geometry.cameras.K[other])
    return uv.reshape(HEIGHT, WIDTH, 2) - pixel_centres(HEIGHT, WIDTH)


def _sides(geometry: SceneGeometry, next_trust: torch.Tensor, previous_trust: torch.Tensor) -> tuple[Side, Side]:
    return (
        Side(2, 0.2, 0.1, KeyframeFlow(_flow(geometry, 2, 1.0), next_trust)),
        Side(0, 0.0, 0.1, KeyframeFlow(_flow(geometry, 0, -1.0), previous_trust)),
    )


def _solve(sides: tuple[Side, Side]) -> tuple[Motion, Motion]:
    geometry = _geometry()
    return scene_flow(geometry, 1, _points(geometry), IMAGE, sides, 0.2)


def _sure() -> torch.Tensor:
    return torch.ones(HEIGHT, WIDTH)


def test_motion_is_three_dimensional() -> None:
    forward, backward = _solve(_sides(_geometry(), _sure(), _sure()))
    torch.testing.assert_close(forward.displacement[BOX], STEP.expand(8, 12, 3), atol=1e-3, rtol=0)
    torch.testing.assert_close(backward.displacement[BOX], -STEP.expand(8, 12, 3), atol=1e-3, rtol=0)
    still = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    still[BOX] = False
    still[:, :2] = still[:, -2:] = False
    assert forward.displacement[still].abs().max() < 1e-4


def test_depth_of_something_else_is_not_taken() -> None:
    geometry = _geometry()
    # Twice as far is another surface, which the box has merely gone behind.
    geometry.depth[2, 4:20, 6:34] = 4.0
    forward, _ = scene_flow(geometry, 1, _points(geometry), IMAGE, _sides(geometry, _sure(), _sure()), 0.2)
    assert forward.displacement[BOX][..., 2].abs().max() < 1e-5


def test_lost_pixels_move_like_their_region() -> None:
    trust = _sure()
    trust[10:14, 14:20] = 0.0
    (forward, _) = _solve((_sides(_geometry(), trust, _sure())[0], NOTHING))
    torch.testing.assert_close(forward.displacement[BOX], STEP.expand(8, 12, 3), atol=5e-3, rtol=0)
    assert forward.trust[10:14, 14:20].eq(0).all()


def test_lost_pixels_of_the_background_rest() -> None:
    forward, backward = _solve(_sides(_geometry(), torch.zeros(HEIGHT, WIDTH), torch.zeros(HEIGHT, WIDTH)))
    assert forward.displacement.eq(0).all()
    assert backward.displacement.eq(0).all()


def test_motion_hidden_on_one_side_mirrors_the_other() -> None:
    geometry = _geometry()
    forward, backward = _sides(geometry, _sure(), torch.zeros(HEIGHT, WIDTH))
    hidden = Side(backward.other, 0.0, 0.2, backward.flow)
    _, found = _solve((forward, hidden))
    # Constant velocity over a gap twice as long.
    torch.testing.assert_close(found.displacement[BOX], -2 * STEP.expand(8, 12, 3), atol=5e-3, rtol=0)
    assert found.trust.eq(0).all()


def test_a_region_without_any_evidence_does_not_borrow_anothers_motion() -> None:
    geometry = _geometry()
    geometry.dynamic[1, 2:5, 2:8] = True
    trust = torch.zeros(HEIGHT, WIDTH)
    trust[BOX] = 1.0
    forward, _ = scene_flow(geometry, 1, _points(geometry), IMAGE, (_sides(geometry, trust, _sure())[0], NOTHING), 0.2)
    assert forward.displacement[2:5, 2:8].eq(0).all()
    assert forward.displacement[BOX].norm(dim=-1).min() > 0.3
