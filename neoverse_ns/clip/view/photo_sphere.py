"""Photo spheres, as their XMP states them (GPano)."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from neoverse_ns.clip.view.layout import STATED, Layout, Sphere


def stated_photo_layout(path: Path) -> Layout | None:
    """What the XMP of a photo sphere says (GPano); None where it says nothing, or nothing can be read."""
    try:
        with Image.open(path) as image:
            size, xmp = image.size, image.info.get("xmp", b"")
    except Exception:  # Whatever is wrong with the file is said where its pixels are read.
        return None
    text = xmp.decode("utf8", "replace") if isinstance(xmp, bytes) else str(xmp)
    if not re.search(r"GPano:ProjectionType\s*(?:=\s*[\"']|>)\s*equirectangular", text):
        return None

    def number(name: str, default: float) -> float:
        found = re.search(rf"GPano:{name}\s*(?:=\s*[\"']|>)\s*([0-9.]+)", text)
        return float(found.group(1)) if found and float(found.group(1)) >= 0 else default

    part_w, part_h = (
        number("CroppedAreaImageWidthPixels", float(size[0])),
        number("CroppedAreaImageHeightPixels", float(size[1])),
    )
    full_w = max(number("FullPanoWidthPixels", part_w), part_w, 1.0)
    full_h = max(number("FullPanoHeightPixels", part_h), part_h, 1.0)
    left = min(number("CroppedAreaLeftPixels", (full_w - part_w) / 2), full_w - part_w) / full_w
    top = min(number("CroppedAreaTopPixels", (full_h - part_h) / 2), full_h - part_h) / full_h
    part = Sphere(left, 1 - left - part_w / full_w, top, 1 - top - part_h / full_h)
    return Layout(sphere=part, origin=STATED)
