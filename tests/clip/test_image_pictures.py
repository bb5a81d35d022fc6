"""Images whose numbers are not simply sRGB: profiles, deep and floating point values, transparency."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from neoverse_ns.clip.alpha import GROUND
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.image_file import IMAGE_SUFFIXES, read_image
from neoverse_ns.clip.image_reader import ImageReader
from neoverse_ns.clip.load import load_clip
from neoverse_ns.errors import ClipError
from tests.clip.clip_makers import numbered, numbers_in

# Colorants of Adobe RGB (1998) under ICC's D50, and its exponent.
ADOBE = (((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)), 563 / 256)
# Linear Adobe RGB to linear sRGB, as colour libraries print it.
ADOBE_TO_SRGB = np.array([[1.3984, -0.3984, 0.0], [0.0, 1.0, 0.0], [0.0, -0.0429, 1.0429]])


def icc(space: bytes, gamma: float, primaries: tuple = ()) -> bytes:
    """A small ICC profile (version 2) of one exponent, grey or with the given colorants."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    name = b"desc\0\0\0\0" + struct.pack(">I", 8) + b"made up\0" + b"\0" * 78
    tags = [(b"desc", name), (b"wtpt", b"XYZ \0\0\0\0" + b"".join(map(number, (0.9642, 1, 0.8249))))]
    if primaries:
        for letter, colorant in zip(b"rgb", primaries, strict=True):
            tags.append((bytes([letter]) + b"XYZ", b"XYZ \0\0\0\0" + b"".join(map(number, colorant))))
            tags.append((bytes([letter]) + b"TRC", curve))
    else:
        tags.append((b"kTRC", curve))
    start, table, data = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, content in tags:
        content += b"\0" * (-len(content) % 4)
        table += tag + struct.pack(">II", start + len(data), len(content))
        data += content
    head = bytearray(128)
    head[0:4], head[8:12], head[36:40] = struct.pack(">I", start + len(data)), b"\2\x10\0\0", b"acsp"
    head[12:24] = b"mntr" + space + b"XYZ "
    head[68:80] = b"".join(map(number, (0.9642, 1, 0.8249)))
    return bytes(head) + table + data


def srgb_to_light(code: np.ndarray) -> np.ndarray:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def light_to_srgb(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def colours(width: int = 64, height: int = 48) -> np.ndarray:
    """Smooth colours, none of them near the borders of sRGB."""
    x, y = np.meshgrid(np.linspace(0, 2 * np.pi, width), np.linspace(90, 200, height))
    return np.stack([y * (0.8 + 0.2 * np.cos(x - turn)) for turn in (0.0, 2.1, 4.2)], axis=-1).round().astype(np.uint8)


def in_adobe_rgb(image: np.ndarray) -> np.ndarray:
    light = srgb_to_light(image / 255) @ np.linalg.inv(ADOBE_TO_SRGB).T
    return np.round(255 * light ** (1 / ADOBE[1])).astype(np.uint8)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_a_profile_is_honoured(tmp_path: Path, suffix: str):
    profile = icc(b"RGB ", ADOBE[1], ADOBE[0])
    lossless = {"webp": {"lossless": True}, "jpg": {"quality": 98, "subsampling": 0}}.get(suffix, {})
    Image.fromarray(in_adobe_rgb(colours())).save(tmp_path / f"a.{suffix}", icc_profile=profile, **lossless)
    clip = load_clip(tmp_path / f"a.{suffix}", ClipConfig())
    assert np.abs(clip.frames[0].numpy().astype(int) - colours()).mean() < 1.5
    assert "colours converted from made up to sRGB" in clip.notes


def test_adobe_rgb_by_exif_alone(tmp_path: Path):
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 65535, 0xA005: {1: "R03"}}
    image = Image.fromarray(in_adobe_rgb(colours()))
    image.save(tmp_path / "a.jpg", quality=98, subsampling=0, exif=exif)
    clip = load_clip(tmp_path / "a.jpg", ClipConfig())
    # sRGB's curve is not quite an exponent.
    assert np.abs(clip.frames[0].numpy().astype(int) - colours()).mean() < 2.5
    assert "colours converted from Adobe RGB to sRGB" in clip.notes


