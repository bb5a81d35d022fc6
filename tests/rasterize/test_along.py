"""Drawing along a trajectory: the same pictures as one by one, no more work than needed, one frame in memory."""

from __future__ import annotations

import tracemalloc

import pytest
import torch

from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize import along
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.render.along import draw_along
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.export.layered_scene import layered_scene

SCENE = layered_scene()


def trajectory(times: list[float]) -> Trajectory:
    """A camera that goes on to the right of the scene's own, past the end of the wall."""
    count = len(times)
    c2w = torch.eye(4).repeat(count, 1, 1)
    c2w[:, 0, 3] = torch.linspace(0, 2.2, count)
    K = SCENE.cameras.K[:1].repeat(count, 1, 1)
    return Trajectory(PinholeCameras(c2w, K, SCENE.cameras.width, SCENE.cameras.height), torch.tensor(times))


@pytest.mark.parametrize("options", [None, DrawOptions(nearest_only=True, rasterize_mode="antialiased")])
def test_every_frame_is_what_the_layers_draw(options: DrawOptions | None) -> None:
    path = trajectory([0.0, 0.3, 0.3, 0.8, 0.1])
    drawn = list(draw_along(SCENE.gaussians, path, options))
    cameras = path.cameras
    assert len(drawn) == 5
    for i, drawing in enumerate(drawn):
        view = cameras[i : i + 1]
        alone = draw_layers(
            SCENE.gaussians, float(path.times[i]), view.viewmats, view.K, cameras.width, cameras.height, options
        )
        for name in ("rgb", "depth", "alpha"):
            assert torch.equal(getattr(drawing, name), getattr(alone, name)), (i, name)


def test_what_was_seen_leaves_the_far_field_out() -> None:
    views = list(views_along(SCENE.gaussians, trajectory([0.5] * 4).cameras, torch.full((4,), 0.5)))
    surfaces = SCENE.gaussians.without("far_field")
    expected = list(draw_along(surfaces, trajectory([0.5] * 4)))
    for view, alone in zip(views, expected, strict=True):
        torch.testing.assert_close(view.seen, alone.alpha, atol=2e-3, rtol=0)
    # At the end the camera looks past the wall, where only the far field is.
    assert float((views[-1].seen < 0.5).float().mean()) > 0.2
    assert float(views[-1].drawing.alpha.mean()) > float(views[-1].seen.mean()) + 0.1


def test_a_frozen_instant_is_moved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[float] = []
    real = along.at_time

    def counted(gaussians, time, *rest):
        moved.append(time)
        return real(gaussians, time, *rest)

    monkeypatch.setattr(along, "at_time", counted)
    list(draw_along(SCENE.gaussians, trajectory([0.5] * 6)))
    assert moved == [0.5] * len(SCENE.gaussians)
    moved.clear()
    list(draw_along(SCENE.gaussians, trajectory([0.0, 0.5, 1.0])))
    assert len(moved) > len(SCENE.gaussians)


def test_nothing_is_drawn_before_it_is_asked_for() -> None:
    """So memory does not grow with the number of frames, and who stops early has paid for no more."""
    path = trajectory([i / 9_999 for i in range(10_000)])
    tracemalloc.start()
    stream = draw_along(SCENE.gaussians, path)
    first = [next(stream) for _ in range(2)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    stream.close()
    assert len(first) == 2
    assert peak < 20e6


def test_no_gradients_are_kept() -> None:
    wanted = SCENE.gaussians.map(lambda layer: layer.with_(means=layer.means.clone().requires_grad_()))
    assert not next(draw_along(LayeredGaussians(wanted), trajectory([0.2]))).rgb.requires_grad
