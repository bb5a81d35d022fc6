"""ADT's rectified folders, written from known cameras and read back; raw recordings by a stand-in of their tool."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from neoverse_ns.errors import ClipError, PackageError
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.protocol.aliases import protocol
from tests.evaluation.data import fabricate_world as world
from tests.evaluation.data.fabricate_adt import RECTIFIED, TURN, FabricatedWalk, write_adt

NAME = "Apartment_release_multiuser_cook_seq141_M1292"
SIZE = (48, 64)
FRAMES = 5


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FabricatedWalk:
    return write_adt(tmp_path_factory.mktemp("adt"), (NAME,), FRAMES, SIZE)[0]


def test_cameras_are_upright(made: FabricatedWalk) -> None:
    data = benchmark_data("adt")
    assert data.find(made.folder.parent) == [NAME]
    assert data.missing(made.folder.parent, NAME) == []
    scene = data.open(made.folder.parent, NAME)
    assert len(scene.frames) == FRAMES
    for number, frame in enumerate(scene.frames):
        assert frame.time == number
        assert frame.seconds == pytest.approx(number / 30, abs=1e-6)
        assert (frame.width, frame.height) == SIZE
        assert frame.K is not None
        assert frame.c2w is not None
        assert (frame.K - made.K).abs().max() < 1e-4
        assert (frame.c2w - made.upright[number]).abs().max() < 1e-6


def test_pictures_are_upright_and_of_even_brightness(made: FabricatedWalk) -> None:
    scene = benchmark_data("adt").open(made.folder.parent, NAME)
    frame = scene.frames[3]
    found = scene.read(frame, "rgb", "valid", "depth")
    assert found.rgb is not None
    assert found.depth is None
    assert frame.c2w is not None
    assert frame.K is not None
    direct = world.picture(3 / (FRAMES - 1), frame.c2w, frame.K, SIZE).astype(float)
    # Pictures are stored darker, in whole levels: the darkest corner's errors grow by what it is divided by. And the
    # renderer softens textures by the focal length across, which is another one when turned: up to two levels.
    assert np.abs(found.rgb.numpy() - direct).max() <= 0.5 / made.light.min() + 2
    valid = found.masks["valid"].numpy()
    # The stored picture's upper left corner is the upright one's upper right.
    assert not valid[:10, -6:].any()
    assert valid.sum() == valid.size - 60


def test_without_a_vignette_pictures_stay(tmp_path: Path) -> None:
    made = write_adt(tmp_path, frames=1, size=(24, 24), vignette=False)[0]
    data = benchmark_data("adt")
    scene = data.open(tmp_path, made.folder.name)
    frame = scene.frames[0]
    assert frame.c2w is not None
    assert frame.K is not None
    rgb = scene.read(frame).rgb
    assert rgb is not None
    assert np.abs(rgb.numpy() - world.picture(0.0, frame.c2w, frame.K, (24, 24)).astype(float)).max() <= 1
    assert len(data.missing(tmp_path, made.folder.name)) == 1
    (made.folder / RECTIFIED / "mask.png").unlink()
    assert scene.read(frame, "valid").masks["valid"].all()
    assert len(data.missing(tmp_path, made.folder.name)) == 2


def test_protocols(tmp_path: Path) -> None:
    write_adt(tmp_path, (NAME,), 130, (8, 8), drawn=False)
    wanted = {
        "adt-neoverse@1": (range(0, 64, 2), range(1, 64, 2), "t0:64:2>t1:64:2/predict-all(bundle)/plain/560x560"),
        "adt-4dgt@1": (range(0, 128, 2), range(1, 128, 2), "t0:128:2>t1:128:2/given/plain/504x504"),
        "adt-c4g@1": (
            range(0, 91, 6),
            range(3, 88, 6),
            "t0:91:6>tmid(0:91:6)/sim3-context(bundle)+tto-1000(bundle)/plain/224c",
        ),
    }
    for alias, (inputs, targets, middle) in wanted.items():
        one = protocol(alias)
        choice = one.rule(benchmark_data("adt").open(tmp_path, NAME))
        assert [frame.time for frame in choice.inputs] == list(inputs)
        assert [frame.time for frame in choice.targets] == list(targets)
        assert one.full_id("bundle") == f"adt-4/{middle}/psnr+ssim-sk11+lpips-vgg/r1"


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    data = benchmark_data("adt")
    with pytest.raises(ClipError, match="holds no clips as adt has them"):
        data.find(tmp_path)
    made = write_adt(tmp_path, (NAME,), 1, (8, 8), drawn=False)[0]
    path = made.folder / RECTIFIED / "transforms.json"
    listed = json.loads(path.read_text())
    listed["frames"][0]["transform_matrix"][0][0] = 7
    path.write_text(json.dumps(listed))
    with pytest.raises(ClipError, match=r"transforms.json, images/.*: the pose is no rigid motion"):
        data.open(tmp_path, NAME)
    del listed["frames"][0]["timestamp"]
    path.write_text(json.dumps(listed))
    with pytest.raises(ClipError, match=r"is not a list of rectified frames \(has no 'timestamp'\)"):
        data.open(tmp_path, NAME)
    path.unlink()
    with pytest.raises(ClipError, match=r"has neither .*transforms.json nor synthetic_video.vrs"):
        data.open(tmp_path, NAME)


def test_a_raw_recording_needs_its_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "projectaria_tools", None)
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "synthetic_video.vrs").write_bytes(b"vrs")
    data = benchmark_data("adt")
    assert data.find(tmp_path) == [NAME]
    with pytest.raises(PackageError, match=r"pip install projectaria-tools, or give the folder synthetic_video"):
        data.open(tmp_path, NAME)


class Glasses:
    """Stands for the tool's provider and calibration: a sensor whose rectified picture is its upper left part."""

    stamps = (0, 33_000_000, 66_000_000, 99_000_000)
    mount = torch.tensor([[0.0, 0, 1, 0.1], [1, 0, 0, 0.2], [0, 1, 0, 0.3], [0, 0, 0, 1]], dtype=torch.float64)

    def get_stream_id_from_label(self, label: str) -> str:
        assert label == "camera-rgb"
        return "214-1"

    def get_timestamps_ns(self, stream: str, domain: str) -> list[int]:
        assert (stream, domain) == ("214-1", "device")
        return list(self.stamps)

    def get_image_data_by_index(self, stream: str, index: int) -> tuple[SimpleNamespace, None]:
        picture = np.zeros((1408, 1408, 3), np.uint8)
        picture[10, 20] = 50 + index
        return SimpleNamespace(to_numpy_array=lambda: picture), None

    def get_device_calibration(self) -> Glasses:
        return self

    def get_camera_calib(self, label: str) -> Glasses:
        return self

    def get_image_size(self) -> tuple[int, int]:
        return 1408, 1408

    def get_transform_device_camera(self) -> SimpleNamespace:
        return SimpleNamespace(to_matrix=lambda: self.mount.numpy())


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {
        "calibration": {
            "get_linear_camera_calibration": lambda width, height, focal, label: (width, height, focal),
            # As the tool does, it gives white a little less than white.
            "distort_by_calibration": lambda image, pinhole, camera: np.minimum(image, 254)[: pinhole[1], : pinhole[0]],
        },
        "data_provider": {"create_vrs_data_provider": lambda path: Glasses()},
        "sensor_data": {"TimeDomain": SimpleNamespace(DEVICE_TIME="device")},
    }
    for name in ("projectaria_tools", "projectaria_tools.core"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    for name, members in parts.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, f"projectaria_tools.core.{name}", module)


