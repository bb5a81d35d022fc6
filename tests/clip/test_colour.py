"""Transfer curves, primaries and the tone curve against published numbers; whole videos against their SDR pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from neoverse_ns.clip.colour import Meaning, Primaries, hlg_to_scene, matrix_to_bt709, pq_to_nits, to_sdr, tone
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip

# ITU-T H.273's numbers, as a file's tags hold them.
TRANSFER = {"sdr": 1, "bt2020-10": 14, "linear": 8, "pq": 16, "hlg": 18}
PRIMARIES = {"bt709": 1, "bt2020": 9, "dci-p3": 11, "p3": 12, "unknown": 2}
# Linear light of these primaries to BT.709: ITU-R BT.2087, and what colour libraries print for the others.
PUBLISHED = {
    "bt2020": [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    "p3": [[1.2249, -0.2249, 0.0], [-0.0420, 1.0421, 0.0], [-0.0196, -0.0786, 1.0983]],
    "adobe-rgb": [[1.3984, -0.3984, 0.0], [0.0, 1.0, 0.0], [0.0, -0.0429, 1.0429]],
}


def test_hlg_at_published_points():
    # BT.2100: half the signal is a twelfth of the light; BT.2408: 75 % of the signal is 203 of 1000 nits.
    np.testing.assert_allclose(hlg_to_scene(np.array([0.0, 0.5, 1.0])), [0, 1 / 12, 1], atol=1e-6)
    assert 1000 * hlg_to_scene(np.array(0.75)) ** 1.2 == pytest.approx(203, abs=0.5)


def test_pq_at_published_points():
    # SMPTE ST 2084 and BT.2408: 0 nits, 100 nits at 51 %, 203 nits at 58 %, 10000 nits at full scale.
    nits = pq_to_nits(np.array([0.0, 0.5081, 0.5807, 1.0]))
    np.testing.assert_allclose(nits, [0, 100, 203, 10000], rtol=2e-3, atol=1e-9)


@pytest.mark.parametrize("primaries", list(PUBLISHED))
def test_matrices_as_published(primaries: Primaries):
    np.testing.assert_allclose(matrix_to_bt709(primaries), PUBLISHED[primaries], atol=2e-4)


@pytest.mark.parametrize("primaries", ["bt709", "bt2020", "p3", "dci-p3", "adobe-rgb"])
def test_grey_stays_grey(primaries: Primaries):
    np.testing.assert_allclose(matrix_to_bt709(primaries).sum(axis=1), 1, atol=1e-12)
    codes = np.repeat((np.arange(256, dtype=np.uint16) * 257)[None, :, None], 3, axis=2)
    grey = to_sdr(codes, Meaning("sdr", primaries))
    assert np.ptp(grey, axis=2).max() == 0
    np.testing.assert_array_equal(grey[0, :, 0], np.arange(256))


def test_tone_leaves_ordinary_light_and_bends_the_rest():
    light = np.linspace(0, 5, 1001, dtype=np.float32)[None, :, None] * np.array([1, 0.5, 0.25], np.float32)
    bent = tone(light)
    ordinary = light[..., 0] <= 0.85
    np.testing.assert_allclose(bent[ordinary], light[ordinary], atol=1e-6)
    assert (np.diff(bent[0, :, 0]) > 0).all()
    assert bent.max() < 1
    slope = np.diff(bent[0, :, 0]) / np.diff(light[0, :, 0])
    assert np.abs(np.diff(slope[150:200])).max() < 0.1
    np.testing.assert_allclose(bent[0, 1:, 1] / bent[0, 1:, 0], 0.5, rtol=1e-5)


def test_white_and_highlights_of_hdr():
    code = {"hlg": round(0.75 * 65535), "pq": round(0.5807 * 65535)}
    for transfer in ("hlg", "pq"):
        white, full = (np.full((1, 1, 3), v, np.uint16) for v in (code[transfer], 65535))
        assert 240 <= to_sdr(white, Meaning(transfer, "bt2020")).min() < 255
        assert to_sdr(full, Meaning(transfer, "bt2020")).min() >= 252


def picture(width: int = 96, height: int = 64) -> np.ndarray:
    """Every hue at every brightness below the knee, smooth enough for subsampled chroma."""
    x, y = np.meshgrid(np.linspace(0, 2 * np.pi, width), np.linspace(0.25, 0.85, height))
    return np.stack([y * (0.75 + 0.25 * np.cos(x - turn)) for turn in (0.0, 2.1, 4.2)], axis=-1)


def codes_of(shown: np.ndarray, transfer: str, primaries: str) -> np.ndarray:
    """What a file of this kind holds where SDR holds `shown`: the standards' forward formulas, 1 being full scale."""
    # DCI's own white is another one; the sum of rows is what adapts it.
    to_709 = np.array(PUBLISHED["p3" if primaries == "p3" else "bt2020"]) if primaries != "bt709" else np.eye(3)
    light = shown**2.4 @ np.linalg.inv(to_709).T
    if transfer == "pq":
        y = (light * 203 / 10000) ** (2610 / 16384)
        return ((3424 / 4096 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32)
    if transfer == "hlg":
        scene = (light * 203 / 1000) ** (1 / 1.2)
        log = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), log)
    return light if transfer == "linear" else light ** (1 / 2.4)


