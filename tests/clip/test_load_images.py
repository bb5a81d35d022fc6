"""Image folders and single images: order, orientation, depth, size, and what makes them unusable."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.image_file import image_size, read_image
from neoverse_ns.clip.load import load_clip
from neoverse_ns.errors import ClipError
from tests.clip.clip_makers import number_in, numbered, numbers_in
from tests.shared import shared_file

# What EXIF orientations 1 to 8 mean for the stored picture: the operations that turn it upright (EXIF 2.32, 4.6.4).
TURNS_UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


def save(path: Path, array: np.ndarray, **options) -> Path:
    Image.fromarray(np.ascontiguousarray(array)).save(path, **options)
    return path


def fill(folder: Path, names: list[str], size: tuple[int, int] = (128, 96)) -> Path:
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(names):
        save(folder / name, numbered(i, *size))
    return folder


def test_numbers_in_names_are_compared_as_numbers(tmp_path: Path):
    names = ["a1.png", "a2.jpg", "A9.PNG", "a10.webp", "a010b.bmp", "a100.tif", "b3.jpeg"]
    clip = load_clip(fill(tmp_path / "f", names), ClipConfig())
    assert numbers_in(clip.frames) == list(range(7))
    assert clip.frame_indices.tolist() == list(range(7))
    torch.testing.assert_close(clip.seconds, torch.arange(7).double() / 30)


def test_other_and_hidden_files_are_passed_over(tmp_path: Path):
    folder = fill(tmp_path / "f", ["0.png", "1.png"])
    (folder / "cameras.npz").write_bytes(b"no image")
    (folder / "._0.png").write_bytes(b"no image")
    (folder / "2.png").mkdir()
    assert len(load_clip(folder, ClipConfig())) == 2


def test_rate_start_and_duration(tmp_path: Path):
    folder = fill(tmp_path / "f", [f"{i}.png" for i in range(20)])
    clip = load_clip(folder, ClipConfig(image_rate=4.0, start=1.0, duration=2.0, num_frames=5))
    assert numbers_in(clip.frames) == [4, 6, 8, 10, 12]
    assert clip.seconds.tolist() == [1.0, 1.5, 2.0, 2.5, 3.0]


def test_images_of_a_shared_clip():
    clip = load_clip(shared_file("clips/people_walking") / "images", ClipConfig())
    assert clip.frame_indices.tolist() == list(range(10))


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_single_image(tmp_path: Path, suffix: str):
    clip = load_clip(save(tmp_path / f"a.{suffix}", numbered(93)), ClipConfig())
    assert numbers_in(clip.frames) == [93]
    assert clip.seconds.tolist() == [0.0]
    assert clip.times.tolist() == [0.0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_as_defined(tmp_path: Path, orientation: int):
    stored = np.random.default_rng(orientation).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", stored, exif=exif)
    upright = TURNS_UPRIGHT[orientation](stored)
    np.testing.assert_array_equal(read_image(path, (1, 1)), upright)
    assert image_size(path) == upright.shape[1::-1]


def test_exif_orientation_of_a_reduced_jpeg(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.jpg", np.rot90(numbered(45, 640, 960), 1), exif=exif)
    reduced = read_image(path, (100, 100))
    assert reduced.shape == (240, 160, 3)
    assert number_in(reduced) == 45


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK", "I;16", "I"])
def test_other_pixel_formats(tmp_path: Path, mode: str):
    grey = Image.fromarray(numbered(37)).convert("L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    elif mode == "I":
        image = Image.fromarray(np.asarray(grey).astype(np.int32) * 257)
    else:
        image = grey.convert("RGB").convert(mode)
    path = tmp_path / ("a.tif" if mode in ("CMYK", "I") else "a.png")
    image.save(path)
    read = read_image(path, (1, 1))
    assert read.dtype == np.uint8
    assert number_in(read) == 37
    if mode not in ("1", "P"):
        assert np.abs(read.astype(int) - np.asarray(grey)[..., None]).max() <= 1


def test_mixed_sizes_name_both_images(tmp_path: Path):
    folder = fill(tmp_path / "f", ["a.png", "b.png"])
    save(folder / "c.png", numbered(2, 64, 64))
    with pytest.raises(ClipError, match=r"a\.png is 128x96, c\.png is 64x64"):
        load_clip(folder, ClipConfig())


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tif"])
@pytest.mark.parametrize("keep", [0, 30, 0.6])
def test_broken_image_is_named(tmp_path: Path, suffix: str, keep: float):
    folder = fill(tmp_path / "f", [f"{i}.{suffix}" for i in range(3)])
    bad = folder / f"1.{suffix}"
    data = bad.read_bytes()
    bad.write_bytes(data[: int(len(data) * keep) if keep < 1 else int(keep)])
    with pytest.raises(ClipError, match=rf"1\.{suffix}: is .*replace or remove it"):
        load_clip(folder, ClipConfig())


def test_folder_without_images_says_what_it_holds(tmp_path: Path):
    with pytest.raises(ClipError, match=r"no images .* it is empty"):
        load_clip(tmp_path, ClipConfig())
    (tmp_path / "images").mkdir()
    (tmp_path / "clip.mp4").write_bytes(b"")
    with pytest.raises(ClipError, match=r"it holds clip\.mp4, images/"):
        load_clip(tmp_path, ClipConfig())


@pytest.mark.parametrize("size", [(1, 1), (15, 200), (200, 15)])
def test_tiny_images_are_refused(tmp_path: Path, size: tuple[int, int]):
    with pytest.raises(ClipError, match=rf"{size[0]}x{size[1]} pixels are too few, 16 a side are the least"):
        load_clip(save(tmp_path / "a.png", np.zeros((*size[::-1], 3), np.uint8)), ClipConfig())


@pytest.mark.parametrize(("size", "expected"), [((16, 16), (16, 16)), ((17, 31), (16, 16)), ((20000, 40), (384, 16))])
def test_small_and_extreme_images_load(tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]):
    clip = load_clip(save(tmp_path / "a.png", np.full((*size[::-1], 3), 99, np.uint8)), ClipConfig())
    assert (clip.width, clip.height) == expected
    assert (clip.frames == 99).all()


def write_large_png(path: Path, width: int, height: int, colour: tuple[int, int, int]) -> None:
    """Row by row, so that the test itself stays small."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    row = b"\0" + bytes(colour) * width
    rows = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_huge_image_takes_three_bytes_a_pixel(tmp_path: Path):
    """In a process of its own. Three bytes a pixel keep 20000x20000 pixels below 2 GB with all libraries loaded."""
    path, size = tmp_path / "a.png", (20000, 6000)
    write_large_png(path, *size, (90, 120, 30))
    code = (
        "import sys; from pathlib import Path\n"
        "from neoverse_ns.clip.config import ClipConfig; from neoverse_ns.clip.load import load_clip\n"
        "def peak(): return next(int(s.split()[1]) for s in open('/proc/self/status') if s.startswith('VmHWM'))\n"
        "before = peak(); clip = load_clip(Path(sys.argv[1]), ClipConfig())\n"
        "print(peak() - before, *clip.frames.shape, *clip.frames.amin((0, 1, 2)), *clip.frames.amax((0, 1, 2)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, env=environment
    )
    kilobytes, *rest = map(int, re.sub(r"tensor\((\d+).*?\)", r"\1", run.stdout.splitlines()[-1]).split())
    assert rest == [1, 112, 384, 3, 90, 120, 30, 90, 120, 30]
    assert kilobytes * 1024 < 3.5 * size[0] * size[1]


def test_image_beyond_all_bounds_is_refused(tmp_path: Path):
    data = bytearray(save(tmp_path / "a.png", np.zeros((20, 20, 3), np.uint8)).read_bytes())
    data[16:24] = struct.pack(">II", 60000, 60000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ClipError, match="60000x60000 pixels are too many"):
        load_clip(tmp_path / "a.png", ClipConfig())


def test_folder_and_image_without_permission(tmp_path: Path):
    folder = fill(tmp_path / "f", ["0.png"])
    (folder / "0.png").chmod(0)
    if os.access(folder / "0.png", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ClipError, match=r"0\.png: no permission to read it"):
        load_clip(folder, ClipConfig())
    folder.chmod(0)
    with pytest.raises(ClipError, match="f: cannot be listed"):
        load_clip(folder, ClipConfig())
    folder.chmod(0o700)
