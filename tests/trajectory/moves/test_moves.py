"""What every move promises, checked on the cameras it makes."""

from __future__ import annotations

import math

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.se3 import so3_log
from neoverse_ns.trajectory.moves.choice import Subject
from neoverse_ns.trajectory.moves.crane import Crane, eased
from neoverse_ns.trajectory.moves.dolly_zoom import DollyZoom
from neoverse_ns.trajectory.moves.handheld import FASTEST, SLOWEST, SWAY, TURN, Handheld, band_noise
from neoverse_ns.trajectory.moves.look_at import LookAt, smoothed
from neoverse_ns.trajectory.moves.orbit import Orbit
from neoverse_ns.trajectory.moves.smooth import Smooth
from neoverse_ns.trajectory.presets import MoveSize, preset
from tests.trajectory.moves.stages import Known, line, seen, stage

POINT = (0.3, -0.2, 2.5)


def is_rigid(c2w: torch.Tensor) -> None:
    R = c2w[:, :3, :3]
    torch.testing.assert_close(R @ R.mT, torch.eye(3, dtype=R.dtype).expand_as(R), atol=1e-9, rtol=0)
    assert (torch.linalg.det(R) > 0).all()


@pytest.mark.parametrize("degrees", [90.0, -40.0, 360.0, 720.0])
def test_an_orbit_is_a_true_circle_at_constant_speed(degrees: float) -> None:
    given = stage(count=25)
    made = Orbit(Subject(point=POINT), degrees=degrees).apply(given).base
    is_rigid(made.c2w)
    centre = torch.tensor(POINT, dtype=torch.float64)
    arms = made.c2w[:, :3, 3] - centre
    torch.testing.assert_close(arms.norm(dim=1), arms[0].norm().expand(25), atol=1e-9, rtol=0)
    # Heights over the plane of the circle stay; so the angle between arms seen along the axis is the turn.
    heights = arms @ given.up
    torch.testing.assert_close(heights, heights[0].expand(25), atol=1e-9, rtol=0)
    level = arms - heights[:, None] * given.up
    turned = (level[1:] * level[:-1]).sum(1) / level[0].square().sum()
    expected = math.cos(math.radians(degrees) / 24)
    torch.testing.assert_close(turned, turned.new_full((24,), expected), atol=1e-9, rtol=0)
    # The point keeps its place in the picture.
    uv, _ = seen(made, centre.expand(25, 3))
    torch.testing.assert_close(uv, uv[:1].expand(25, 2), atol=1e-6, rtol=0)
    torch.testing.assert_close(made.c2w[0], given.clip.c2w[0])
    if degrees % 360 == 0:
        torch.testing.assert_close(made.c2w[-1], made.c2w[0], atol=1e-9, rtol=0)


def test_an_orbit_goes_the_way_its_preset_does() -> None:
    """To the right for positive angles: it ends where `orbit_right` ends."""
    made = Orbit(Subject(point=(0.0, 0.0, 1.0)), degrees=15.0).apply(stage(still=True)).base
    torch.testing.assert_close(made.c2w[-1], preset("orbit_right", 2, MoveSize(angle=15.0))[-1], atol=1e-9, rtol=0)


def test_an_orbit_follows_spirals_and_goes_along_with_the_clip() -> None:
    path = line((0.0, 0.0, 2.0), (0.6, 0.0, 2.5))
    given = stage(known=Known(moves=path), count=11)
    made = Orbit(degrees=180.0, radius=0.5, follow=True).apply(given).base
    where = path.at(given.times)
    arms = (made.c2w[:, :3, 3] - where).norm(dim=1)
    torch.testing.assert_close(arms, torch.linspace(1, 0.5, 11, dtype=torch.float64) * arms[0])
    uv, _ = seen(made, where)
    torch.testing.assert_close(uv, uv[:1].expand(11, 2), atol=1e-6, rtol=0)
    nothing = Orbit(Subject(point=POINT), degrees=0.0, start=None).apply(given).base
    torch.testing.assert_close(nothing.c2w, given.base.c2w, atol=1e-9, rtol=0)


