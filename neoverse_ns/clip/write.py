"""Frames into a video file.

By PyAV, which clips are read with, rather than mediapy: no ffmpeg program of whatever age and encoders has to be found
(`test_a_video_is_written_without_an_ffmpeg_program`), and the synthetic clip that figures are measured on keeps its
pixels (`test_another_encoder_changes_the_pixels_that_figures_are_measured_on`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.clip.x264 import steady_params


def write_video(path: Path, frames: UInt8[Tensor, "n h w 3"], fps: float, crf: int = 12) -> None:
    """Write frames of even width and height as H.264; the lower `crf`, the better (12 is near lossless)."""
    with video_writer(path, frames.shape[1], frames.shape[2], fps, crf) as add:
        add(frames)


@contextmanager
def video_writer(
    path: Path, height: int, width: int, fps: float, crf: int = 12
) -> Iterator[Callable[[UInt8[Tensor, "n h w 3"]], None]]:
    """What takes the next frames of a video, any number at a time; see :func:`write_video`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width = height, width
        stream.pix_fmt = "yuv420p"
        steady = steady_params()
        stream.options = {"crf": str(crf), "preset": "medium"} | ({} if steady is None else {"x264-params": steady})

        def add(frames: UInt8[Tensor, "n h w 3"]) -> None:
            for frame in frames.numpy():
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))

        yield add
        container.mux(stream.encode())
