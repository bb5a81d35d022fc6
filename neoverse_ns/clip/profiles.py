"""Colour profiles of images: pictures with another profile than sRGB's brought to sRGB."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from neoverse_ns.clip.coding_tags import colour_note, meaning_of_image_file
from neoverse_ns.clip.colour import Meaning, to_sdr

_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
# EXIF's folder of interoperability, its first entry, and the folder and entry of the colour space.
_INTEROPERABILITY, _KIND, _EXIF, _COLOUR_SPACE = 0xA005, 1, 0x8769, 0xA001
_UNCALIBRATED = 65535


class ProfileError(ValueError):
    """The profile is broken or belongs to pictures of another kind."""


def to_srgb(image: Image.Image) -> Image.Image:
    """The picture as RGB or RGBA in sRGB, which the image's profile, where there is one, leads to.

    A profile that is broken, or made for another kind of picture, is passed over: :func:`profile_note` tells.
    """
    clear = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    try:
        convert = _transform(profile_of(image), image.mode)
    except ProfileError:
        convert = None
    plain = image.convert("RGBA" if clear else "RGB")
    if convert is not None:
        mode, transform = convert
        source = plain.convert("RGB") if mode == "RGB" else image.convert(mode)
        converted = ImageCms.applyTransform(source, transform)
        assert converted is not None
        if clear:
            converted.putalpha(plain.getchannel("A"))
        return converted
    meaning = _meaning(image)
    if meaning.plain:
        return plain
    pixels = np.asarray(plain.convert("RGB")).astype(np.uint16) * 257
    sdr = Image.fromarray(to_sdr(pixels, meaning))
    if clear:
        sdr.putalpha(plain.getchannel("A"))
    return sdr


def profile_note(image: Image.Image) -> str | None:
    """What is done about the image's colours: converted, or not, because its profile is broken; None for sRGB."""
    profile = profile_of(image)
    try:
        if _transform(profile, image.mode) is not None:
            return f"colours converted from {_name(profile)} to sRGB"
    except ProfileError as error:
        return f"the colour profile of the images {error}: colours are used as they are"
    meaning = _meaning(image)
    if meaning.primaries == "adobe-rgb":
        return "colours converted from Adobe RGB to sRGB"
    return None if meaning.plain else colour_note(meaning)


def profile_of(image: Image.Image) -> bytes:
    """The embedded profile; empty where there is none."""
    return image.info.get("icc_profile") or b""


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> tuple[str, ImageCms.ImageCmsTransform] | None:
    """Mode to bring an image to, and the way from there to sRGB; None where the profile means sRGB anyway."""
    if not profile:
        return None
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space: str = opened.profile.xcolor_space  # type: ignore[union-attr]
    except (OSError, ImageCms.PyCMSError) as error:
        raise ProfileError("is broken") from error
    wanted = _MODES.get(space)
    grey = mode in ("1", "L", "LA", "La") or mode.startswith("I")
    if wanted is None or (wanted == "CMYK") != (mode == "CMYK") or (wanted == "L" and not grey):
        raise ProfileError(f"is for {space.strip()} and they are {mode}")
    try:
        transform = ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), wanted, "RGB")
    except ImageCms.PyCMSError as error:
        raise ProfileError(f"cannot be used ({error})") from error
    return None if wanted != "CMYK" and _changes_nothing(transform, wanted) else (wanted, transform)


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a sample of all colours stays within rounding: most profiles are sRGB under some name."""
    levels = np.linspace(0, 255, 18).round().astype(np.uint8)
    if mode == "RGB":
        sample = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(18, -1, 3)
        plain = sample
    else:
        sample = np.arange(256, dtype=np.uint8)[None]
        plain = sample[..., None]
    converted = ImageCms.applyTransform(Image.fromarray(sample), transform)
    return bool(np.abs(np.asarray(converted).astype(int) - plain).max() <= 2)


def _name(profile: bytes) -> str:
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip() or "their profile"
    except (OSError, ImageCms.PyCMSError):
        return "their profile"


def _meaning(image: Image.Image) -> Meaning:
    """What an image without a profile says of its colours by other means."""
    if profile_of(image):
        return Meaning()
    if image.format in ("HEIF", "AVIF", "PNG"):
        # Files without a name are what was already decoded.
        name = getattr(image, "filename", "")
        return meaning_of_image_file(Path(name)) if name else Meaning()
    return Meaning("sdr", "adobe-rgb") if image.format == "JPEG" and _adobe_by_exif(image) else Meaning()


def _adobe_by_exif(image: Image.Image) -> bool:
    """Whether a camera says by EXIF alone, as DCF 2.0 has it, that this is Adobe RGB."""
    exif = image.getexif()
    kind = exif.get_ifd(_INTEROPERABILITY).get(_KIND)
    return kind in ("R03", b"R03\0", b"R03") and exif.get_ifd(_EXIF).get(_COLOUR_SPACE) == _UNCALIBRATED
