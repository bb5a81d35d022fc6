"""What SpatialVID's tables, or the videos themselves, say of length, rate and size."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.clip.container import opened_video
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets.video import VideoFrames

_PLACES = ("data/train/*.csv", "data/*.csv", "*.csv")


@dataclass(frozen=True)
class VideoFacts:
    """Frames, rate and size of a video."""

    frames: int
    fps: float
    width: int
    height: int


def read_facts(folder: Path) -> dict[str, VideoFacts]:
    """By a video's id, from the columns `id`, `num frames`, `fps` and `resolution` of the set's tables.

    Rows in which one of them is missing or no number are left out, as are tables of something else.

    Raises:
        ClipError: A table cannot be read.
    """
    found: dict[str, VideoFacts] = {}
    for path in sorted({path for pattern in _PLACES for path in folder.glob(pattern)}):
        try:
            with path.open(encoding="utf8", newline="") as file:
                for row in csv.DictReader(file):
                    facts = _facts(row)
                    if facts is not None:
                        found[row["id"]] = facts
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ClipError(f"{path}: cannot be read as a table ({error})") from error
    return found


def facts_of(video: Path) -> VideoFacts:
    """From the file itself, for videos that no table lists.

    Raises:
        ClipError: It is no video, or does not say.
    """
    frames = len(VideoFrames(video))
    with opened_video(video) as (_, stream):
        rate, width, height = stream.average_rate, stream.codec_context.width, stream.codec_context.height
    if not rate:
        raise ClipError(f"{video}: does not say its rate; write it anew as .mp4")
    return VideoFacts(frames, float(rate), width, height)


def _facts(row: dict[str, str]) -> VideoFacts | None:
    try:
        width, height = (int(part) for part in row["resolution"].lower().split("x"))
        facts = VideoFacts(int(float(row["num frames"])), float(row["fps"]), width, height)
        return facts if row["id"] and min(facts.frames, facts.fps) > 0 else None
    except (KeyError, ValueError, AttributeError, TypeError):
        return None
