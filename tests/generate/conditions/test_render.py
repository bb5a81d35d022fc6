"""Conditions drawn along a trajectory, on a scene whose pictures can be calculated."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.errors import RefinementError, SettingsError
from neoverse_ns.gaussians.layers import FAR_FIELD, FRAMES, LayeredGaussians
from neoverse_ns.generate.conditions.drawn import render_conditions
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.generate.conditions.render import ConditionSettings
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.trajectory.files import preset_move
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.generate.layered import SQUARE, WALL, layered_source

SOURCE = layered_source()
WIDTH, HEIGHT = SOURCE.cameras.width, SOURCE.cameras.height
K = SOURCE.cameras.K[0]


def path_at(c2w: torch.Tensor, times: torch.Tensor) -> Trajectory:
    return Trajectory(PinholeCameras(c2w, K.repeat(len(c2w), 1, 1), WIDTH, HEIGHT), times)


def still(count: int, times: list[float] | None = None, zoom: list[float] | None = None) -> Trajectory:
    when = torch.linspace(0, 1, count) if times is None else torch.tensor(times)
    return path_at(torch.eye(4).repeat(count, 1, 1), when).zoomed(torch.tensor(zoom or [1.0] * count))


def test_every_frame_is_what_the_rasteriser_draws_there_and_then() -> None:
    path = preset_move("move_right", 10).follow(SOURCE.cameras, SOURCE.times)
    drawn = render_conditions(SOURCE.gaussians, path, ConditionSettings(mask_threshold=0.9))
    assert len(drawn) == 10  # more than one chunk
    for frame in (0, 4, 9):
        viewmat = torch.linalg.inv(path.c2w[frame]).float()
        alone = draw_layers(SOURCE.gaussians, float(path.times[frame]), viewmat[None], K[None], WIDTH, HEIGHT)
        torch.testing.assert_close(drawn.rgb[frame], alone.rgb[0].clamp(0, 1))
        torch.testing.assert_close(drawn.depth[frame], alone.depth[0, ..., 0])
        torch.testing.assert_close(drawn.alpha[frame], alone.alpha[0, ..., 0])
    assert torch.equal(drawn.mask, drawn.alpha > 0.9)
    assert drawn.mask[0].all()
    # What the first camera's picture did not hold is open on the far side of the last one.
    assert not drawn.mask[9][:, -1].any()
    torch.testing.assert_close(drawn.plucker, plucker_maps(path.c2w.float(), drawn.K, HEIGHT, WIDTH))
    assert drawn.times.tolist() == path.times.float().tolist()


def test_depth_is_the_scene_s() -> None:
    drawn = render_conditions(SOURCE.gaussians, still(1, [0.0]))
    middle, corner = drawn.depth[0, HEIGHT // 2, WIDTH // 2], drawn.depth[0, 2, 2]
    torch.testing.assert_close(torch.stack([middle, corner]), torch.tensor([SQUARE, WALL]), atol=1e-4, rtol=0)


def test_zoom_widens_the_square_by_its_factor() -> None:
    drawn = render_conditions(SOURCE.gaussians, still(3, [0.0] * 3, [1.0, 1.25, 1.5]))
    assert drawn.K[:, 0, 0].tolist() == pytest.approx([57.6, 72.0, 86.4])
    assert drawn.K[:, :2, 2].tolist() == [[WIDTH / 2, HEIGHT / 2]] * 3
    widths = (drawn.depth[:, HEIGHT // 2] < 1.5).sum(dim=-1)
    # Half a unit wide at depth 1.
    assert (widths - torch.tensor([28.8, 36.0, 43.2])).abs().max() <= 2


def test_frames_of_one_instant_are_drawn_as_they_are_alone() -> None:
    c2w = torch.eye(4).repeat(3, 1, 1)
    c2w[:, 0, 3] = torch.tensor([0.0, 0.05, 0.1])
    path = path_at(c2w, torch.full((3,), 0.5))
    together = render_conditions(SOURCE.gaussians, path)
    for frame in range(3):
        alone = path[[frame]]
        assert torch.equal(together.rgb[[frame]], render_conditions(SOURCE.gaussians, alone).rgb)
    assert not torch.equal(together.rgb[0], together.rgb[2])


def test_the_first_frame_is_the_input_s_and_kept_everywhere() -> None:
    image = torch.rand(HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(0))
    plain = render_conditions(SOURCE.gaussians, still(3))
    given = render_conditions(SOURCE.gaussians, still(3), first_frame=image)
    assert given.first_frame
    assert torch.equal(given.rgb[0], image)
    assert given.mask[0].all()
    assert torch.equal(given.rgb[1:], plain.rgb[1:])
    assert torch.equal(given.mask[1:], plain.mask[1:])
    assert not plain.mask[0].all()
    with pytest.raises(RefinementError, match="resize"):
        render_conditions(SOURCE.gaussians, still(3), first_frame=image[1:])


def test_the_far_field_is_shown_on_request_but_never_counts_as_seen() -> None:
    gaussians = SOURCE.gaussians.frames
    left = gaussians.means[:, 0] < 0
    soft = gaussians.with_(
        dynamic=torch.zeros_like(gaussians.dynamic),
        means=gaussians.means * 3,
        log_scales=gaussians.log_scales + 1.1,
    )
    half = LayeredGaussians({FRAMES: gaussians[left], FAR_FIELD: soft})
    views = {
        shown: render_conditions(half, still(1), ConditionSettings(0.9, far_field=shown)) for shown in (False, True)
    }
    far_side = views[False].alpha[0, :, WIDTH * 3 // 4 :]
    assert not far_side.any()
    assert torch.equal(views[True].alpha, views[False].alpha)
    assert torch.equal(views[True].mask, views[False].mask)
    assert not views[False].rgb[0, :, WIDTH * 3 // 4 :].any()
    assert (views[True].rgb[0, 4:-4, WIDTH * 3 // 4 : -4].amax(dim=-1) > 0.2).all()


def test_times_outside_the_clip_are_cut_with_one_warning(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = render_conditions(SOURCE.gaussians, still(3, [-0.2, 0.5, 1.1]))
    assert drawn.times.tolist() == [0.0, 0.5, 1.0]
    assert capsys.readouterr().out.count("leave the clip") == 1


def test_bad_settings_and_empty_paths_are_refused() -> None:
    with pytest.raises(SettingsError, match="mask_threshold"):
        render_conditions(SOURCE.gaussians, still(1), ConditionSettings(mask_threshold=1.5))
    with pytest.raises(RefinementError, match="no frame"):
        render_conditions(SOURCE.gaussians, path_at(torch.zeros(0, 4, 4), torch.zeros(0)))
