"""Nerfstudio's camera types: their rays are nerfstudio's own, and the model draws along them or refuses."""

from __future__ import annotations

import math

import pytest
import torch
from nerfstudio.cameras.cameras import Cameras, CameraType
from nerfstudio.data.scene_box import OrientedBox
from nerfstudio.viewer.utils import CameraState, get_camera

from neoverse_ns.errors import SettingsError
from neoverse_ns.plugin.lenses import LENSES, lens_rays
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.world import opengl_to_viewmats
from tests.plugin.tiny_scene import tiny_model

WIDTH, HEIGHT = 48, 24


def camera_of(kind: CameraType, pose: torch.Tensor, width: int = WIDTH, height: int = HEIGHT) -> Cameras:
    """As nerfstudio makes them of a camera path: half the width and the height are a panorama's focal lengths."""
    round_ = kind in (CameraType.FISHEYE, CameraType.PERSPECTIVE)
    return Cameras(
        camera_to_worlds=pose[None],
        fx=torch.tensor([9.0 if round_ else width / 2]),
        fy=torch.tensor([9.0 if round_ else float(height)]),
        cx=torch.tensor([width / 2]),
        cy=torch.tensor([height / 2]),
        width=width,
        height=height,
        camera_type=kind,
        times=torch.tensor([[0.4]]),
        metadata={"cam_idx": 0},
    )


def pose_of(model: NeoVerseModel) -> torch.Tensor:
    return model.train_cameras().camera_to_worlds[3]


@pytest.mark.parametrize("kind", LENSES, ids=lambda kind: kind.name)
def test_rays_are_nerfstudios_own(kind: CameraType) -> None:
    camera = camera_of(kind, pose_of(tiny_model()))
    rays = lens_rays(camera)
    c2w = torch.linalg.inv(opengl_to_viewmats(camera.camera_to_worlds))[0]
    camera.metadata = {}
    theirs = camera.generate_rays(camera_indices=0)
    seen = rays.directions.norm(dim=-1) > 0
    assert seen.all() or kind is CameraType.FISHEYE
    torch.testing.assert_close((rays.directions @ c2w[:3, :3].T)[seen], theirs.directions[seen], atol=1e-5, rtol=0)
    origins = rays.origins @ c2w[:3, :3].T + c2w[:3, 3]
    torch.testing.assert_close(origins.expand(HEIGHT, WIDTH, 3), theirs.origins, atol=1e-6, rtol=0)
    stereo = kind not in (CameraType.FISHEYE, CameraType.EQUIRECTANGULAR)
    assert (rays.origins.norm(dim=-1) > 0.03).all() == stereo
    if stereo:
        torch.testing.assert_close(lens_rays(camera, 0.032).origins, rays.origins / 2)


def test_every_type_that_commands_can_ask_for_has_a_lens() -> None:
    assert set(CameraType) - set(LENSES) == {CameraType.PERSPECTIVE, CameraType.ORTHOPHOTO, CameraType.FISHEYE624}


