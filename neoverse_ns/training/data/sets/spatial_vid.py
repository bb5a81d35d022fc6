"""SpatialVID: videos with captions, which the control branch learns from, and estimated cameras for part of them.

Layout (its card on Hugging Face): `videos/group_%04d/ID.mp4`, `annotations/group_%04d/ID/{caption.json, poses.npy,
intrinsics.npy, indexes.txt}` and `data/train/SpatialVID_HQ_metadata.csv`. `poses.npy` [T',7] holds world to camera as
translation and quaternion (x, y, z, w), `intrinsics.npy` [T',4] fx, fy, cx, cy divided by width and height, both at
5 Hz; `indexes.txt` the number of the frame of each. The archives may lie a folder deeper.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from neoverse_ns.datafiles.finding import clip_name, folders_with, nothing_found
from neoverse_ns.datafiles.reading import checked_shape, read_array, read_text
from neoverse_ns.errors import ClipError
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.se3 import assemble, se3_inverse
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.sets.folder import info_of, path_of
from neoverse_ns.training.data.sets.spatial_vid_table import VideoFacts, facts_of, read_facts
from neoverse_ns.training.data.sets.video import VideoFrames
from neoverse_ns.training.data.truth import FrameTruth, Part, TruthClip

NAME = "spatial_vid"
RATE = 5.0
"""Estimated cameras a second."""
FURTHEST = 5
"""As the release takes it for the control branch."""
_VIDEOS, _ANNOTATIONS = "videos", "annotations"


class SpatialVid(DataSet):
    """All videos, with their captions."""

    name: ClassVar[str] = NAME

    def find(self, folder: Path) -> list[ManifestRow]:
        roots = folders_with(folder, _VIDEOS, deepest=2)
        videos = [video for root in roots for video in sorted((root / _VIDEOS).glob("group_*/*.mp4"))]
        if not videos:
            raise nothing_found(folder, NAME, f"{_VIDEOS}/group_0001/ID.mp4")
        facts = read_facts(folder)
        return [_row(folder, video, facts.get(video.stem)) for video in videos]

    def open(self, folder: Path, row: ManifestRow) -> TruthClip:
        return SpatialVidClip(path_of(folder, row), row)

    def remarks(self, clip: TruthClip) -> list[str]:
        return [
            "has no depth: its cameras are estimated, every fifth of a second"
            if "pose" in clip.info.has
            else "has neither cameras nor depth: of use for the control branch alone"
        ]


class SpatialVidClip(TruthClip):
    """One video. Where its cameras were not estimated its intrinsics are NaN, so that only its pictures are of use."""

    def __init__(self, path: Path, row: ManifestRow) -> None:
        self.info = info_of(row, FURTHEST)
        self._video = VideoFrames(path)
        self._cameras = EstimatedCameras(_annotation(path), row.frames, row.fps) if "pose" in row.has else None

    def frame(self, index: int) -> FrameTruth:
        rgb = self.rgb(index)
        if self._cameras is None:
            return FrameTruth(rgb, torch.full((3, 3), torch.nan, dtype=torch.float64), None, None)
        height, width = rgb.shape[:2]
        return FrameTruth(rgb, self._cameras.K(index, width, height), self._cameras.c2w(index), None)

    def rgb(self, index: int) -> UInt8[Tensor, "h w 3"]:
        """The picture alone."""
        return self._video.frame(index)

    def close(self) -> None:
        self._video.close()


class EstimatedCameras:
    """Cameras of every frame between those that were estimated."""

    def __init__(self, folder: Path, frames: int, fps: float) -> None:
        """Read them.

        Args:
            folder: Of a video's annotations.
            frames: Of the video.
            fps: Of the video, which places the estimates where `indexes.txt` does not.

        Raises:
            ClipError: A file is missing or damaged, or they do not fit one another.
        """
        poses = torch.from_numpy(read_array(folder / "poses.npy", (None, 7)).astype(np.float64))
        intrinsics = checked_shape(read_array(folder / "intrinsics.npy", (None, 4)), (len(poses), 4), str(folder))
        if not len(poses) or not torch.isfinite(poses).all() or not np.isfinite(intrinsics).all():
            raise ClipError(f"{folder}: holds no cameras, or such that are not finite")
        c2w = se3_inverse(assemble(quaternions.to_matrix(poses[:, [6, 3, 4, 5]]), poses[:, :3]))
        self._places, self._turns = c2w[:, :3, 3], quaternions.from_matrix(c2w[:, :3, :3])
        self._intrinsics = torch.from_numpy(intrinsics.astype(np.float64))
        self._frames = _frames_of(folder / "indexes.txt", len(poses), fps)

    def c2w(self, index: int) -> Float64[Tensor, "4 4"]:
        """Camera to world of a frame, at constant speed and turn between two estimates, held after the last."""
        first, second, share = self._around(index)
        place = torch.lerp(self._places[first], self._places[second], share)
        turn = quaternions.slerp(self._turns[first], self._turns[second], share)
        return assemble(quaternions.to_matrix(turn), place)

    def K(self, index: int, width: int, height: int) -> Float64[Tensor, "3 3"]:
        """Intrinsics of a frame in pixels; they count from the picture's corner, so that centres are at +0.5."""
        first, second, share = self._around(index)
        fx, fy, cx, cy = torch.lerp(self._intrinsics[first], self._intrinsics[second], share).tolist()
        return torch.tensor(
            [[fx * width, 0, cx * width], [0, fy * height, cy * height], [0, 0, 1]], dtype=torch.float64
        )

    def _around(self, index: int) -> tuple[int, int, float]:
        """The estimates before and after a frame, and the share of the way between them."""
        second = int(np.searchsorted(self._frames, index, side="right"))
        first, second = max(second - 1, 0), min(second, len(self._frames) - 1)
        gap = float(self._frames[second] - self._frames[first])
        return first, second, min(max((index - float(self._frames[first])) / gap, 0.0), 1.0) if gap else 0.0