def pq_codes(image: np.ndarray) -> np.ndarray:
    """What a PQ file of BT.2020 colours holds where SDR holds `image`: SMPTE ST 2084 and BT.2087, white at 203 nits."""
    to_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
    y = ((image / 255) ** 2.4 @ np.linalg.inv(to_709).T * 0.0203) ** (2610 / 16384)
    code = ((3424 / 4096 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32)
    return np.round(255 * code).astype(np.uint8)


def tag_png(path: Path) -> None:
    data, chunk = path.read_bytes(), b"cICP" + bytes((9, 16, 0, 1))
    chunk = struct.pack(">I", 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(data[:33] + chunk + data[33:])


def tag_avif(path: Path) -> None:
    data = bytearray(path.read_bytes())
    place = data.index(b"colrnclx") + 8
    data[place : place + 4] = struct.pack(">HH", 9, 16)
    path.write_bytes(data)


@pytest.mark.parametrize(("suffix", "tag"), [("png", tag_png), ("avif", tag_avif)])
def test_hdr_photos_by_their_tags(tmp_path: Path, suffix: str, tag: Callable[[Path], None]):
    if f".{suffix}" not in IMAGE_SUFFIXES:
        pytest.skip("this Pillow was built without it")
    exact = {"quality": 100, "subsampling": "4:4:4"} if suffix == "avif" else {}
    Image.fromarray(pq_codes(colours())).save(tmp_path / f"a.{suffix}", **exact)  # type: ignore[arg-type]
    tag(tmp_path / f"a.{suffix}")
    clip = load_clip(tmp_path / f"a.{suffix}", ClipConfig())
    # Eight bits of PQ are coarse.
    assert np.abs(clip.frames[0].numpy().astype(int) - colours()).mean() < 3
    assert "HDR (PQ, BT.2020): tone-mapped to SDR BT.709" in clip.notes


def test_srgb_by_any_name_changes_nothing(tmp_path: Path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(colours()).save(tmp_path / "a.png", icc_profile=profile)
    clip = load_clip(tmp_path / "a.png", ClipConfig())
    np.testing.assert_array_equal(clip.frames[0].numpy(), colours())
    assert not any("colours" in note for note in clip.notes)


def test_grey_with_a_profile(tmp_path: Path):
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    Image.fromarray(ramp).save(tmp_path / "a.png", icc_profile=icc(b"GRAY", 1.8))
    read = read_image(tmp_path / "a.png", (1, 1))
    expected = 255 * light_to_srgb((ramp / 255) ** 1.8)
    assert np.abs(read - expected[..., None]).max() <= 1.5
    assert np.abs(expected - ramp).max() > 15


def test_a_profile_and_transparency(tmp_path: Path):
    cover = np.full((48, 64, 1), 255, np.uint8)
    cover[:, :32] = 0
    pixels = np.concatenate((in_adobe_rgb(colours()), cover), axis=-1)
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=icc(b"RGB ", ADOBE[1], ADOBE[0]))
    read = read_image(tmp_path / "a.png", (1, 1))
    assert np.abs(read[:, 32:, :3].astype(int) - colours()[:, 32:]).mean() < 1.5
    assert (read[:, :32] == (GROUND, GROUND, GROUND, 0)).all()


@pytest.mark.parametrize(
    ("profile", "reason"), [(b"nonsense" * 40, "is broken"), (icc(b"GRAY", 2.2), "is for GRAY and they are RGB")]
)
def test_a_useless_profile_is_said_once(tmp_path: Path, profile: bytes, reason: str):
    for number in range(3):
        Image.fromarray(numbered(number)).save(tmp_path / f"{number}.png", icc_profile=profile)
    clip = load_clip(tmp_path, ClipConfig())
    assert numbers_in(clip.frames) == [0, 1, 2]
    np.testing.assert_array_equal(clip.frames[1].numpy(), numbered(1))
    assert [note for note in clip.notes if "profile" in note] == [
        f"the colour profile of the images {reason}: colours are used as they are"
    ]


def write_deep(folder: Path, name: str, factor: float, kind: type, count: int = 3) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        values = numbered(number).astype(np.float64)[..., ::-1] / 255 * factor
        image = values.astype(kind) if kind in (np.float32, np.float64) else values.round().astype(kind)
        assert cv2.imwrite(str(folder / name.format(number)), image, [cv2.IMWRITE_TIFF_COMPRESSION, 1])


@pytest.mark.parametrize("name", ["{}.png", "{}.tif"])
@pytest.mark.parametrize(("most", "bits"), [(255, 8), (1023, 10), (4095, 12), (16383, 14), (65535, 16)])
def test_few_bits_in_16_are_scaled(tmp_path: Path, name: str, most: int, bits: int):
    write_deep(tmp_path / "f", name, most, np.uint16)
    clip = load_clip(tmp_path / "f", ClipConfig())
    for number, frame in enumerate(clip.frames.numpy()):
        assert np.abs(frame.astype(int) - numbered(number)).max() <= 1
    said = [note for note in clip.notes if "-bit values" in note]
    assert said == (
        [] if bits in (8, 16) else [f"the 16-bit images hold numbers up to {most} only: taken as {bits}-bit values"]
    )


def test_one_bright_image_decides_for_all(tmp_path: Path):
    """A dark image must not be brightened on its own."""
    for number, most in enumerate((900, 65535, 900)):
        ramp = np.tile(np.linspace(0, most, 64), (48, 1)).round().astype(np.uint16)
        Image.fromarray(ramp).save(tmp_path / f"{number}.png")
    images, reader = sorted(tmp_path.iterdir()), ImageReader()
    assert reader.prepare(images) == []
    assert [reader.read(image, (1, 1)).max() for image in images] == [900 >> 8, 255, 900 >> 8]


def test_grey_12_bits(tmp_path: Path):
    ramp = np.tile(np.linspace(0, 4095, 64), (48, 1)).round().astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    reader = ImageReader()
    said = reader.prepare([tmp_path / "a.png"])
    assert said == ["the 16-bit images hold numbers up to 4095 only: taken as 12-bit values"]
    np.testing.assert_array_equal(reader.read(tmp_path / "a.png", (1, 1))[..., 0], ramp >> 4)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(("most", "said"), [(1.0, "1 is taken as white"), (255, "taken as 8-bit values")])
def test_floating_point_tiffs(tmp_path: Path, kind: type, most: float, said: str):
    write_deep(tmp_path / "f", "{}.tif", most, kind)
    clip = load_clip(tmp_path / "f", ClipConfig())
    for number, frame in enumerate(clip.frames.numpy()):
        assert np.abs(frame.astype(int) - numbered(number)).max() <= 1
    assert sum(said in note for note in clip.notes) == 1


def test_grey_floating_point(tmp_path: Path):
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (48, 1))
    Image.fromarray(ramp).save(tmp_path / "a.tif")
    read = read_image(tmp_path / "a.tif", (1, 1))
    np.testing.assert_array_equal(read, np.round(ramp * 255)[..., None].repeat(3, axis=-1))


def test_numbers_that_do_not_tell_white_are_described(tmp_path: Path):
    write_deep(tmp_path / "f", "{}.tif", 7.5, np.float32)
    with pytest.raises(ClipError, match=r"f: holds floating point numbers from 0 to 7\.5, which do not tell"):
        load_clip(tmp_path / "f", ClipConfig())


def cut_out(number: int, suffix: str) -> Image.Image:
    rng = np.random.default_rng(number)
    hidden = rng.integers(0, 256, (96, 128, 3)).astype(np.uint8)
    cover = np.zeros((96, 128, 1), np.uint8)
    cover[:48] = 255
    rgba = Image.fromarray(np.concatenate((np.where(cover > 0, numbered(number), hidden), cover), axis=-1))
    return rgba.convert("LA") if suffix == "la.png" else rgba


@pytest.mark.parametrize("suffix", ["png", "la.png", "tif", "webp", "tga"])
def test_cut_out_pictures_lie_on_grey_and_are_ignored_around(tmp_path: Path, suffix: str):
    for number in range(4):
        exact = {"lossless": True} if suffix == "webp" else {}
        cut_out(number, suffix).save(tmp_path / f"{number}.{suffix}", **exact)
    clip = load_clip(tmp_path, ClipConfig(width=64))
    assert numbers_in(clip.frames) == [0, 1, 2, 3]
    assert clip.ignored is not None
    assert clip.ignored[:, 24:].all()
    assert not clip.ignored[:, :24].any()
    assert (clip.frames[:, 24:] == GROUND).all()
    assert any("50% of the pixels are transparent" in note for note in clip.notes)


def test_hidden_colours_never_bleed_when_reduced(tmp_path: Path):
    """Every second pixel hides pure red; averaging straight colours would tint the rest."""
    image = np.full((96, 128, 4), (100, 100, 100, 255), np.uint8)
    image[:, ::2] = (255, 0, 0, 0)
    Image.fromarray(image).save(tmp_path / "a.png")
    clip = load_clip(tmp_path / "a.png", ClipConfig(width=64))
    assert (clip.frames.float() - (100 + GROUND) / 2).abs().max() <= 1
    assert clip.frames.float().std(dim=-1).max() == 0


def test_opaque_alpha_and_palette_transparency(tmp_path: Path):
    opaque = Image.fromarray(numbered(5)).convert("RGBA")
    opaque.save(tmp_path / "a.png")
    clip = load_clip(tmp_path / "a.png", ClipConfig())
    assert clip.ignored is None
    np.testing.assert_array_equal(clip.frames[0].numpy(), numbered(5))
    indexed = Image.new("P", (64, 48), 1)
    indexed.putpalette([0, 0, 255, 200, 200, 200])
    indexed.paste(0, (0, 0, 32, 48))
    indexed.save(tmp_path / "b.png", transparency=0)
    clip = load_clip(tmp_path / "b.png", ClipConfig())
    assert clip.ignored is not None
    assert clip.ignored[0, :, :32].all()
    assert (clip.frames[0, :, :32] == GROUND).all()
    assert (clip.frames[0, :, 32:] == 200).all()
