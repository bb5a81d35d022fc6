"""A few pictures of a video, found by seeking: quick however long it is."""

from __future__ import annotations

import itertools

import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from jaxtyping import UInt8

from neoverse_ns.clip.container import Damage, decoded, upright_size
from neoverse_ns.clip.upright import frame_orientation, turned_upright
from neoverse_ns.clip.view.glimpse import GLIMPSE_WIDTH, GLIMPSES, Glimpse
from neoverse_ns.clip.view.stated import stated_layout

# Frames, and pixels, decoded at most for one of the pictures.
_MOST_FRAMES, _MOST_PIXELS = 12, 25_000_000


def glimpse_of(container: InputContainer, stream: VideoStream, start: float, end: float) -> Glimpse:
    """The first frame, and frames close to even steps from `start` to `end`, seconds from it.

    Raises:
        FFmpegError: The file cannot be read on.
    """
    first = next(decoded(container, stream, Damage()), None)
    if first is None:
        return Glimpse()
    size, images = upright_size(first, stream), [_small(first)]
    if first.pts is not None and first.time_base:
        begin, base = first.pts, first.time_base
        stamps = [begin + int(second / base) for second in np.linspace(start, max(end, start), GLIMPSES)]
        found = (_one_near(container, stream, stamp) for stamp in stamps)
        frames = {frame.pts: frame for frame in found if frame is not None and frame.pts != begin}
        images += [_small(frame) for frame in frames.values() if upright_size(frame, stream) == size]
    return Glimpse(size, images, stated_layout(first))


def _one_near(container: InputContainer, stream: VideoStream, stamp: int) -> VideoFrame | None:
    """A frame at `stamp` or, where that is far from a keyframe, a little after the keyframe before."""
    try:
        container.seek(stamp, stream=stream, backward=True)
    except av.error.FFmpegError:
        return None
    frame = None
    most = max(min(_MOST_PIXELS // max(stream.width * stream.height, 1), _MOST_FRAMES), 1)
    for frame in itertools.islice(decoded(container, stream, Damage()), most):
        if frame.pts is not None and frame.pts >= stamp:
            break
    return frame


def _small(frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    """Upright RGB, reduced by the decoder's own scaler before it is turned."""
    factor = min(GLIMPSE_WIDTH / frame.width, 1.0)
    size = max(round(frame.width * factor), 1), max(round(frame.height * factor), 1)
    small = frame.reformat(width=size[0], height=size[1], format="rgb24", interpolation="AREA").to_ndarray()
    return np.ascontiguousarray(turned_upright(small, frame_orientation(frame)))
