"""One instant exported: the file, drawn as splat viewers do, shows what the layers show."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neoverse_ns.export.gaussian_ply import write_instant
from neoverse_ns.export.instant import around, flat_instant
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import constant_gaussians
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, INPAINTED, LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.geometry.projection import project
from neoverse_ns.rasterize.layers import draw_layers
from tests.export.layered_scene import FRAME_COUNT, SQUARE, WALL, layered_scene, quats
from tests.export.splat_viewer import agreement, show


@pytest.fixture(scope="module")
def scene() -> ExportScene:
    return layered_scene()


def in_layers(scene: ExportScene, time: float, camera: PinholeCameras) -> torch.Tensor:
    return draw_layers(scene.gaussians, time, camera.viewmats, camera.K, camera.width, camera.height).rgb[0]


# A keyframe, a frame between keyframes, and no frame at all.
@pytest.mark.parametrize("time", [0.5, 0.25, 0.6])
def test_the_file_shows_what_the_layers_show(scene: ExportScene, time: float, tmp_path: Path) -> None:
    (path,) = export_format("ply").write(scene, ExportOptions(time=time), tmp_path)
    own = camera_at(scene.cameras, scene.times, time)
    assert agreement(show(path, own), in_layers(scene, time, own)) > 42
    # Eight degrees to each side of the view's middle; the wall behind the square shows there.
    for side in range(1, 5):
        aside = around(own, WALL)[[side]]
        assert agreement(show(path, aside), in_layers(scene, time, aside)) > 34
    # Without the choice of what is left out, the fused wall stands before the keyframes' own.
    plain = tmp_path / "plain.ply"
    write_instant(plain, at_time(scene.gaussians.flat(), time))
    assert agreement(show(plain, own), in_layers(scene, time, own)) < 25


def test_what_is_left_out_hides_the_view_and_what_stays_may_be_needed_elsewhere(scene: ExportScene) -> None:
    own = scene.cameras[[2]]
    now = flat_instant(scene.gaussians, 0.5, own)
    assert (now.index.diff() > 0).all()
    everything = at_time(scene.gaussians.flat(), 0.5)
    layers = {name: len(layer) for name, layer in scene.gaussians.items()}
    kept = torch.isin(everything.index, now.index)
    fused = (everything.index >= layers[FRAMES]) & (everything.index < layers[FRAMES] + layers[BACKGROUND])
    assert kept[~fused].all()
    uv, _ = project(everything.means, own.viewmats[0], own.K[0])
    inside = ((uv > 4) & (uv < torch.tensor([own.width - 4.0, own.height - 4.0]))).all(dim=-1)
    behind_square = fused & (everything.means[:, :2].abs() < 0.3 * torch.tensor([1.0, 0.8])).all(dim=-1)
    in_front = (
        fused
        & (everything.means[:, 2] < WALL - 0.02)
        & inside
        & ~((everything.means[:, :2] / everything.means[:, 2:] * SQUARE).abs() < torch.tensor([0.45, 0.4])).all(dim=-1)
    )
    assert behind_square.sum() > 100
    assert in_front.sum() > 400
    assert kept[behind_square].all()
    assert kept[in_front].float().mean() < 0.02
    assert kept[fused & (uv[:, 0] < -60)].all()


def test_gaussians_too_faint_to_be_drawn_are_left_out(scene: ExportScene) -> None:
    # Just before the next keyframe those of the one before have all but faded.
    camera = scene.cameras[[1]]
    now = flat_instant(scene.gaussians.only(FRAMES), 0.499, camera)
    assert now.opacities.min() >= 1 / 255
    assert len(now.index) < len(at_time(scene.gaussians.frames, 0.499).index)


def test_a_scene_of_frames_alone_is_not_touched(scene: ExportScene) -> None:
    own = scene.cameras[[2]]
    now, expected = flat_instant(scene.gaussians.only(FRAMES), 0.5, own), at_time(scene.gaussians.frames, 0.5)
    for name in ("means", "quats", "scales", "opacities", "sh", "index"):
        assert torch.equal(getattr(now, name), getattr(expected, name)), name


def test_what_was_inpainted_does_not_hide_what_was_seen(scene: ExportScene, tmp_path: Path) -> None:
    """A curtain right before the camera, of which layers show nothing but where all others leave a hole."""
    x, y = torch.meshgrid(torch.linspace(-0.6, 0.6, 80), torch.linspace(-0.4, 0.4, 60), indexing="ij")
    means = torch.stack([x, y, torch.full_like(x, 0.8)], dim=-1).reshape(-1, 3)
    curtain = constant_gaussians(
        means, quats(len(means)), torch.full((len(means), 3), 0.01).log(), 0.9, torch.tensor([1.0, 0, 0]) + 0 * means
    )
    layers = {name: scene.gaussians[name] for name in (FRAMES, BACKGROUND, FAR_FIELD)}
    painted = ExportScene(LayeredGaussians(layers | {INPAINTED: curtain}), scene.cameras, scene.times, scene.seconds)
    (path,) = export_format("ply").write(painted, ExportOptions(time=0.5), tmp_path)
    own = scene.cameras[[2]]
    assert agreement(show(path, own), in_layers(painted, 0.5, own)) > 42


def test_cameras_around_circle_what_the_middle_one_sees() -> None:
    camera = layered_scene().cameras[[3]]
    views = around(camera, 2.0, degrees=8.0)
    assert len(views) == FRAME_COUNT
    torch.testing.assert_close(views.c2w[:1], camera.c2w)
    point = camera.c2w[0] @ torch.tensor([0.0, 0.0, 2.0, 1.0])
    uv, depth = project(point[None, :3].expand(5, 1, 3), views.viewmats, views.K)
    torch.testing.assert_close(uv[:, 0], camera.K[0, :2, 2].expand(5, 2), atol=1e-3, rtol=0)
    torch.testing.assert_close(depth[:, 0], torch.full((5,), 2.0), atol=1e-5, rtol=0)
    turned = torch.rad2deg(torch.acos((views.c2w[1:, :3, 2] @ camera.c2w[0, :3, 2]).clamp(-1, 1)))
    torch.testing.assert_close(turned, torch.full((4,), 8.0), atol=1e-2, rtol=0)
    moved = (views.c2w[1:, :3, 3] - camera.c2w[0, :3, 3]) @ camera.c2w[0, :3, :3]
    # Right, left, down, up in OpenCV's axes.
    assert moved[0, 0] > 0.2
    assert moved[1, 0] < -0.2
    assert moved[2, 1] > 0.2
    assert moved[3, 1] < -0.2
