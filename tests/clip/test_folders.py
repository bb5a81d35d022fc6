"""What lies in a folder beside the frames is told from them, said, and used where that is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neoverse_ns.clip import folders, formats
from neoverse_ns.clip.companions import masks_beside, sort_images
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.errors import ClipError
from tests.clip.clip_makers import numbered, numbered_video, numbers_in


def fill(folder: Path, names: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        Image.fromarray(numbered(number)).save(folder / name)
    return folder


def write_mask(path: Path, white: slice, values: tuple[int, int] = (0, 255)) -> None:
    mask = np.full((96, 128), values[0], np.uint8)
    mask[:, white] = values[1]
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(mask).save(path)


@pytest.mark.parametrize(
    ("frame", "other", "kind"),
    [
        ("frame_{:04d}.png", "frame_{:04d}_mask.png", "mask"),
        ("frame_{:04d}.jpg", "frame_{:04d}.jpg.png", "mask"),
        ("frame_{:04d}.jpg", "frame_{:04d}-Mask.png", "mask"),
        ("IMG{}.jpg", "mask_{:03d}.png", "mask"),
        ("{}.png", "mask{}.png", "mask"),
        ("rgb_{:04d}.png", "depth_{:04d}.png", "depth"),
        ("{:03d}_color.jpg", "{:03d}_depth.png", "depth"),
        ("a{}.png", "a{}_normal.png", "normal"),
        ("a{}.png", "a{}_disparity.tif", "disparity"),
        ("a{}.png", "a{}_alpha.png", "alpha"),
    ],
)
def test_companions_are_no_frames(tmp_path: Path, frame: str, other: str, kind: str):
    fill(tmp_path, [frame.format(i) for i in range(5)])
    for i in range(5):
        write_mask(tmp_path / other.format(i), slice(64, 128))
    clip = load_clip(tmp_path, ClipConfig())
    assert numbers_in(clip.frames) == [0, 1, 2, 3, 4]
    assert clip.ignored is None
    said = [
        note for note in clip.notes if f"5 {kind} images ({other.format(0)}, ...) beside the frames left out" in note
    ]
    assert len(said) == 1
    assert ("--masks" in said[0]) == (kind == "mask")


@pytest.mark.parametrize(
    "names",
    [
        ["mask_1.png", "mask_2.png", "mask_3.png"],
        ["normal_1.jpg", "bright_1.jpg"],
        ["a1.jpg", "depth_of_field.jpg", "a2.jpg"],
        ["carnival_masks_7.jpg", "street_8.jpg"],
        ["alpha_1.png", "beta_1.png", "alpha_2.png", "beta_2.png"],
    ],
)
def test_pictures_of_such_names_stay_frames(tmp_path: Path, names: list[str]):
    found = sort_images([tmp_path / name for name in names])
    assert found.frames == sorted(tmp_path / name for name in names)
    assert found.companions == {}
    assert found.copies == []


def test_a_mask_without_its_frame_is_still_a_mask(tmp_path: Path):
    names = [f"f{i}.png" for i in range(4)] + [f"f{i}_mask.png" for i in range(5)]
    found = sort_images([tmp_path / name for name in names])
    assert [path.name for path in found.frames] == names[:4]
    assert [path.name for path in found.companions["mask"]] == names[4:]


def test_the_same_picture_twice_is_one_frame(tmp_path: Path):
    fill(tmp_path, ["a0.jpg", "a1.jpg", "a2.jpg", "a3.png"])
    for number in (0, 2):
        Image.fromarray(numbered(number)).save(tmp_path / f"a{number}.tif")
    clip = load_clip(tmp_path, ClipConfig())
    assert numbers_in(clip.frames) == [0, 1, 2, 3]
    assert any("several endings, are used once: 2 .tif left out" in note for note in clip.notes)


@pytest.mark.parametrize(
    "place",
    ["images/f{}_mask.png", "masks/f{}.png", "mask/f{}.jpg.png", "images/masks/f{}_mask.png", "images_masks/f{}.png"],
)
@pytest.mark.parametrize("use", ["ignore", "keep"])
def test_masks_are_used_where_asked(tmp_path: Path, place: str, use: str):
    folder = fill(tmp_path / "images", [f"f{i}.jpg" for i in range(4)])
    for i in range(4):
        write_mask(tmp_path / place.format(i), slice(16 * i, 16 * i + 32))
    clip = load_clip(folder, ClipConfig(masks=use, width=64))  # type: ignore[arg-type]
    assert numbers_in(clip.frames) == [0, 1, 2, 3]
    assert clip.ignored is not None
    for i, ignored in enumerate(clip.ignored):
        inside = np.zeros(64, bool)
        inside[8 * i : 8 * i + 16] = True
        assert (ignored.numpy() == (inside if use == "ignore" else ~inside)).all()
    assert any("% of the pixels are masked" in note for note in clip.notes)
    # What is masked keeps its pixels: only transparency is laid on ground.
    assert not any("transparent" in note for note in clip.notes)


@pytest.mark.parametrize("values", [(0, 1), (0, 255), (0, 7), (30, 220)])
def test_masks_of_few_levels_count_too(tmp_path: Path, values: tuple[int, int]):
    fill(tmp_path, ["a1.jpg", "a2.jpg"])
    for i in (1, 2):
        write_mask(tmp_path / f"a{i}_mask.png", slice(0, 64), values)
    clip = load_clip(tmp_path, ClipConfig(masks="ignore"))
    assert clip.ignored is not None
    assert clip.ignored[:, :, :64].all()
    assert not clip.ignored[:, :, 64:].any()


def test_masks_belong_to_stored_or_upright_pixels(tmp_path: Path):
    """A phone's portrait photo is stored lying; tools write masks either way."""
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = np.rot90(np.full((128, 96, 3), 90, np.uint8), 1)
    for name in ("a1.jpg", "a2.jpg"):
        Image.fromarray(np.ascontiguousarray(lying)).save(tmp_path / name, exif=exif)
    upright = np.zeros((128, 96), np.uint8)
    upright[:32] = 255
    Image.fromarray(upright).save(tmp_path / "a1_mask.png")
    Image.fromarray(np.ascontiguousarray(np.rot90(upright, 1))).save(tmp_path / "a2_mask.png")
    clip = load_clip(tmp_path, ClipConfig(masks="ignore", width=96))
    assert clip.ignored is not None
    for ignored in clip.ignored:
        assert ignored[:32].all()
        assert not ignored[32:].any()


