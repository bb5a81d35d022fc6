"""Interlaced frames, which hold two instants in alternate lines, made whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

import av.error
from av.filter.graph import Graph
from av.video.frame import VideoFrame

Neighbours = tuple[VideoFrame | None, VideoFrame, VideoFrame | None]


def with_neighbours(frames: Iterable[VideoFrame]) -> Iterator[Neighbours]:
    """Every frame between the one before and the one after it; None beyond the ends. Reads one frame ahead."""
    before: VideoFrame | None = None
    current: VideoFrame | None = None
    for following in frames:
        if current is not None:
            yield before, current, following
            before = current
        current = following
    if current is not None:
        yield before, current, None


def deinterlaced(frames: Neighbours) -> VideoFrame:
    """The middle frame, its second field filled in from the first and from its neighbours; as it is if progressive.

    FFmpeg's bwdif looks at three frames at most, so that three are enough to get what decoding the whole video would
    give, wherever decoding began.
    """
    frame = frames[1]
    if not frame.interlaced_frame:
        return frame
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink"))
    graph.configure()
    usable = [part for part in frames if part is not None and _alike(part, frame)]
    results: list[VideoFrame] = []
    for part in (*usable, None):
        graph.vpush(part)
        # One frame comes out for each that goes in, one later; how that is said depends on the state of the graph.
        with suppress(av.error.BlockingIOError, av.error.EOFError):
            while True:
                results.append(graph.vpull())
    return results[usable.index(frame)]


def _alike(one: VideoFrame, other: VideoFrame) -> bool:
    return (one.width, one.height, one.format.name) == (other.width, other.height, other.format.name)
