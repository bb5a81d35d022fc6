"""What pictures show beside the drawing: the clip's frame in its place, what moves, lines, points followed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.plugin.viewer.display import Display
from neoverse_ns.plugin.viewer.input_frame import placed_frame, wiped, with_inset
from neoverse_ns.plugin.viewer.lines import velocity_segments, with_tracks, with_velocities
from neoverse_ns.plugin.viewer.recolour import confidence_scene, motion_scene, moving
from neoverse_ns.plugin.viewer.tracks import Tracks, follow
from neoverse_ns.rasterize.layers import draw_layers
from tests.plugin.tiny_scene import HEIGHT, WIDTH, tiny_gaussians, tiny_model, tiny_scene


def camera(width: int = 40, height: int = 30, focal: float = 30.0, turn: float = 0.0) -> PinholeCameras:
    c2w = se3_exp(torch.tensor([[0.0, 0.0, 0.0, 0.0, turn, 0.0]]))
    K = torch.tensor([[[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]]])
    return PinholeCameras(c2w, K, width, height)


def test_frame_lies_over_its_drawing_and_follows_turns() -> None:
    own = camera()
    # Far points of a smooth world: colour by direction.
    frame = torch.rand(3, 4, generator=torch.Generator().manual_seed(0))
    frame = torch.nn.functional.interpolate(frame[None, :, None].expand(1, 3, 3, 4), (30, 40), mode="bilinear")[0]
    frame = frame.permute(1, 2, 0)
    same, inside = placed_frame(frame, own, own)
    torch.testing.assert_close(same, frame, atol=1e-5, rtol=0)
    assert inside.all()
    # A window of twice the size and twice the focal length sees the same, one that sees more has it in its middle.
    twice, inside = placed_frame(frame, own, camera(80, 60, 60.0))
    assert inside.all()
    torch.testing.assert_close(twice[1::2, 1::2], frame, atol=0.02, rtol=0)
    wide, inside = placed_frame(frame, own, camera(80, 60, 30.0))
    assert int(inside.sum()) == 40 * 30
    torch.testing.assert_close(wide[15:45, 20:60], frame, atol=1e-5, rtol=0)
    # Turned to the right by the angle of 10 pixels at the middle, the frame goes to the left.
    turned, inside = placed_frame(frame, own, camera(turn=float(np.arctan(10 / 30))))
    torch.testing.assert_close(turned[15, 20], frame[15, 30], atol=0.02, rtol=0)
    assert not inside[15, 39]
    # What lies behind the window's camera is not seen in it.
    assert not placed_frame(frame, own, camera(turn=np.pi))[1].any()


def test_wipe_and_inset_take_their_places() -> None:
    drawn, frame = torch.zeros(30, 40, 3), torch.full((30, 40, 3), 0.5)
    inside = torch.ones(30, 40, dtype=torch.bool)
    inside[:, 35:] = False
    both = wiped(drawn, frame, inside, 0.5)
    assert (both[:, :20] == 0).all()
    assert (both[:, 21:35] == 0.5).all()
    assert (both[:, 35:] == 0).all()
    assert (wiped(drawn, frame, inside, 0.0)[:, :35] == 0.5).all()
    assert (wiped(drawn, frame, inside, 1.0) == 0).all()
    small = with_inset(drawn, frame)
    assert (small[:15, :20] == 0).all()
    assert int(((small - 0.5).abs() < 1e-4).all(-1).sum()) == 10 * 14


def test_what_moves_is_what_has_a_way_to_go() -> None:
    gaussians = tiny_gaussians()
    still = gaussians.with_(velocities=torch.zeros_like(gaussians.velocities))
    assert not moving(still).any()
    fast = gaussians.with_(velocities=gaussians.velocities + 1.0)
    assert torch.equal(moving(fast), gaussians.dynamic)
    shown = motion_scene(LayeredGaussians({FRAMES: fast}))
    view = draw_layers(shown, 0.5, camera().viewmats, camera().K, 40, 30)
    assert float(view.rgb.max()) > 0.5
    black = motion_scene(LayeredGaussians({FRAMES: still}))
    assert float(draw_layers(black, 0.5, camera().viewmats, camera().K, 40, 30).rgb.max()) == pytest.approx(0, abs=1e-6)


def test_confidence_is_that_of_the_pixel_a_gaussian_came_from() -> None:
    scene = tiny_scene()
    assert scene.gaussians is not None
    cameras = scene.geometry.cameras
    layer = scene.gaussians.frames
    shown = confidence_scene(scene.gaussians, scene.geometry, cameras).frames
    value = 0.5 + 0.28209479 * shown.sh[:, 0, 0]
    row = 8
    k = int(layer.keyframe[row])
    frame = scene.geometry.keyframes[k]
    seen = cameras.viewmats[frame, :3, :3] @ layer.means[row] + cameras.viewmats[frame, :3, 3]
    pixel = (cameras.K[frame] @ seen / seen[2])[:2].long()
    column, line = int(pixel[0].clamp(0, WIDTH - 1)), int(pixel[1].clamp(0, HEIGHT - 1))
    assert float(value[row]) == pytest.approx(float(scene.geometry.confidence[k, line, column]), abs=1e-5)


def runner(count: int = 3, step: float = 0.1) -> Any:
    """One thing that moves to the right by `step` a keyframe, seen by each of `count` keyframes."""
    gaussians = tiny_gaussians(count)
    at = torch.arange(count) / (count - 1)
    gap = 1 / (count - 1)
    place = torch.stack([step * torch.arange(count), torch.zeros(count), torch.ones(count)], dim=-1)
    way = torch.tensor([step, 0.0, 0.0])
    return gaussians.with_(
        means=place.float(),
        interval=torch.stack([at - gap, at, at + gap], dim=-1),
        velocities=torch.stack([way, -way]).expand(count, 2, 3).contiguous(),
        dynamic=torch.ones(count, dtype=torch.bool),
        sh=torch.zeros(count, 1, 3),
        opacity_logits=torch.full((count,), 4.0),
        keyframe=torch.arange(count),
    )


def test_points_are_followed_from_keyframe_to_keyframe() -> None:
    times = [i / 8 for i in range(9)]
    tracks = follow(runner(), times, 3)
    assert tracks.known.all()
    # Whichever keyframe a point started at, it is the one thing there is.
    expected = torch.tensor([[0.2 * time, 0.0, 1.0] for time in times])
    for points in tracks.points:
        torch.testing.assert_close(points, expected, atol=1e-5, rtol=0)


def test_points_are_lost_where_nobody_takes_over() -> None:
    gaussians = runner()
    means = gaussians.means.clone()
    means[2, 1] += 0.5
    tracks = follow(gaussians.with_(means=means), [0.0, 0.5, 0.75, 1.0], 3)
    first = tracks.known[0]
    assert first.tolist() == [True, True, True, True]
    # From the second keyframe on to the third it is carried by the second's own; the third's came from nowhere.
    assert tracks.known[2].tolist() == [False, True, True, True]


def test_lines_start_where_things_are_and_hide_behind_what_is_nearer() -> None:
    segments = velocity_segments(runner(), 0.25, 0.5)
    torch.testing.assert_close(segments[0], torch.tensor([[0.05, 0.0, 1.0], [0.05, 0.0, 1.0]]), atol=1e-5, rtol=0)
    torch.testing.assert_close(segments[1] - segments[0], torch.tensor([[0.1, 0.0, 0.0]] * 2), atol=1e-5, rtol=0)
    black, far, near = torch.zeros(30, 40, 3), torch.full((30, 40), 2.0), torch.full((30, 40), 0.5)
    drawn = with_velocities(black, far, camera(), segments)
    lit = torch.nonzero(drawn.sum(-1) > 0)
    assert lit[:, 0].float().mean() == pytest.approx(15, abs=1)
    assert lit[:, 1].min() >= 20
    assert lit[:, 1].max() <= 26
    assert (with_velocities(black, near, camera(), segments) == 0).all()
    tracks = Tracks(segments[0][:1, None].expand(1, 2, 3), torch.ones(1, 2, dtype=torch.bool))
    assert (with_tracks(black, far, camera(), tracks, 1) > 0).any()
    assert (with_tracks(black, near, camera(), tracks, 1) == 0).all()


def display(scene: Any = None) -> tuple[Display, Any]:
    scene = scene or tiny_scene()
    model = tiny_model(scene)
    run = SimpleNamespace(
        model=model,
        scene=scene,
        version=lambda: 0,
        cameras=lambda: model.camera_optimizer.refined(scene.geometry.cameras, scene.clip.times),
    )
    return Display(run), model  # pyright: ignore


@pytest.mark.parametrize("show", ["depth", "opacity", "what moves", "confidence"])
def test_everything_can_be_shown_and_only_the_shown_picture_changes(show: str) -> None:
    shown, model = display()
    window = model.train_cameras()[0:1]

    def redraw(scene: LayeredGaussians) -> dict[str, torch.Tensor]:
        with torch.no_grad():
            return model._draw_anything(window, 0.0, scene)

    own = shown.run.cameras()[[0]]
    plain = shown.outputs(own, 0.0, 0, redraw)
    shown.change(show=show)
    changed = shown.outputs(own, 0.0, 0, redraw)
    assert shown.version == 1
    assert changed["rgb"].shape == plain["rgb"].shape
    assert float((changed["rgb"] - plain["rgb"]).abs().mean()) > 0.02
    assert 0 <= float(changed["rgb"].min()) <= float(changed["rgb"].max()) <= 1
    for name in ("depth", "accumulation"):
        assert torch.equal(changed[name], plain[name])
    shown.change(show="drawing", hidden=frozenset({FRAMES}))
    assert float(shown.outputs(own, 0.0, 0, redraw)["accumulation"].max()) == 0