def test_masks_asked_for_must_be_there(tmp_path: Path):
    fill(tmp_path, ["a.png", "b.png"])
    with pytest.raises(ClipError, match="--masks keep, but no masks lie beside the images"):
        load_clip(tmp_path, ClipConfig(masks="keep"))
    write_mask(tmp_path / "a_mask.png", slice(0, 8))
    assert "only 1 of 2 images have a mask" in load_clip(tmp_path, ClipConfig(masks="keep")).notes


def test_one_mask_for_all_frames(tmp_path: Path):
    fill(tmp_path, ["f1.jpg", "f2.jpg", "f3.jpg"])
    write_mask(tmp_path / "mask.png", slice(0, 64))
    write_mask(tmp_path / "f2_mask.png", slice(96, 128))
    clip = load_clip(tmp_path, ClipConfig(masks="ignore"))
    assert numbers_in(clip.frames) == [0, 1, 2]
    assert clip.ignored is not None
    columns = [ignored[50].nonzero().flatten().tolist() for ignored in clip.ignored]
    assert columns == [list(range(64)), list(range(96, 128)), list(range(64))]


def test_masks_beside_says_whose_they_are(tmp_path: Path):
    folder = fill(tmp_path / "images", ["a_1.png", "a_2.png", "a_10.png"])
    for number in (1, 10):
        write_mask(tmp_path / "masks" / f"mask_{number:03d}.png", slice(0, 8))
    found = masks_beside(sorted(folder.iterdir()))
    assert {frame.name: mask.name for frame, mask in found.items()} == {
        "a_1.png": "mask_001.png", "a_10.png": "mask_010.png",
    }  # fmt: skip


