"""Own pixels, where two cameras look at surfaces whose pictures and depths are formulas."""

from __future__ import annotations

import torch

from neoverse_ns.applications.stabilize.own_pixels import Seen, with_own_pixels
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.geometry.se3 import se3_exp

HEIGHT, WIDTH = 60, 80
NEAR, FAR = 1.0, 2.0
GREY = 0.5


def camera(*twist: float) -> PinholeCameras:
    K = torch.tensor([[[70.0, 0.0, 40.0], [0.0, 70.0, 30.0], [0.0, 0.0, 1.0]]], dtype=torch.float64)
    return PinholeCameras(se3_exp(torch.tensor([twist or (0.0,) * 6], dtype=torch.float64)), K, WIDTH, HEIGHT)


def look(where: PinholeCameras, board: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Colours and depth of a wall of waves, and of a red board before it where there is one."""
    ones = torch.ones(HEIGHT, WIDTH, dtype=torch.float64)
    c2w = where.c2w[0]
    ray = unproject(ones, where.K[0], c2w) - c2w[:3, 3]
    depth = (FAR - c2w[2, 3]) / ray[..., 2]
    points = c2w[:3, 3] + depth[..., None] * ray
    waves = [0.5 + 0.4 * torch.sin(f * points[..., 0] + g * points[..., 1]) for f, g in ((9, 2), (-4, 7), (3, 8))]
    rgb = torch.stack(waves, dim=-1)
    if board:
        near = (NEAR - c2w[2, 3]) / ray[..., 2]
        place = c2w[:3, 3] + near[..., None] * ray
        on = (place[..., 0].abs() < 0.15) & (place[..., 1].abs() < 0.15)
        rgb, depth = torch.where(on[..., None], rgb.new_tensor([1.0, 0, 0]), rgb), torch.where(on, near, depth)
    return rgb.float(), depth.float()


def seen(where: PinholeCameras, board: bool, drawn: torch.Tensor | None = None) -> Seen:
    """What is drawn is grey, so that it is told from own pixels."""
    depth = look(where, board)[1]
    rgb = torch.full((HEIGHT, WIDTH, 3), GREY) if drawn is None else drawn
    return Seen(rgb, depth, depth > 0, where)


def test_what_both_see_is_the_frames_own() -> None:
    own, steady = camera(), camera(0.03, -0.02, 0.01, 0.01, 0.02, 0.03)
    frame, truth = look(own, False)[0], look(steady, False)[0]
    # The frame is as bright as its drawing on average, for nothing else to change.
    drawing = frame.mean(dim=(0, 1)).expand(HEIGHT, WIDTH, 3)
    made = with_own_pixels(seen(steady, False, truth + 0.1), seen(own, False, drawing), frame)
    inner = (slice(8, -8), slice(8, -8))
    assert (made[inner] - truth[inner]).abs().max() < 0.02


def test_what_the_frame_did_not_see_is_drawn() -> None:
    own, steady = camera(), camera(0.08, 0, 0, 0, 0, 0)
    frame, truth = look(own, True)[0], look(steady, True)[0]
    drawing = frame.mean(dim=(0, 1)).expand(HEIGHT, WIDTH, 3)
    blue = torch.tensor([0.0, 0.0, 1.0]).expand(HEIGHT, WIDTH, 3)
    made = with_own_pixels(seen(steady, True), seen(own, True, drawing), frame, blue)
    filled = (made - blue).abs().amax(dim=-1) < 1e-3
    # The board moves 5.6 pixels to the left and the wall 2.8: on its right so much comes into sight,
    assert filled[25:35].sum(dim=1).float().mean() > 2
    # and on the right edge 2.8 columns.
    assert filled[:, -2:].all()
    apart = (made - truth).abs().amax(dim=-1)
    assert apart[~filled & (made[..., 2] < 0.95)].median() < 0.02
    # Never is the board's red shown where the wall is.
    wall = (look(steady, True)[1] > 1.5)[2:-2, 2:-4]
    assert (made[2:-2, 2:-4][wall][:, 0] > 0.97).float().mean() < 0.02


def test_what_is_drawn_takes_the_frames_exposure() -> None:
    where = camera()
    frame = 0.5 * look(where, False)[0]
    hidden = Seen(torch.full((HEIGHT, WIDTH, 3), 0.6), look(where, False)[1], torch.zeros(HEIGHT, WIDTH) > 0, where)
    made = with_own_pixels(hidden, seen(where, False, 2 * frame), frame)
    torch.testing.assert_close(made, torch.full_like(made, 0.3), atol=1e-4, rtol=0)
