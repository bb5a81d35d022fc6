"""DyCheck's layout, written from known cameras and read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.dycheck.scene import DyCheckScene
from neoverse_ns.evaluation.data.pictures import read_colours
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkScene
from tests.evaluation.data import fabricate_world as world
from tests.evaluation.data.fabricate_dycheck import Fabricated, bent_picture, covisible, write_dycheck

SIZE = (48, 64)
FRAMES = 6
HOLE = (slice(10, 30), slice(8, 20))
LENS = {"2": (-0.12, 0.03, 0.0, 0.004, -0.003)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Fabricated:
    folder = tmp_path_factory.mktemp("iphone")
    return write_dycheck(folder, ("spin",), FRAMES, SIZE, {"2": [0, 3]}, HOLE, LENS, refined=True)[0]


def opened(made: Fabricated, name: str) -> BenchmarkScene:
    data = benchmark_data(name)
    assert data.find(made.folder.parent) == [made.folder.name]
    return data.open(made.folder.parent, made.folder.name)


def frame_of(scene: BenchmarkScene, camera: str, time: int) -> BenchmarkFrame:
    return next(frame for frame in scene.frames if (frame.camera, frame.time) == (camera, time))


@pytest.mark.parametrize(("name", "scale"), [("dycheck", 1), ("dycheck-2x", 2), ("dycheck-som", 1)])
def test_cameras_come_back(made: Fabricated, name: str, scale: int) -> None:
    scene = opened(made, name)
    assert scene.name == "spin"
    assert scene.unit == 1.0
    assert [(f.camera, f.time) for f in scene.frames] == [
        ("0", 0), ("0", 1), ("0", 2), ("0", 3), ("0", 4), ("0", 5),
        ("1", 0), ("1", 1), ("1", 2), ("1", 3), ("1", 4), ("1", 5),
        ("2", 1), ("2", 2), ("2", 4), ("2", 5),
    ]  # fmt: skip
    K = made.K.clone()
    K[:2] /= scale
    for frame in scene.frames:
        key = f"{frame.camera}_{frame.time:05d}"
        assert frame.name == f"rgb/{scale}x/{key}.png"
        assert frame.c2w is not None
        assert frame.K is not None
        assert (frame.c2w - made.c2w[key]).abs().max() < 1e-6
        assert (frame.K - K).abs().max() < 1e-4
        assert (frame.width, frame.height) == (SIZE[0] // scale, SIZE[1] // scale)
        assert frame.seconds == pytest.approx(frame.time / 30)


def test_pictures_depth_and_masks(made: Fabricated) -> None:
    scene = opened(made, "dycheck")
    frame = frame_of(scene, "0", 2)
    found = scene.read(frame, "rgb", "depth", "valid", "covis")
    assert frame.c2w is not None
    wanted, _ = world.truth(2 / (FRAMES - 1), frame.c2w, made.K, SIZE)
    assert found.rgb is not None
    assert np.array_equal(found.rgb.numpy(), world.picture(2 / (FRAMES - 1), frame.c2w, made.K, SIZE))
    assert found.depth is not None
    assert np.array_equal(found.depth.numpy(), wanted)
    assert found.masks["valid"].all()
    assert "covis" not in found.masks
    assert scene.read(frame).depth is None


def test_hole_in_the_cover_is_not_valid(made: Fabricated) -> None:
    scene = opened(made, "dycheck")
    valid = scene.read(frame_of(scene, "1", 0), "valid").masks["valid"].numpy()
    assert not valid[HOLE].any()
    assert valid.sum() == valid.size - 20 * 12


def test_covisibility_at_either_size(made: Fabricated) -> None:
    frame = frame_of(opened(made, "dycheck"), "1", 4)
    assert frame.c2w is not None
    depth, _ = world.truth(4 / (FRAMES - 1), frame.c2w, made.K, SIZE)
    seen = covisible(made, depth, frame.c2w, SIZE)
    assert 0.3 < seen.mean() < 0.999
    full = opened(made, "dycheck-som")
    assert np.array_equal(full.read(frame_of(full, "1", 4), "covis").masks["covis"].numpy(), seen)
    half = opened(made, "dycheck-2x")
    assert np.array_equal(half.read(frame_of(half, "1", 4), "covis").masks["covis"].numpy(), seen[::2, ::2])
    # The set itself has masks of half size alone: each pixel of them covers four.
    own = opened(made, "dycheck")
    repeated = seen[::2, ::2].repeat(2, 0).repeat(2, 1)
    assert np.array_equal(own.read(frame_of(own, "1", 4), "covis").masks["covis"].numpy(), repeated)


def test_lens_is_undone(made: Fabricated) -> None:
    scene = opened(made, "dycheck")
    frame = frame_of(scene, "2", 4)
    found = scene.read(frame, "rgb", "valid")
    assert frame.c2w is not None
    assert found.rgb is not None
    direct = bent_picture(4 / (FRAMES - 1), frame.c2w, made.K, SIZE, (0, 0, 0, 0, 0)).astype(float)
    valid = found.masks["valid"].numpy()
    straight = np.abs(found.rgb.numpy() - direct).mean(-1)[valid].mean()
    bent = np.abs(scene_picture(scene, "2_00004") - direct).mean(-1)[valid].mean()
    # Two bilinear samplings soften; the lens itself moves pixels by up to two.
    assert straight < 4
    assert straight < 0.5 * bent
    # A barrel sees more than a pinhole of its focal length.
    assert valid.mean() > 0.97


def scene_picture(scene: BenchmarkScene, name: str) -> np.ndarray:
    return read_colours(scene.folder / f"rgb/1x/{name}.png").astype(float)


def test_pincushion_leaves_the_border_invalid(tmp_path: Path) -> None:
    made = write_dycheck(tmp_path, frames=1, missing={"2": [0]}, lens={"1": (0.2, 0, 0, 0, 0)})[0]
    scene = opened(made, "dycheck")
    valid = scene.read(frame_of(scene, "1", 0), "valid").masks["valid"].numpy()
    assert not valid[0, 0]
    assert not valid[-1, -1]
    assert valid[20:44, 15:33].all()


def test_names_of_the_real_scene(tmp_path: Path) -> None:
    """The frames that paper-windmill has: camera 1 pauses, camera 2 begins late."""
    missing = {"1": range(140, 198), "2": range(77)}
    made = write_dycheck(tmp_path, frames=277, missing=missing, pictures=False)[0]
    scene = opened(made, "dycheck")
    times = {c: {f.time for f in scene.frames if f.camera == c} for c in ("0", "1", "2")}
    assert [len(times[c]) for c in ("0", "1", "2")] == [277, 219, 200]
    assert len(times["0"] & times["1"] & times["2"]) == 142
    assert times["1"] >= set(range(64))
    missing_files = benchmark_data("dycheck").missing(tmp_path, "paper-windmill")
    assert missing_files[0].startswith("paper-windmill: none of 277 pictures of the input camera is there")
    assert len(missing_files) == 4


def test_what_is_missing_is_counted(made: Fabricated, tmp_path: Path) -> None:
    data = benchmark_data("dycheck")
    assert data.missing(made.folder.parent, "spin") == []
    few = write_dycheck(tmp_path, frames=2, size=SIZE)[0]
    (few.folder / "rgb/1x/1_00001.png").unlink()
    assert data.missing(tmp_path, "paper-windmill") == [
        "paper-windmill: 1 of 4 pictures of test cameras are missing, the first of them rgb/1x/1_00001.png"
    ]
    scene = data.open(tmp_path, "paper-windmill")
    with pytest.raises(ClipError, match=r"1_00001.png: is missing"):
        scene.read(frame_of(scene, "1", 1))


def test_broken_files_are_named(tmp_path: Path) -> None:
    made = write_dycheck(tmp_path, frames=2, pictures=False, refined=True)[0]
    data, refined = benchmark_data("dycheck"), benchmark_data("dycheck-som")
    with pytest.raises(ClipError, match="no folder at"):
        data.open(tmp_path, "apple")
    with pytest.raises(ClipError, match=r"holds no clips as dycheck has them"):
        data.find(made.folder / "camera")
    camera = made.folder / "camera/1_00001.json"
    fields = json.loads(camera.read_text())
    camera.write_text(json.dumps({**fields, "orientation": [[1, 0, 0], [0, 2, 0], [0, 0, 1]]}))
    with pytest.raises(ClipError, match=r"1_00001.json: the pose is no rigid motion"):
        data.open(tmp_path, "paper-windmill")
    del fields["focal_length"]
    camera.write_text(json.dumps(fields))
    with pytest.raises(ClipError, match=r"1_00001.json: is not a camera of DyCheck \(has no 'focal_length'\)"):
        data.open(tmp_path, "paper-windmill")
    sparse = made.folder / "flow3d_preprocessed/colmap/sparse"
    images = (sparse / "images.bin").read_bytes()
    (sparse / "images.bin").write_bytes(images[:-40])
    with pytest.raises(ClipError, match=r"images.bin: is no such file as COLMAP writes it"):
        refined.open(tmp_path, "paper-windmill")
    (sparse / "images.bin").write_bytes(images.replace(b"1_00001.png", b"9_00001.png"))
    with pytest.raises(ClipError, match=r"has no picture '1_00001.png'"):
        refined.open(tmp_path, "paper-windmill")


def test_tangential_of_the_older_key(tmp_path: Path) -> None:
    made = write_dycheck(tmp_path, frames=1, missing={"2": [0]}, pictures=False)[0]
    camera = made.folder / "camera/0_00000.json"
    fields = json.loads(camera.read_text())
    del fields["tangential_distortion"]
    camera.write_text(json.dumps({**fields, "tangential": [0.01, 0.02]}))
    scene = benchmark_data("dycheck").open(tmp_path, "paper-windmill")
    assert isinstance(scene, DyCheckScene)
    assert scene.lens(scene.frames[0]).coefficients == (0.0, 0.0, 0.01, 0.02, 0.0)
