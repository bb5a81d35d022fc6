"""Small videos and images whose frames carry their own number, readable after compression, resizing and turning."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from torch import Tensor

BITS = 8
TICK = Fraction(1, 1000)


def numbered(number: int, width: int = 128, height: int = 96, seed: int = 0) -> np.ndarray:
    """A smooth random picture [h,w,3] that `seed` decides, with `number` as a row of black and white blocks on top."""
    rng = np.random.default_rng(seed)
    tint = rng.integers(0, 150, 3)
    image = cv2.resize((tint + rng.integers(0, 100, (6, 8, 3))).astype(np.uint8), (width, height))
    edges = np.linspace(0, width, BITS + 1).round().astype(int)
    for bit in range(BITS):
        image[: height // 4, edges[bit] : edges[bit + 1]] = 255 * (number >> bit & 1)
    return image


def number_in(image: Tensor | np.ndarray) -> int:
    """Read the number back from the middles of the blocks."""
    array = np.asarray(image)
    height, width = array.shape[:2]
    band = array[height // 16 : height // 6].mean(axis=(0, 2))
    return sum(int(band[int((bit + 0.5) * width / BITS)] > 127) << bit for bit in range(BITS))


def numbers_in(frames: Tensor) -> list[int]:
    return [number_in(frame) for frame in frames]


def write_video(
    path: Path,
    images: Sequence[np.ndarray],
    stamps: Sequence[int] | None = None,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: int = 30,
    rotation: int | None = None,
    flip: bool = False,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encode RGB images; `stamps` are milliseconds for a variable frame rate, `rotation` degrees counter-clockwise."""
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixels
        if stamps is not None:
            stream.time_base = stream.codec_context.time_base = TICK
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation is not None:
            if not hasattr(stream, "set_display_rotation"):
                pytest.skip("this PyAV reads rotation but cannot write it")
            stream.set_display_rotation(rotation, hflip=flip)
        for place, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            if stamps is not None:
                frame.pts, frame.time_base = stamps[place], TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def numbered_video(path: Path, count: int, size: tuple[int, int] = (128, 96), seed: int = 0, **options) -> Path:
    """A video of `count` numbered frames."""
    return write_video(path, [numbered(i, *size, seed=seed) for i in range(count)], **options)