@pytest.mark.parametrize("travel", [0.6, -1.5])
@pytest.mark.parametrize("start", [None, 2])
def test_a_dolly_zoom_keeps_the_subject_and_nothing_else(travel: float, start: int | None) -> None:
    given = stage()
    made = DollyZoom(Subject(point=POINT), travel=travel, start=start).apply(given).base
    is_rigid(made.c2w)
    subject = torch.tensor(POINT, dtype=torch.float64).expand(len(given), 3)
    # A small rod across the view, at the subject: its length in pixels is the subject's size.
    rod = subject + 1e-4 * made.c2w[:, :3, 0]
    size = (seen(made, rod)[0] - seen(made, subject)[0]).norm(dim=1)
    torch.testing.assert_close(size, size[:1].expand_as(size), rtol=1e-6, atol=0)
    far = subject + 3 * made.c2w[:, :3, 2]
    far_size = (seen(made, far + 1e-4 * made.c2w[:, :3, 0])[0] - seen(made, far)[0]).norm(dim=1)
    assert float((far_size[-1] / far_size[0] - 1).abs()) > 0.1
    if start is not None:
        # Standing, the subject also keeps its place: the camera travels along its axis.
        uv, _ = seen(made, subject)
        torch.testing.assert_close(uv, uv[:1].expand_as(uv), atol=1e-6, rtol=0)
        depth = seen(made, subject)[1]
        assert float(depth[-1] / depth[0]) == pytest.approx(1 - travel)


def test_a_dolly_zoom_refuses_to_go_through_its_subject() -> None:
    with pytest.raises(SettingsError, match="travel must be at most"):
        DollyZoom(travel=1.0).validate()
    with pytest.raises(SettingsError, match=r"frame 0 it lies at depth -2\.5"):
        DollyZoom(Subject(point=(0.0, 0.0, -2.5))).apply(stage(still=True))


def test_hands_move_in_their_band_with_their_strength() -> None:
    """The spectrum of a long recording has nothing outside the band, and the promised root mean square."""
    rate, count = 30.0, 30 * 600
    noise = band_noise(torch.arange(count, dtype=torch.float64) / rate, seed=5)
    torch.testing.assert_close(noise.square().mean(0).sqrt(), torch.ones(6, dtype=torch.float64), rtol=0.05, atol=0)
    power = torch.fft.rfft(noise * torch.hann_window(count, dtype=torch.float64)[:, None], dim=0).abs().square()
    frequency = torch.fft.rfftfreq(count, 1 / rate)
    outside = (frequency < 0.9 * SLOWEST) | (frequency > 1.1 * FASTEST)
    assert float(power[outside].sum() / power.sum()) < 1e-4
    # Axes have nothing to do with each other.
    assert float((torch.corrcoef(noise.T) - torch.eye(6)).abs().max()) < 0.15


def test_a_seed_is_one_motion_at_any_frame_rate() -> None:
    slow = Handheld(seed=4).apply(stage(count=9, still=True, fps=24.0)).base.c2w
    fast = Handheld(seed=4).apply(stage(count=17, still=True, fps=48.0)).base.c2w
    torch.testing.assert_close(fast[::2], slow, atol=1e-12, rtol=0)
    other = Handheld(seed=5).apply(stage(count=9, still=True, fps=24.0)).base.c2w
    assert float((other - slow).abs().max()) > 1e-3
    given = stage()
    torch.testing.assert_close(Handheld(strength=0.0).apply(given).base.c2w, given.base.c2w, atol=1e-12, rtol=0)


def test_strength_is_the_root_mean_square_of_sway_and_turn() -> None:
    given = stage(count=20_000, still=True, fps=20.0, known=Known(depth=3.0))
    c2w = Handheld(strength=2.0).apply(given).base.c2w
    is_rigid(c2w)
    sway = c2w[:, :3, 3].square().mean(0).sqrt()
    torch.testing.assert_close(sway, 2 * 3.0 * torch.tensor(SWAY, dtype=torch.float64), rtol=0.05, atol=0)
    turn = torch.rad2deg(so3_log(c2w[:, :3, :3])).square().mean(0).sqrt()
    torch.testing.assert_close(turn, 2 * torch.tensor(TURN, dtype=torch.float64), rtol=0.05, atol=0)