def write_tagged(path: Path, codes: np.ndarray, transfer: int, primaries: int, matrix: int, frames: int = 6) -> Path:
    """Lossless video in 10 bits of limited range with the given tags."""
    red, blue = (0.2126, 0.0722) if matrix == 1 else (0.2627, 0.0593)
    luma = codes @ [red, 1 - red - blue, blue]
    chroma = [(codes[..., 2] - luma) / (2 - 2 * blue), (codes[..., 0] - luma) / (2 - 2 * red)]
    planes = np.round([64 + 876 * luma, *(512 + 896 * part for part in chroma)]).astype(np.uint16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.height, stream.width = codes.shape[:2]
        stream.pix_fmt = "yuv444p10le"
        for held in (stream.codec_context, frame := av.VideoFrame(stream.width, stream.height, "yuv444p10le")):
            held.color_trc, held.color_primaries, held.colorspace, held.color_range = transfer, primaries, matrix, 1
        for plane, values in zip(frame.planes, planes, strict=True):
            rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
            rows[:, : plane.width] = values
            plane.update(rows.tobytes())
        for number in range(frames):
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("transfer", "primaries", "note"),
    [
        ("hlg", "bt2020", "HDR (HLG, BT.2020): tone-mapped to SDR BT.709"),
        ("pq", "bt2020", "HDR (PQ, BT.2020): tone-mapped to SDR BT.709"),
        ("pq", "p3", "HDR (PQ, Display P3): tone-mapped to SDR BT.709"),
        ("hlg", "unknown", "HDR (HLG, BT.2020): tone-mapped to SDR BT.709"),
        ("bt2020-10", "bt2020", "BT.2020 colours: converted to BT.709"),
        ("sdr", "unknown", "BT.2020 colours: converted to BT.709"),
        ("sdr", "p3", "Display P3 colours: converted to BT.709"),
        ("sdr", "bt709", None),
    ],
)
def test_a_video_looks_like_its_sdr_picture(tmp_path: Path, transfer: str, primaries: str, note: str | None):
    shown = picture()
    matrix = 1 if primaries in ("p3", "bt709") else 9
    codes = codes_of(shown, transfer, primaries)
    path = write_tagged(tmp_path / "a.mkv", codes, TRANSFER[transfer], PRIMARIES[primaries], matrix)
    clip = load_clip(path, ClipConfig(num_frames=2))
    error = clip.frames[0].numpy().astype(float) - 255 * shown
    assert 10 * np.log10(255**2 / (error**2).mean()) > 40
    assert [n for n in clip.notes if "converted" in n or "tone-mapped" in n] == ([note] if note else [])


def test_large_hdr_is_reduced_before_its_colours_are_converted(tmp_path: Path):
    shown = picture(800, 640)
    path = write_tagged(tmp_path / "a.mkv", codes_of(shown, "pq", "bt2020"), 16, 9, 9, frames=2)
    clip = load_clip(path, ClipConfig(num_frames=1, width=80))
    expected = shown.reshape(64, 10, 80, 10, 3).mean(axis=(1, 3)) * 255
    assert np.abs(clip.frames[0].numpy() - expected).max() < 4