def test_pictures_that_cannot_be_read_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    without_heif = formats.IMAGE_SUFFIXES - {".heic", ".heif", ".hif"}
    for module in (formats, folders):
        monkeypatch.setattr(module, "IMAGE_SUFFIXES", without_heif)
    monkeypatch.setitem(formats.UNREADABLE_SUFFIXES, ".heic", "to read them: pip install pillow-heif")
    fill(tmp_path / "f", ["a0.jpg", "a2.jpg"])
    (tmp_path / "f" / "a2.CR2").write_bytes(b"II*\0raw")
    for number in (1, 3):
        (tmp_path / "f" / f"a{number}.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (tmp_path / "f" / "a.MOV").write_bytes(b"x")
    notes = load_clip(tmp_path / "f", ClipConfig()).notes
    assert "2 .heic pictures in the folder are left out; to read them: pip install pillow-heif" in notes
    assert "1 .cr2 picture in the folder is left out; develop them to JPEG or PNG" in notes
    assert "1 video in the folder left out: give one by itself" in notes
    for name in ("a0.jpg", "a2.jpg"):
        (tmp_path / "f" / name).unlink()
    with pytest.raises(ClipError, match=r"2 \.heic pictures are not read here; to read them: pip install pillow-heif"):
        load_clip(tmp_path / "f", ClipConfig())


def test_jpegs_called_heic_are_read(tmp_path: Path):
    for number in range(3):
        Image.fromarray(numbered(number)).save(tmp_path / f"{number}.jpg")
        (tmp_path / f"{number}.jpg").rename(tmp_path / f"{number}.HEIC")
    assert numbers_in(load_clip(tmp_path, ClipConfig()).frames) == [0, 1, 2]


def test_heic_where_its_library_is(tmp_path: Path):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    for number in range(4):
        Image.fromarray(numbered(number)).save(tmp_path / f"a{number}.{'HEIC' if number % 2 else 'jpg'}")
    assert numbers_in(load_clip(tmp_path, ClipConfig()).frames) == [0, 1, 2, 3]


@pytest.mark.parametrize("suffix", ["avif", "jp2", "ppm", "tga", "gif", "webp"])
def test_whatever_pillow_reads(tmp_path: Path, suffix: str):
    if f".{suffix}" not in formats.IMAGE_SUFFIXES:
        pytest.skip("this Pillow was built without it")
    fill(tmp_path, [f"a{i}.{suffix}" for i in range(4)])
    assert numbers_in(load_clip(tmp_path, ClipConfig()).frames) == [0, 1, 2, 3]
    assert numbers_in(load_clip(tmp_path / f"a2.{suffix}", ClipConfig()).frames) == [2]


@pytest.mark.parametrize(
    ("pictures", "cameras", "advice"),
    [
        ("images", "transforms.json", r"/images \(to ns-train by --data\), .* --priors\.cameras .*/transforms\.json$"),
        ("images", "sparse/0", r"/images \(to ns-train by --data\); to use its cameras, have ns-process-data make"),
        ("images", "colmap/sparse/0", "have ns-process-data make a transforms.json"),
        ("input", None, r"/input \(to ns-train by --data\)$"),
        ("rgb", None, r"/rgb \(to ns-train"),
        ("left_camera", None, r"/left_camera \(to ns-train"),
    ],
)  # fmt: skip
def test_a_data_set_is_answered_with_the_flags_that_use_it(
    tmp_path: Path, pictures: str, cameras: str | None, advice: str
):
    folder = tmp_path / "data"
    fill(folder / pictures, ["a.png"])
    fill(folder / "images_2", ["a.png"])
    fill(folder / "masks", ["a.png"])
    if cameras is not None and cameras.endswith("json"):
        (folder / cameras).write_text("{}")
    elif cameras is not None:
        (folder / cameras).mkdir(parents=True)
    with pytest.raises(ClipError, match=advice):
        load_clip(folder, ClipConfig())


def test_a_folder_of_videos(tmp_path: Path):
    for name in ("b.mp4", "a.mp4"):
        numbered_video(tmp_path / name, 2)
    with pytest.raises(ClipError, match=r"give one of the videos by itself, as .*/a\.mp4"):
        load_clip(tmp_path, ClipConfig())
