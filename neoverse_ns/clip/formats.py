"""Which kinds of files there are: told by their first bytes, and which of them can be read here."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Literal

from PIL import features

from neoverse_ns.errors import ClipError

#: `animation` is what FFmpeg shows in time (GIF, animated PNG), `webp` an animated WebP, which it does not.
Content = Literal["image", "animation", "webp", "heif", "avif", "film", "unknown"]

_ALWAYS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".pbm", ".pnm", ".tga"}
_JPEG_2000 = {".jp2", ".j2k", ".jpx", ".j2c"}
_HEIF, _AVIF = {".heic", ".heif", ".hif"}, {".avif"}
_RAW = {".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".3fr", ".iiq", ".raw"}
_CONVERT = "convert them to JPEG or PNG"
_HEIF_REMEDY = "to read them: pip install pillow-heif"


def _with_plugins() -> frozenset[str]:
    with warnings.catch_warnings():
        # An older Pillow does not know the name of what it does not have.
        warnings.simplefilter("ignore", UserWarning)
        more = [(_JPEG_2000, features.check("jpg_2000")), (_AVIF, features.check("avif"))]
    more.append((_HEIF, importlib.util.find_spec("pillow_heif") is not None))
    return frozenset(_ALWAYS.union(*(endings for endings, there in more if there)))


#: Endings of images that can be read here, in lower case.
IMAGE_SUFFIXES = _with_plugins()

#: Endings of pictures that cannot be read here, and what to do about them.
UNREADABLE_SUFFIXES: dict[str, str] = {
    **dict.fromkeys(_HEIF, _HEIF_REMEDY),
    **dict.fromkeys(_AVIF, "to read them: pip install --upgrade pillow (11.3 or newer)"),
    **dict.fromkeys(_JPEG_2000 | {".jxl", ".psd", ".svg", ".eps"}, _CONVERT),
    **dict.fromkeys(_RAW, "develop them to JPEG or PNG"),
    **dict.fromkeys({".exr", ".hdr"}, "they hold light without bounds: tone-map them to PNG or JPEG"),
}
for _suffix in IMAGE_SUFFIXES:
    UNREADABLE_SUFFIXES.pop(_suffix, None)

#: Endings of videos, where it matters that a folder holds some.
FILM_SUFFIXES = frozenset(
    {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".3gp", ".wmv", ".flv"}
)
_STARTS: tuple[tuple[bytes, Content], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "animation"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
    (b"II+\0", "image"),
    (b"MM\0+", "image"),
    (b"\0\0\0\x0cjP  ", "image"),
    (b"\xff\x4f\xff\x51", "image"),
    (b"\x1aE\xdf\xa3", "film"),
    (b"FLV\x01", "film"),
    (b"OggS", "film"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "film"),
    (b"\0\0\x01\xba", "film"),
    (b"\0\0\x01\xb3", "film"),
)
_FILM_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def content_of(path: Path) -> Content:
    """What a file holds by its first bytes, whatever its name says.

    Raises:
        ClipError: It may not be read.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(1 << 16)
    except PermissionError as error:
        raise ClipError(f"{path}: no permission to read it") from error
    except OSError as error:
        raise ClipError(f"{path}: cannot be read ({error.strerror})") from error
    if head[:4] == b"RIFF":
        if head[8:12] == b"WEBP":
            return "webp" if head[12:16] == b"VP8X" and head[20:21] and head[20] & 2 else "image"
        return "film" if head[8:12] == b"AVI " else "unknown"
    if head[4:8] == b"ftyp":
        return _by_brand(head[8:12])
    if head[:8] == _STARTS[0][0] and b"acTL" in head[: head.find(b"IDAT")]:
        return "animation"
    if head[4:8] in _FILM_BOXES or _is_transport_stream(head):
        return "film"
    # The size of its header, which follows four bytes of nothing, tells a bitmap from a text that begins with BM.
    if head[:2] == b"BM" and head[14:18] in {bytes((size, 0, 0, 0)) for size in (12, 40, 52, 56, 64, 108, 124)}:
        return "image"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "image"
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    return "unknown"


def _by_brand(brand: bytes) -> Content:
    if brand in (b"avif", b"avis"):
        return "avif"
    return "heif" if brand in _HEIF_BRANDS else "film"


def _is_transport_stream(head: bytes) -> bool:
    packets = ((188, 0), (192, 4))
    return any(len(head) > 4 * step and all(head[skip + i * step] == 0x47 for i in range(4)) for step, skip in packets)


def is_readable_image(path: Path) -> bool:
    """Whether a file of a folder is an image that can be read, by its ending; JPEGs that phones call HEIC are, too."""
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return path.is_file()
    return suffix in _HEIF | _AVIF and path.is_file() and content_of(path) == "image"


@lru_cache(maxsize=1)
def register_plugins() -> None:
    """Teach Pillow to open HEIC pictures where pillow-heif is installed."""
    if importlib.util.find_spec("pillow_heif") is not None:
        importlib.import_module("pillow_heif").register_heif_opener()


def why_not_opened(path: Path) -> str:
    """What to say of a file that Pillow does not know, though it may be whole."""
    content = content_of(path)
    if content == "film":
        return "is a video, not an image; give it by itself"
    if content in ("heif", "avif"):
        remedy = UNREADABLE_SUFFIXES.get(f".{content}", "is damaged").removeprefix("to read them: ")
        return f"is an {content.upper()} picture and cannot be opened: {remedy}"
    return "is empty, broken or not an image; replace or remove it"
