"""Which of a file's pictures is the film, and by what it is decoded."""

from __future__ import annotations

from pathlib import Path

from av.codec import codecs_available
from av.codec.context import CodecContext
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from neoverse_ns.errors import ClipError

# What ffmpeg weighs the default flag with, in pixels, where it chooses a video stream by itself.
_DEFAULT_FLAG = 5_000_000
# Streams with these tags need not be HDR10 or HLG underneath; where they are, they say so.
_DOLBY_TAGS = {"dvh1", "dvhe", "dva1", "dvav", "dav1"}
# FFmpeg's own decoders of these leave out the picture that carries the transparency.
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def film_streams(container: InputContainer) -> list[VideoStream]:
    """The moving pictures of a file, in its order; covers and thumbnails are none."""
    still = Disposition.attached_pic | Disposition.timed_thumbnails
    return [stream for stream in container.streams.video if not stream.disposition & still]


def chosen_stream(streams: list[VideoStream], number: int | None, path: Path) -> VideoStream:
    """The stream asked for, or the one that ffmpeg takes: marked as default, then the largest, then the first.

    Raises:
        ClipError: There is no stream of that number; lists those there are.
    """
    if number is None:
        return max(streams, key=_weight)
    if number >= len(streams):
        listed = ", ".join(f"#{place} {described(stream)}" for place, stream in enumerate(streams))
        raise ClipError(f"{path}: there is no video stream {number}, only {listed}; numbers start at 0")
    return streams[number]


def described(stream: VideoStream) -> str:
    """Codec and size of a stream, and whether it is marked as the default."""
    context = stream.codec_context
    default = ", default" if stream.disposition & Disposition.default else ""
    return f"({context.name} {context.width}x{context.height}{default})"


def stream_notes(container: InputContainer, stream: VideoStream) -> list[str]:
    """A sentence on the streams that are not used, and on colours that nothing but Dolby's own decoder understands."""
    streams, notes = film_streams(container), []
    if len(streams) > 1:
        listed = ", ".join(f"#{place} {described(other)}" for place, other in enumerate(streams))
        chosen = f"using #{streams.index(stream)}; choose another with --video-stream"
        notes.append(f"{len(streams)} video streams ({listed}): {chosen}")
    context = stream.codec_context
    if context.codec_tag in _DOLBY_TAGS and context.color_trc in (0, 2):
        notes.append("Dolby Vision (profile 5) cannot be converted, colours come out wrong: export it as SDR or HDR10")
    return notes


def alpha_decoder(stream: VideoStream) -> VideoCodecContext | None:
    """A decoder for the stream that keeps its transparency; None where the stream's own does."""
    name = _ALPHA_DECODERS.get(stream.codec_context.codec.canonical_name)
    if name is None or stream.metadata.get("alpha_mode") != "1" or name not in codecs_available:
        return None
    decoder = CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_type = "AUTO"
    return decoder


def _weight(stream: VideoStream) -> int:
    default = bool(stream.disposition & Disposition.default)
    return stream.codec_context.width * stream.codec_context.height + _DEFAULT_FLAG * default


def has_alpha(frame: VideoFrame) -> bool:
    """Whether a video frame's format has room for transparency."""
    return any(component.is_alpha for component in frame.format.components)