def _frames_of(path: Path, count: int, fps: float) -> Float64[np.ndarray, " n"]:
    """Frame of the video of each estimate."""
    if not path.is_file():
        return np.arange(count) * fps / RATE
    numbers = np.array([float(number) for number in re.findall(r"\d+", read_text(path))])
    if len(numbers) == 2 * count:
        numbers = numbers[1::2]  # Lines that number the estimates too.
    if len(numbers) != count or (np.diff(numbers) <= 0).any():
        raise ClipError(f"{path}: does not give one frame, in ascending order, for each of the {count} cameras")
    return numbers


def _annotation(video: Path) -> Path:
    return video.parents[2] / _ANNOTATIONS / video.parent.name / video.stem


def _row(folder: Path, video: Path, facts: VideoFacts | None) -> ManifestRow:
    """A damaged video gets a row without frames: what is wrong is told when it is opened."""
    try:
        facts = facts or facts_of(video)
    except ClipError:
        facts = VideoFacts(0, 30.0, 0, 0)
    annotation = _annotation(video)
    known: set[Part] = {"pose"} if all((annotation / f"{n}.npy").is_file() for n in ("poses", "intrinsics")) else set()
    return ManifestRow(
        id=video.stem,
        dataset=NAME,
        source={"path": clip_name(folder, video)},
        frames=facts.frames,
        fps=facts.fps,
        width=facts.width,
        height=facts.height,
        caption=_caption(annotation / "caption.json"),
        has=frozenset(known),
        licence="CC BY-NC-SA 4.0",
    )


def _caption(path: Path) -> str | None:
    """None also where the file is damaged: among hundreds of thousands one must not stop the others."""
    if not path.is_file():
        return None
    try:
        caption = json.loads(read_text(path))
    except (json.JSONDecodeError, ClipError):
        return None
    text = caption.get("SceneDescription") if isinstance(caption, dict) else None
    return " ".join(text.split()) or None if isinstance(text, str) else None