@pytest.mark.usefixtures("tool")
def test_a_raw_recording_is_rectified_in_reading(tmp_path: Path) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "synthetic_video.vrs").write_bytes(b"vrs")
    columns = "graph_uid,tracking_timestamp_us,tx_world_device,ty_world_device,tz_world_device,"
    columns += "qx_world_device,qy_world_device,qz_world_device,qw_world_device,quality_score"
    # A quarter turn about z within a tenth of a second.
    half = 0.5**0.5
    rows = [columns, "u,20000,1,2,3,0,0,0,1,1", f"u,120000,2,2,3,0,0,{half},{half},1"]
    (folder / "aria_trajectory.csv").write_text("\n".join(rows) + "\n")
    scene = benchmark_data("adt").open(tmp_path, NAME)
    # The first picture's middle, at 2.5 ms, lies before the trajectory.
    assert [frame.time for frame in scene.frames] == [1, 2, 3]
    frame = scene.frames[1]
    assert frame.name == "synthetic_video.vrs/000002"
    share = (66 + 2.5 - 20) / 100
    angle = share * np.pi / 2
    device = torch.eye(4, dtype=torch.float64)
    device[:2, :2] = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    device[:3, 3] = torch.tensor([1 + share, 2, 3], dtype=torch.float64)
    assert frame.c2w is not None
    assert frame.K is not None
    assert (frame.c2w - device @ Glasses.mount @ TURN.inverse()).abs().max() < 1e-9
    assert frame.K.tolist() == [[600, 0, 500], [0, 600, 500], [0, 0, 1]]
    found = scene.read(frame, "rgb", "valid")
    assert found.rgb is not None
    assert found.rgb.shape == (1000, 1000, 3)
    assert found.rgb[20, 999 - 10].tolist() == [52, 52, 52]
    assert found.masks["valid"].all()