@pytest.mark.parametrize("kind", LENSES, ids=lambda kind: kind.name)
def test_model_draws_every_lens_and_not_a_pinhole_picture(kind: CameraType) -> None:
    model = tiny_model()
    outputs = model.get_outputs_for_camera(camera_of(kind, pose_of(model)))
    assert {name: tuple(value.shape[:2]) for name, value in outputs.items()} == dict.fromkeys(
        ("rgb", "depth", "accumulation", "background"), (HEIGHT, WIDTH)
    )
    assert all(torch.isfinite(value).all() for value in outputs.values())
    assert outputs["accumulation"].max() > 0.5
    pinhole = model.get_outputs_for_camera(camera_of(CameraType.PERSPECTIVE, pose_of(model)))
    assert (outputs["rgb"] - pinhole["rgb"]).abs().mean() > 0.02
    # The scene lies ahead: nothing is drawn where a panorama looks back.
    if kind is not CameraType.FISHEYE and not kind.name.startswith("VR180"):
        assert outputs["accumulation"][:, : WIDTH // 8].max() == 0


@pytest.mark.parametrize("kind", [CameraType.FISHEYE, CameraType.EQUIRECTANGULAR], ids=lambda kind: kind.name)
def test_viewers_preview_is_the_same_picture(kind: CameraType) -> None:
    model = tiny_model()
    state = CameraState(2 * math.atan(HEIGHT / 18), WIDTH / HEIGHT, pose_of(model), kind, time=0.4)
    preview = model.get_outputs_for_camera(get_camera(state, HEIGHT, WIDTH))
    rendered = model.get_outputs_for_camera(camera_of(kind, pose_of(model)))
    assert preview.keys() == rendered.keys()
    for name, value in preview.items():
        torch.testing.assert_close(value, rendered[name], atol=2e-3, rtol=1e-3)


def test_middle_of_every_lens_shows_what_the_pinhole_does() -> None:
    model = tiny_model()
    for kind in (CameraType.FISHEYE, CameraType.EQUIRECTANGULAR):
        camera = camera_of(kind, pose_of(model), 400, 200)
        pinhole = camera_of(CameraType.PERSPECTIVE, pose_of(model), 400, 200)
        camera.fx = camera.fy = pinhole.fx = pinhole.fy = torch.tensor([[200 / math.pi]])
        if kind is CameraType.EQUIRECTANGULAR:
            camera.fx = camera.fy = torch.tensor([[200.0]])
        drawn, expected = (model.get_outputs_for_camera(c) for c in (camera, pinhole))
        middle = (slice(92, 108), slice(192, 208))
        # Up to eight pixels from the axis all three are alike to a twentieth of a pixel.
        torch.testing.assert_close(drawn["rgb"][middle], expected["rgb"][middle], atol=0.03, rtol=0)
        torch.testing.assert_close(drawn["accumulation"][middle], expected["accumulation"][middle], atol=0.03, rtol=0)


def test_the_two_eyes_see_near_things_apart() -> None:
    model = tiny_model(eye_distance=0.2)
    for left, right in (
        (CameraType.VR180_L, CameraType.VR180_R),
        (CameraType.OMNIDIRECTIONALSTEREO_L, CameraType.OMNIDIRECTIONALSTEREO_R),
    ):
        a, b = (model.get_outputs_for_camera(camera_of(kind, pose_of(model)))["rgb"] for kind in (left, right))
        assert (a - b).abs().mean() > 0.01
        alike = tiny_model(eye_distance=0.0)
        a, b = (alike.get_outputs_for_camera(camera_of(kind, pose_of(model)))["rgb"] for kind in (left, right))
        torch.testing.assert_close(a, b)


def test_crop_box_and_time_reach_lenses_too() -> None:
    model = tiny_model()
    camera = camera_of(CameraType.EQUIRECTANGULAR, pose_of(model))
    early = model.get_outputs_for_camera(camera)["rgb"]
    nothing = OrientedBox(R=torch.eye(3), T=torch.full((3,), 50.0), S=torch.ones(3))
    assert model.get_outputs_for_camera(camera, obb_box=nothing)["accumulation"].max() == 0
    camera.times = torch.tensor([[0.9]])
    assert (model.get_outputs_for_camera(camera)["rgb"] - early).abs().max() > 0.05


@pytest.mark.parametrize("kind", [CameraType.ORTHOPHOTO, CameraType.FISHEYE624])
def test_other_types_are_refused_in_one_line(kind: CameraType, capsys: pytest.CaptureFixture[str]) -> None:
    model = tiny_model()
    camera = camera_of(kind, pose_of(model))
    with pytest.raises(SettingsError, match=f"{kind.name.lower()}.*equirectangular"):
        model.draw(camera)
    with pytest.raises(SystemExit):
        model.get_outputs_for_camera(camera)
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("Error:")]


@pytest.mark.parametrize("kind", [CameraType.PERSPECTIVE, CameraType.FISHEYE])
def test_distortion_is_refused_and_not_ignored(kind: CameraType) -> None:
    model = tiny_model()
    camera = camera_of(kind, pose_of(model))
    camera.distortion_params = torch.zeros(1, 6)
    assert model.draw(camera).alpha.max() > 0
    camera.distortion_params[0, 0] = 0.1
    with pytest.raises(SettingsError, match="distortion"):
        model.draw(camera)
