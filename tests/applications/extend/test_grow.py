"""How a scene grows: what is kept, what is added, what the next view sees of it."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from neoverse_ns.applications.extend.config import GrowConfig
from neoverse_ns.applications.extend.grow import grow
from neoverse_ns.errors import RefinementError, SettingsError
from neoverse_ns.gaussians.layers import FRAMES, INPAINTED, LayeredGaussians
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.applications.extend.walled import PAINT, Painter, walled_scene
from tests.generate.stage.wall import DEPTH, HEIGHT, WIDTH, wall_cameras

TELEA = RefinerConfig(refiner="telea")


def shifted(by: float) -> Trajectory:
    """The clip's cameras moved to the right."""
    return Trajectory(wall_cameras([0.02 * i + by for i in range(5)]), torch.linspace(0, 1, 5))


def drawn(gaussians: LayeredGaussians, path: Trajectory, frame: int) -> torch.Tensor:
    view = slice(frame, frame + 1)
    drawing = draw_layers(gaussians, float(path.times[frame]), path.cameras.viewmats[view], path.K[view], WIDTH, HEIGHT)
    return drawing.rgb[0]


def test_holes_become_part_of_the_scene_at_the_depth_of_what_bounds_them() -> None:
    scene, path = walled_scene(), shifted(0.5)
    grown = grow(scene, {"right": path}, TELEA, refiner=Painter())
    view = grown.views["right"]
    # The wall ends 0.96 right of the first camera; a camera 0.5 to the right sees 12.5 columns beyond it.
    assert view.invented[0].float().mean() == pytest.approx(12.5 / WIDTH, abs=1 / WIDTH)
    assert bool(view.invented[0, :, -12:].all())
    assert not bool(view.invented[0, :, :-13].any())
    new = grown.scene.gaussians.layer(INPAINTED)
    assert len(new) == view.added > 0
    torch.testing.assert_close(new.means[:, 2], torch.full((len(new),), DEPTH), atol=1e-3, rtol=0.0)
    assert not bool(new.dynamic.any())
    for frame in (0, 4):
        shown = drawn(grown.scene.gaussians, path, frame)
        assert float((shown[view.invented[frame]] - PAINT).abs().mean()) < 0.15
        # Before, there was nothing.
        assert float(drawn(scene.gaussians, path, frame)[:, -6:].max()) < 1e-3


def test_what_the_clip_showed_is_drawn_as_before() -> None:
    scene, own = walled_scene(), shifted(0.0)
    grown = grow(scene, {"right": shifted(0.5)}, TELEA, refiner=Painter())
    assert torch.equal(grown.scene.gaussians.frames.means, scene.gaussians.frames.means)
    inner = (slice(4, -4), slice(4, -12))
    for frame in range(5):
        before, after = drawn(scene.gaussians, own, frame)[inner], drawn(grown.scene.gaussians, own, frame)[inner]
        assert float((before - after).abs().max()) < 2 / 255


def test_the_next_view_goes_on_from_what_the_one_before_invented() -> None:
    painter = Painter()
    paths = {"near": shifted(0.4), "again": shifted(0.4), "far": shifted(0.8)}
    grown = grow(walled_scene(), paths, TELEA, refiner=painter)
    near, again, far = grown.views.values()
    # To the refiner all is there that the view before gave, while it is still told as invented.
    open_ = [float((call.alpha < 0.5).float().mean()) for call in painter.calls]
    assert open_[0] > 0.15
    assert open_[1] < 0.01
    assert again.added < 0.02 * near.added
    assert torch.equal(again.invented, near.invented)
    assert open_[2] == pytest.approx(far.invented.float().mean().item() - open_[0], abs=0.05)
    assert far.added > 0.5 * near.added


def test_refiners_learn_once_and_from_what_was_filmed_alone() -> None:
    painter = Painter()
    grow(walled_scene(), {"a": shifted(0.3), "b": shifted(-0.3)}, TELEA, refiner=painter)
    assert len(painter.calls) == 2
    (source,) = painter.sources
    assert len(source) == 4
    assert list(source.gaussians) == [FRAMES]


def test_a_scene_that_has_grown_grows_on() -> None:
    once = grow(walled_scene(), {"a": shifted(0.4)}, TELEA, refiner=Painter()).scene
    painter = Painter()
    twice = grow(once, {"a": shifted(0.4), "b": shifted(-0.4)}, TELEA, refiner=painter)
    assert list(painter.sources[0].gaussians) == [FRAMES]
    assert twice.views["b"].added > 5 * twice.views["a"].added
    first = once.gaussians.layer(INPAINTED)
    assert torch.equal(twice.scene.gaussians.layer(INPAINTED).means[: len(first)], first.means)
    assert twice.scene.source is not None
    assert twice.scene.source.gaussians is twice.scene.gaussians


def test_the_bound_holds_for_all_views_together() -> None:
    grown = grow(walled_scene(), {"a": shifted(0.4), "b": shifted(-0.4)}, TELEA, GrowConfig(most=100), Painter())
    assert [view.added for view in grown.views.values()] == [50, 50]


def test_without_a_refiner_nothing_is_fed_back() -> None:
    scene = walled_scene()
    grown = grow(scene, {"a": shifted(0.4)}, RefinerConfig(refiner="none"))
    assert list(grown.scene.gaussians) == [FRAMES]
    assert grown.views["a"].added == 0
    assert bool(grown.views["a"].invented.any())


def test_what_cannot_grow_is_told() -> None:
    with pytest.raises(RefinementError, match="at least one trajectory"):
        grow(walled_scene(), {}, TELEA)
    with pytest.raises(RefinementError, match="no frames"):
        grow(dataclasses.replace(walled_scene(), source=None), {"a": shifted(0.1)}, TELEA)
    for settings in (GrowConfig(hole_opacity=0.0), GrowConfig(hole_opacity=float("nan")), GrowConfig(most=0)):
        with pytest.raises(SettingsError):
            grow(walled_scene(), {"a": shifted(0.1)}, TELEA, settings)
