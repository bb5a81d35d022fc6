"""Focal lengths in EXIF and XMP, for photographs as they were taken, resized, turned and cut since."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.focal.photo import photo_focal
from neoverse_ns.clip.load import load_clip

TAKEN = (400, 300)
TAGS = {
    "equivalent": 0xA405,
    "zoom": 0xA404,
    "width": 0xA002,
    "height": 0xA003,
    "focal": 0x920A,
    "plane": 0xA20E,
    "unit": 0xA210,
}


def photo(
    path: Path, size: tuple[int, int] = TAKEN, maker: str = "", turned: int = 1, xmp: bytes = b"", **tags: Any
) -> Path:
    """A JPEG with what cameras write beside it."""
    exif = Image.Exif()
    exif[0x0112] = turned
    if maker:
        exif[0x010F] = maker
    exif.get_ifd(0x8769).update({TAGS[name]: value for name, value in tags.items()})
    pixels = np.random.default_rng(0).integers(0, 255, (size[1] // 10, size[0] // 10, 3), np.uint8)
    more: dict[str, Any] = {"xmp": xmp} if xmp else {}
    Image.fromarray(pixels).resize(size).save(path, exif=exif, **more)
    return path


def focal_of(clip: Clip) -> float:
    assert clip.focal_hint is not None
    return clip.focal_hint.focal


def test_equivalents_are_by_the_diagonal(tmp_path: Path) -> None:
    # A full frame of film, on which 36 mm is as long as the picture is wide.
    found = photo_focal(photo(tmp_path / "a.jpg", (360, 240), equivalent=36))
    assert found is not None
    assert found.pixels == pytest.approx(360, rel=1e-6)
    assert found.uncertainty == pytest.approx(0.03)
    # 26 mm on a sensor of 4:3, whose diagonal is 5 where its width is 4.
    found = photo_focal(photo(tmp_path / "b.jpg", equivalent=26))
    assert found is not None
    assert found.pixels / 400 == pytest.approx(26 / 43.267 * 5 / 4, rel=1e-4)


@pytest.mark.parametrize("turned", [1, 3, 6, 8])
def test_photos_held_upright_have_the_same_lens(turned: int, tmp_path: Path) -> None:
    clip = load_clip(photo(tmp_path / "a.jpg", turned=turned, equivalent=26), ClipConfig())
    pixels = 26 / math.hypot(36, 24) * 500
    assert clip.focal_hint is not None
    assert (clip.height > clip.width) == (turned in (6, 8))
    assert clip.focal_hint.focal * clip.width == pytest.approx(pixels * clip.source_scale, rel=1e-6)
    assert any("known from EXIF, 26 mm" in note for note in clip.notes)


def test_resized_and_cut_photos(tmp_path: Path) -> None:
    whole = photo_focal(photo(tmp_path / "a.jpg", equivalent=26, width=400, height=300))
    half = photo_focal(photo(tmp_path / "b.jpg", (200, 150), equivalent=26, width=400, height=300))
    # Turned by a program that left the numbers as they were.
    turned = photo_focal(photo(tmp_path / "c.jpg", (300, 400), equivalent=26, width=400, height=300))
    # Cut to a square, of unknown size there: not below what keeping the short side gives, and in doubt.
    square = photo_focal(photo(tmp_path / "d.jpg", (150, 150), equivalent=26, width=400, height=300))
    assert whole is not None
    assert half is not None
    assert turned is not None
    assert square is not None
    assert half.pixels == pytest.approx(whole.pixels / 2)
    assert turned.pixels == pytest.approx(whole.pixels)
    assert square.pixels == pytest.approx(whole.pixels / 2)
    assert half.uncertainty == turned.uncertainty == whole.uncertainty
    assert square.uncertainty > 0.1


def test_digital_zoom_is_counted_in_by_some(tmp_path: Path) -> None:
    plain = photo_focal(photo(tmp_path / "a.jpg", equivalent=52))
    apple = photo_focal(photo(tmp_path / "b.jpg", maker="Apple", equivalent=52, zoom=IFDRational(2, 1)))
    other = photo_focal(photo(tmp_path / "c.jpg", maker="someone", equivalent=52, zoom=IFDRational(2, 1)))
    assert plain is not None
    assert apple is not None
    assert other is not None
    assert apple == plain
    # Both readings, 52 and 104 mm, lie one standard deviation away.
    for reading in (plain.pixels, 2 * plain.pixels):
        assert abs(math.log(other.pixels / reading)) < 1.01 * other.uncertainty


def test_sensor_resolution_and_equivalent(tmp_path: Path) -> None:
    # 5 mm before 25.4 * 80 pixels an inch = 80 pixels a millimetre.
    sensor = {"focal": IFDRational(5, 1), "plane": IFDRational(2032, 1), "unit": 2}
    found = photo_focal(photo(tmp_path / "a.jpg", **sensor))
    assert found is not None
    assert found.pixels == pytest.approx(400, rel=1e-6)
    agreeing = photo_focal(photo(tmp_path / "b.jpg", equivalent=34, **sensor))
    assert agreeing == found
    # Where they do not, everybody's statement counts, but less.
    apart = photo_focal(photo(tmp_path / "c.jpg", equivalent=60, **sensor))
    assert apart is not None
    assert apart.pixels == pytest.approx(60 / math.hypot(36, 24) * 500, rel=1e-6)
    assert apart.uncertainty > 0.2


def test_a_drones_calibration(tmp_path: Path) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r drone-dji:CalibratedFocalLength="290.50"/></x:xmpmeta>'
    found = photo_focal(photo(tmp_path / "a.jpg", xmp=xmp, equivalent=24))
    assert found is not None
    assert found.pixels == pytest.approx(290.5)
    assert "calibration" in found.origin


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"equivalent": 0},
        {"equivalent": 65535},
        {"focal": IFDRational(5, 1)},
        {"focal": IFDRational(0, 0), "plane": IFDRational(1, 0), "unit": 2},
        {"focal": IFDRational(5, 1), "plane": IFDRational(2032, 1), "unit": 9},
    ],
)
def test_statements_that_tell_nothing(tags: dict[str, Any], tmp_path: Path) -> None:
    assert photo_focal(photo(tmp_path / "a.jpg", **tags)) is None
    assert load_clip(tmp_path / "a.jpg", ClipConfig()).focal_hint is None


def test_no_image_is_no_error_here(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"nothing of the kind")
    assert photo_focal(tmp_path / "a.jpg") is None
    assert photo_focal(tmp_path / "gone.jpg") is None


def test_a_folder_must_agree(tmp_path: Path) -> None:
    for number, equivalent in enumerate((26, 26, 27, 26)):
        photo(tmp_path / f"{number}.jpg", equivalent=equivalent)
    photo(tmp_path / "4.jpg")
    clip = load_clip(tmp_path, ClipConfig(num_frames=5))
    assert focal_of(clip) == pytest.approx(26 / math.hypot(36, 24) * 5 / 4, rel=0.02)
    photo(tmp_path / "5.jpg", equivalent=70)
    zoomed = load_clip(tmp_path, ClipConfig(num_frames=6))
    assert zoomed.focal_hint is None
    assert sum("focal lengths differ by 2.69 times (0.jpg" in note for note in zoomed.notes) == 1
