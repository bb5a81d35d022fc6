"""Which frames pass through the network together with which keyframes, so that their cameras are found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CameraPass:
    """Frames whose cameras are found together.

    Attributes:
        anchors: Numbers of the keyframes that are seen along, ascending.
        frames: Positions of the frames wanted, ascending.
    """

    anchors: list[int]
    frames: list[int]


def camera_passes(seen: range, own: range, keyframes: list[int], count: int, window: int) -> list[CameraPass]:
    """Passes that find the cameras of all frames that are not keyframes, from a window's first own keyframe on to the
    next window's.

    Args:
        seen: Numbers of the keyframes in the window.
        own: Those that the window answers for.
        keyframes: Positions of all keyframes of the clip.
        count: Frames of the clip.
        window: Most frames in a pass.

    Returns:
        None where every frame is a keyframe. One pass with all of the window's keyframes where everything fits,
        otherwise several, each with the keyframes nearest to its frames.
    """
    first = 0 if own.start == 0 else keyframes[own.start]
    end = count if own.stop == len(keyframes) else keyframes[own.stop]
    known = set(keyframes)
    frames = [frame for frame in range(first, end) if frame not in known]
    if not frames:
        return []
    if len(seen) + len(frames) <= window:
        return [CameraPass(list(seen), frames)]
    seen_along = min(len(seen), window // 2)
    room = window - seen_along
    chunks = [frames[i : i + room] for i in range(0, len(frames), room)]
    return [CameraPass(_nearest(seen, keyframes, chunk, seen_along), chunk) for chunk in chunks]


def _nearest(numbers: range, keyframes: list[int], frames: list[int], count: int) -> list[int]:
    """The `count` keyframes nearest to a stretch of frames, those inside it first."""
    first, last = frames[0], frames[-1]
    ranked = sorted(numbers, key=lambda number: max(first - keyframes[number], keyframes[number] - last, 0))
    return sorted(ranked[:count])
