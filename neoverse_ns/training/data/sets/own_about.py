"""`clip.json` of our own clip layout: what is known of a clip before any frame is read."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.truth import ClipInfo, Part

ABOUT = "clip.json"
FORMAT = "neoverse clip"
NAME = "own"


@dataclass(frozen=True)
class OwnAbout:
    """What the file says.

    Attributes:
        frames: How many there are.
        fps: Frames per second.
        width: Of a frame, in pixels.
        height: Of a frame, in pixels.
        static: Nothing moves but the camera.
        has: What is known.
        depth_scale: A depth picture's number is z-depth, in the unit of the poses, times this, rounded; 0 is unknown.
        furthest: As of :class:`ClipInfo`.
        render_weight: As of :class:`ClipInfo`.
        depth_weight: As of :class:`ClipInfo`.
        motion_weight: As of :class:`ClipInfo`.
        depth_quantile: As of :class:`ClipInfo`.
        caption: What it shows in words.
        split: As in "train" or "val".
        licence: Under which it may be used.
        source: Data set and clip that it was made of.
    """

    frames: int
    fps: float
    width: int
    height: int
    static: bool = False
    has: list[Part] = field(default_factory=list)
    depth_scale: float = 1000.0
    furthest: int = 4
    render_weight: float = 1.0
    depth_weight: float = 1.0
    motion_weight: float = 1.0
    depth_quantile: float = 1.0
    caption: str | None = None
    split: str = "train"
    licence: str | None = None
    source: str | None = None

    def info(self, clip: str) -> ClipInfo:
        """Of the clip of that name."""
        return ClipInfo(
            NAME,
            clip,
            self.frames,
            self.fps,
            self.static,
            frozenset(self.has),
            self.furthest,
            self.render_weight,
            self.depth_weight,
            self.motion_weight,
            self.depth_quantile,
        )

    def row(self, path: str) -> ManifestRow:
        """Of the clip at a path within the data set's folder, which is its name."""
        return ManifestRow(
            id=path,
            dataset=NAME,
            source={"path": path},
            frames=self.frames,
            fps=self.fps,
            width=self.width,
            height=self.height,
            caption=self.caption,
            split=self.split,
            static=self.static,
            has=frozenset(self.has),
            licence=self.licence,
        )

    def write(self, folder: Path) -> None:
        """Into a clip's folder."""
        (folder / ABOUT).write_text(json.dumps({"format": FORMAT, "version": 1} | asdict(self), indent=1) + "\n")


def read_about(folder: Path) -> OwnAbout:
    """What a clip's folder says.

    Raises:
        ClipError: The file is missing, damaged, of another kind, or says what cannot be.
    """
    path = folder / ABOUT
    try:
        found = json.loads(path.read_text("utf8"))
    except FileNotFoundError as error:
        raise ClipError(f"{path}: is missing") from error
    except (OSError, ValueError) as error:
        raise ClipError(f"{path}: cannot be read ({error})") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ClipError(f'{path}: is of another kind; a clip\'s has "format": "{FORMAT}"')
    if found.get("version") != 1:
        raise ClipError(f"{path}: is of version {found.get('version')}, this program reads version 1")
    try:
        about = OwnAbout(**{key: value for key, value in found.items() if key in OwnAbout.__dataclass_fields__})
        _check(about)
    except (TypeError, ValueError) as error:
        raise ClipError(f"{path}: {error}") from error
    return about


def _check(about: OwnAbout) -> None:
    whole: dict[str, Any] = {name: getattr(about, name) for name in ("frames", "width", "height", "furthest")}
    for name, value in whole.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a whole number above 0, got {value!r}")
    for name in ("fps", "depth_scale", "depth_quantile"):
        value = getattr(about, name)
        if not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
    unknown = set(about.has) - set(get_args(Part))
    if unknown:
        raise ValueError(f"has names {sorted(unknown)}: there are {', '.join(get_args(Part))}")
