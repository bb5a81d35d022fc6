"""Poses, intrinsics and depth from the user's files: formats, matching, pixels, and errors that say what to do."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.resize import fit
from neoverse_ns.errors import SettingsError
from neoverse_ns.export.camera_files import cameras_json, transforms_json
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.priors.framing import framing_of
from neoverse_ns.reconstruct.priors.load import load_priors

INDICES = [0, 3, 6]
SOURCE, CLIP = (100, 60), (48, 32)


def clip(source: Path = Path("clip.mp4")) -> Clip:
    """Three sampled frames of a source of 100x60 pixels, scaled to 53x32 and cut to 48x32."""
    frames = torch.zeros(3, CLIP[1], CLIP[0], 3, dtype=torch.uint8)
    return Clip(frames, torch.tensor(INDICES), torch.tensor(INDICES) / 8.0, source, source_size=SOURCE)


def cameras(count: int) -> PinholeCameras:
    """In pixels of the source at half its size."""
    c2w = se3_exp(torch.arange(count, dtype=torch.float64)[:, None] * torch.tensor([0.1, 0.02, 0.05, 0.1, -0.2, 0.05]))
    K = torch.tensor([[40.0, 0, 26], [0, 42, 14], [0, 0, 1]], dtype=torch.float64).repeat(count, 1, 1)
    return PinholeCameras(c2w, K, SOURCE[0] // 2, SOURCE[1] // 2)


def write(folder: Path, document: dict[str, Any]) -> PriorsConfig:
    path = folder / "transforms.json"
    path.write_text(json.dumps(document), "utf8")
    return PriorsConfig(cameras=path)


def nerfstudio(count: int = 7, name: str = "images/frame_{:05d}.png") -> dict[str, Any]:
    return transforms_json(cameras(count), [name.format(i) for i in range(count)])


def test_nothing_given_is_nothing_known() -> None:
    assert load_priors(PriorsConfig(), clip()).names == []
    assert PriorsConfig().files() == []


def test_transforms_json_by_frame_number(tmp_path: Path) -> None:
    known = load_priors(write(tmp_path, nerfstudio()), clip())
    assert known.names == ["poses", "intrinsics"]
    assert known.c2w is not None
    torch.testing.assert_close(known.c2w.double(), cameras(7).c2w[INDICES], atol=1e-6, rtol=0)


def test_intrinsics_follow_the_frames_pixels(tmp_path: Path) -> None:
    """A bright point of the source is found where the intrinsics in clip pixels say."""
    known = load_priors(write(tmp_path, nerfstudio()), clip())
    assert known.K is not None
    point = torch.tensor([[0.3, -0.2, 2.0]])
    half, _ = project(point, torch.eye(4), cameras(1).K[0].float())
    image = np.zeros((SOURCE[1], SOURCE[0], 3), np.uint8)
    x, y = (2 * half[0]).tolist()
    cv2.circle(image, (round(x - 0.5), round(y - 0.5)), 2, (255, 255, 255), -1)
    small = fit(image, SOURCE, CLIP)[..., 0].astype(np.float64)
    rows, columns = np.mgrid[: CLIP[1], : CLIP[0]] + 0.5
    seen = (small * columns).sum() / small.sum(), (small * rows).sum() / small.sum()
    expected, _ = project(point, torch.eye(4), known.K[0])
    assert expected[0].tolist() == pytest.approx(seen, abs=0.4)


def test_our_own_cameras_json_and_single_numbers(tmp_path: Path) -> None:
    document = cameras_json(cameras(7), list(range(7)), [0.0] * 7, [], {})
    same = load_priors(write(tmp_path, document), clip())
    other = load_priors(write(tmp_path, nerfstudio()), clip())
    assert same.c2w is not None
    assert other.c2w is not None
    assert same.K is not None
    assert other.K is not None
    torch.testing.assert_close(same.c2w, other.c2w, atol=1e-6, rtol=0)
    torch.testing.assert_close(same.K, other.K)


def test_fields_of_view_stand_for_focal_lengths(tmp_path: Path) -> None:
    document = nerfstudio()
    for place in (document, *document["frames"]):
        for name in ("fl_x", "fl_y", "cx", "cy"):
            place.pop(name, None)
    document["camera_angle_x"] = 2 * math.atan(25 / 40)
    known = load_priors(write(tmp_path, document), clip())
    assert known.K is not None
    framing = framing_of(clip())
    K = torch.tensor([[40.0, 0, 25], [0, 40, 15], [0, 0, 1]])
    torch.testing.assert_close(known.K[0], framing.intrinsics(K, 50, 30))
    poses = load_priors(PriorsConfig(cameras=tmp_path / "transforms.json", use_intrinsics=False), clip())
    assert poses.names == ["poses"]


def test_matching_by_name_number_and_order(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    names = ["a_010", "a_020", "b_005", "b_007", "c_001", "c_002", "d_9"]
    for name in names:
        Image.new("RGB", SOURCE).save(images / f"{name}.png")
    order = [3, 0, 6, 1, 2, 5, 4]
    shuffled = nerfstudio()
    for frame, name in zip(shuffled["frames"], names, strict=True):
        frame["file_path"] = f"elsewhere/{name}.jpg"
    shuffled["frames"] = [shuffled["frames"][i] for i in order]
    config = write(tmp_path, shuffled)
    expected = cameras(7).c2w[INDICES]
    known = load_priors(config, clip(images))
    assert known.c2w is not None
    torch.testing.assert_close(known.c2w, expected, atol=1e-6, rtol=0)
    # Numbering from one, as many tools do.
    config = write(tmp_path, nerfstudio(8))
    config.first_number = 1
    late = load_priors(config, clip())
    assert late.c2w is not None
    torch.testing.assert_close(late.c2w, cameras(8).c2w[[1, 4, 7]], atol=1e-6, rtol=0)
    config = write(tmp_path, nerfstudio(3, "x{}y.png"))
    config.match = "order"
    in_order = load_priors(config, clip())
    assert in_order.c2w is not None
    torch.testing.assert_close(in_order.c2w, cameras(3).c2w, atol=1e-6, rtol=0)


def test_depth_is_cut_like_the_frames_and_scaled(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(1, 51, dtype=np.float32), (30, 1))
    for i in range(7):
        if i % 2:
            np.save(tmp_path / f"{i:03d}.npy", np.where(ramp == 25, np.nan, 0.001 * ramp)[..., None])
        else:
            cv2.imwrite(str(tmp_path / f"{i:03d}.png"), ramp.astype(np.uint16))
    known = load_priors(PriorsConfig(depth=tmp_path, depth_unit=0.001), clip())
    assert known.names == ["depth"]
    assert known.depth is not None
    assert known.depth.shape == (3, CLIP[1], CLIP[0])
    # Columns of the clip, in columns of the half-size source.
    framing = framing_of(clip())
    place = (torch.arange(CLIP[0]) + 0.5 + framing.corner[0]) * 50 / framing.cover[0]
    torch.testing.assert_close(known.depth[0, 10], 0.001 * (place.floor() + 1), atol=1.1e-3, rtol=0)
    assert known.depth[1].min() == 0
    assert known.depth[0].min() > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["frames"].pop(3), "no entry numbered 3 .1 of 3"),
        (lambda d: d["frames"].append(d["frames"][3]), "more than one entry numbered 3"),
        (lambda d: d["frames"].clear(), "'frames' is missing or empty"),
        (lambda d: d["frames"][2].pop("transform_matrix"), r"frames\[2\].transform_matrix"),
        (lambda d: d["frames"][2]["transform_matrix"][0].__setitem__(0, 5.0), "rotation"),
        (lambda d: d["frames"][2].update(fl_x=-1), "fl_x"),
        (lambda d: [f.update(w=50, h=50) for f in d["frames"]], "same picture"),
        (lambda d: d.update(camera_model="OPENCV_FISHEYE"), "OPENCV_FISHEYE"),
    ],
)
def test_wrong_files_are_named_with_what_is_wrong(tmp_path: Path, change: Any, message: str) -> None:
    document = nerfstudio()
    change(document)
    with pytest.raises(SettingsError, match=message) as caught:
        load_priors(write(tmp_path, document), clip())
    assert "transforms.json" in str(caught.value)


def test_wrong_depth_is_named_with_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be listed"):
        load_priors(PriorsConfig(depth=tmp_path / "none"), clip())
    with pytest.raises(SettingsError, match="holds no depth"):
        load_priors(PriorsConfig(depth=tmp_path), clip())
    good = np.ones((30, 50), np.float32)

    def fails(message: str) -> None:
        for i in (3, 6):
            np.save(tmp_path / f"{i}.npy", good)
        with pytest.raises(SettingsError, match=message):
            load_priors(PriorsConfig(depth=tmp_path), clip())

    np.save(tmp_path / "0.npy", 0 * good)
    fails("no positive depth")
    np.save(tmp_path / "0.npy", good[:, :20])
    fails("same picture")
    (tmp_path / "0.npy").write_bytes(b"junk")
    fails("not a depth map")
    (tmp_path / "0.npy").unlink()
    cv2.imwrite(str(tmp_path / "0.png"), (good * 200).astype(np.uint8))
    fails("1 channels of 8 bits")
    for value in (0.0, -1.0, math.nan):
        with pytest.raises(SettingsError, match="depth_unit"):
            PriorsConfig(depth_unit=value).validate()


def test_videos_have_no_names(tmp_path: Path) -> None:
    config = write(tmp_path, nerfstudio())
    config.match = "name"
    with pytest.raises(SettingsError, match="is a video"):
        load_priors(config, clip())
    config.match = "order"
    with pytest.raises(SettingsError, match="7 entries for 3"):
        load_priors(config, clip())
