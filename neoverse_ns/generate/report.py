"""What a generated video is and what it took, as a JSON file beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neoverse_ns.errors import RunError
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import FrameStream
from neoverse_ns.generate.timing import describe_time, time_report

SUFFIX = "_report.json"
"""Behind the video's name."""


@dataclass(frozen=True)
class WrittenReport:
    """Where a report lies, and its seconds in one line."""

    file: Path
    time: str


def write_report(
    video: Path,
    made: FrameStream,
    config: RefinerConfig,
    geometry_report: Mapping[str, Any],
    run: Path,
    trajectory: str,
) -> WrittenReport:
    """Write NAME_report.json beside a video whose frames have all been taken.

    Args:
        video: Its place.
        made: Its frames.
        config: Which refiner made them, and how.
        geometry_report: See :func:`neoverse_ns.generate.timing.time_report`.
        run: What was drawn, as it was given.
        trajectory: Along what, as it was given.

    Raises:
        RunError: It cannot be written.
    """
    seconds = time_report(geometry_report, made.timing)
    content = {
        "video": video.name,
        "run": str(run),
        "trajectory": trajectory,
        "frames": len(made.drawn),
        "width": made.drawn.width,
        "height": made.drawn.height,
        "fps": made.fps,
        "refiner": config.refiner,
        "prompt": config.prompt,
        "seed": config.seed,
        "first_frame": made.drawn.first_frame,
        "seconds": seconds,
    }
    file = video.with_name(f"{video.stem}{SUFFIX}")
    try:
        file.write_text(json.dumps(content, indent=1) + "\n", "utf8")
    except OSError as error:
        raise RunError(
            f"cannot write {file} ({error.strerror or error}): free space, or choose another --output"
        ) from error
    return WrittenReport(file, describe_time(seconds))