def test_a_crane_rises_on_its_arc_and_keeps_its_subject_level() -> None:
    given = stage(count=41, still=True)
    made = Crane(Subject(point=(0.0, 0.0, 2.0)), rise=0.5, arm=0.8).apply(given).base
    is_rigid(made.c2w)
    # The arm's hinge lies 0.8 * 2 behind the first camera; the camera stays that far from it.
    hinge = torch.tensor([0.0, 0.0, -1.6], dtype=torch.float64)
    reach = (made.c2w[:, :3, 3] - hinge).norm(dim=1)
    torch.testing.assert_close(reach, torch.full_like(reach, 1.6), atol=1e-9, rtol=0)
    assert float(-made.c2w[-1, 1, 3]) == pytest.approx(0.5 * 2.0)
    uv, _ = seen(made, torch.tensor([0, 0, 2.0], dtype=torch.float64).expand(41, 3))
    torch.testing.assert_close(uv, uv[:1].expand_as(uv), atol=1e-6, rtol=0)
    # It sets off and arrives at rest.
    speed = made.c2w[:, :3, 3].diff(dim=0).norm(dim=1)
    assert float(speed[0]) < 0.01 * float(speed.max()) > float(speed[-1])
    unaimed = Crane(Subject(point=(0.0, 0.0, 2.0)), aim=False).apply(given).base
    torch.testing.assert_close(unaimed.c2w[:, :3, :3], given.base.c2w[:, :3, :3])
    with pytest.raises(SettingsError, match=r"arm of 0\.2 does not reach"):
        Crane(rise=0.5, arm=0.2).validate()


def test_easing_has_no_speed_and_no_force_at_its_ends() -> None:
    x = torch.linspace(0, 1, 1001, dtype=torch.float64, requires_grad=True)
    (speed,) = torch.autograd.grad(eased(x).sum(), x, create_graph=True)
    (force,) = torch.autograd.grad(speed.sum(), x)
    assert eased(x)[[0, -1]].tolist() == pytest.approx([0, 1])
    assert speed[[0, -1]].tolist() == pytest.approx([0, 0], abs=1e-12)
    assert force[[0, -1]].tolist() == pytest.approx([0, 0], abs=1e-12)
    assert bool((speed >= -1e-12).all())


def test_look_at_keeps_a_moving_thing_in_the_middle() -> None:
    path = line((-0.5, 0.0, 2.0), (0.9, 0.1, 2.2))
    given = stage(known=Known(moves=path), count=21)
    made = LookAt(smooth=0.0).apply(given).base
    is_rigid(made.c2w)
    torch.testing.assert_close(made.c2w[:, :3, 3], given.base.c2w[:, :3, 3])
    uv, z = seen(made, path.at(given.times))
    torch.testing.assert_close(uv, uv.new_tensor([32.0, 24.0]).expand_as(uv), atol=1e-6, rtol=0)
    assert (z > 0).all()
    # What was down stays below the optical axis: the picture does not roll.
    assert ((made.c2w[:, :3, 1] * given.base.c2w[:, :3, 0]).sum(1).abs() < 0.05).all()
    # An even motion is left alone by smoothing, and half the way is half the angle.
    torch.testing.assert_close(LookAt(smooth=0.5).apply(given).base.c2w, made.c2w, atol=1e-6, rtol=0)
    half = LookAt(smooth=0.0, share=0.5).apply(given).base
    whole_turn = so3_log(given.base.c2w[:, :3, :3].mT @ made.c2w[:, :3, :3])
    half_turn = so3_log(given.base.c2w[:, :3, :3].mT @ half.c2w[:, :3, :3])
    torch.testing.assert_close(half_turn, 0.5 * whole_turn, atol=1e-9, rtol=0)


def test_look_at_does_not_follow_every_jerk() -> None:
    torch.manual_seed(0)
    jerks = torch.randn(60, 3, dtype=torch.float64) * 0.05
    even = torch.linspace(0, 1, 60, dtype=torch.float64)[:, None] * torch.tensor([1.0, 0, 0], dtype=torch.float64)
    calm = smoothed(even + jerks, 6.0)
    assert float((calm - even).norm(dim=1).mean()) < 0.5 * float(jerks.norm(dim=1).mean())
    assert float(calm.diff(n=2, dim=0).norm(dim=1).mean()) < 0.05 * float(
        (even + jerks).diff(n=2, dim=0).norm(dim=1).mean()
    )


def test_smoothing_takes_shake_out_of_the_clips_own_path() -> None:
    given = stage(count=60, clip=60, still=True)
    shaken = Handheld(strength=3.0).apply(given)
    calm = Smooth(frames=8.0).apply(shaken).base.c2w
    is_rigid(calm)
    assert float(calm[:, :3, 3].diff(n=2, dim=0).norm(dim=1).mean()) < 0.2 * float(
        shaken.base.c2w[:, :3, 3].diff(n=2, dim=0).norm(dim=1).mean()
    )
    torch.testing.assert_close(Smooth(frames=0.0).apply(shaken).base.c2w, shaken.base.c2w)
