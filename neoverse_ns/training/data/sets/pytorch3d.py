"""Frame annotations of PyTorch3D's data sets: one compressed JSON list of the frames of all sequences.

A camera has X_camera = X_world R + T in axes x left, y up, z forward, and its focal length and principal point in
normalised device coordinates, whose unit is half the shorter side of the picture ("ndc_isotropic") or half of each
side ("ndc_norm_image_bounds") and whose origin is the picture's middle.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import UNREADABLE, ClipError
from neoverse_ns.geometry.se3 import assemble

_CHUNK = 1 << 20
"""Characters that are read at once: the list of a large set takes gigabytes as Python objects."""


@dataclass(frozen=True)
class SequenceNotes:
    """What is noted of one sequence, in the order of its frames.

    Attributes:
        numbers: Of the frames.
        images: Paths of pictures, empty where they are not noted; as are those of depth and tracks.
        depths: Paths of depth.
        tracks: Paths of tracks.
        size: Width and height of the pictures; zeros where it is not noted.
        R: To the camera, for row vectors.
        T: To the camera.
        focal: Across and down, in units of `isotropic`.
        principal: To the left of and above the middle, in those units.
        isotropic: The unit is half the shorter side, not half of each.
    """

    numbers: tuple[int, ...]
    images: tuple[str, ...]
    depths: tuple[str, ...]
    tracks: tuple[str, ...]
    size: tuple[int, int]
    R: Float64[np.ndarray, "t 3 3"]
    T: Float64[np.ndarray, "t 3"]
    focal: Float64[np.ndarray, "t 2"]
    principal: Float64[np.ndarray, "t 2"]
    isotropic: bool

    def __len__(self) -> int:
        return len(self.numbers)

    def cameras(
        self, size: tuple[int, int]
    ) -> tuple[
        Float64[Tensor, "t 3 3"],  # intrinsics in pixels, pixel centres at +0.5
        Float64[Tensor, "t 4 4"],  # camera to world, OpenCV axes
    ]:
        """All cameras, of pictures of that width and height."""
        half = torch.tensor(size, dtype=torch.float64) / 2
        unit = half.min() if self.isotropic else half
        K = torch.eye(3, dtype=torch.float64).repeat(len(self), 1, 1)
        K[:, [0, 1], [0, 1]] = torch.from_numpy(self.focal) * unit
        K[:, :2, 2] = half - torch.from_numpy(self.principal) * unit
        R = torch.from_numpy(self.R)
        centre = -(R @ torch.from_numpy(self.T)[:, :, None])[..., 0]
        return K, assemble(R * R.new_tensor([-1.0, -1.0, 1.0]), centre)


def notes_of_sequences(path: Path, eye: str) -> dict[str, SequenceNotes]:
    """All sequences of a file of annotations, by name; the last two files stay in memory.

    Args:
        path: A .jgz file.
        eye: Camera whose frames are wanted.

    Raises:
        ClipError: The file is missing, damaged, or holds something else.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise ClipError(f"{path}: is missing") from error
    return _read(path, eye, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=2)
def _read(path: Path, eye: str, _changed: int, _size: int) -> dict[str, SequenceNotes]:
    frames: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    try:
        for note in _notes(path):
            # Where the camera has no name, its sequence ends in it.
            if (note.get("camera_name") or note["sequence_name"].rpartition("_")[2]) == eye:
                frames[note["sequence_name"]].append(_frame(note))
        return {name: _sequence(sorted(found, key=lambda frame: frame[0])) for name, found in frames.items()}
    except ClipError:
        raise
    except (*UNREADABLE, zlib.error) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ClipError(f"{path}: is damaged or holds no frame annotations ({reason})") from error


def _notes(path: Path) -> Iterator[dict[str, Any]]:
    """The list's objects, one after the other."""
    decoder = json.JSONDecoder()
    with gzip.open(path, "rt", encoding="utf8") as file:
        text, place = file.read(_CHUNK).lstrip(), 1
        if not text.startswith("["):
            raise ClipError(f"{path}: holds no list of frame annotations")
        while True:
            while place < len(text) and text[place] in " \t\r\n,":
                place += 1
            if text[place : place + 1] == "]":
                return
            try:
                note, place = decoder.raw_decode(text, place)
            except json.JSONDecodeError:
                more = file.read(_CHUNK)
                if not more:
                    raise
                text, place = text[place:] + more, 0
                continue
            yield note


def _frame(note: dict[str, Any]) -> tuple[Any, ...]:
    camera = note["viewpoint"]
    kind = str(camera.get("intrinsics_format") or "ndc_isotropic").lower()
    if kind not in ("ndc_isotropic", "ndc_norm_image_bounds"):
        raise ValueError(f"intrinsics in '{kind}' are not known")
    numbers = (
        np.asarray(camera[name], dtype=np.float64).reshape(shape)
        for name, shape in (("R", (3, 3)), ("T", (3,)), ("focal_length", (2,)), ("principal_point", (2,)))
    )
    paths = (_path(note.get(name)) for name in ("image", "depth", "trajectories"))
    height, width = (note.get("image") or {}).get("size") or (0, 0)
    return int(note["frame_number"]), *paths, (int(width), int(height)), *numbers, kind == "ndc_isotropic"


def _path(entry: Any) -> str:
    return str(entry.get("path") or "") if isinstance(entry, dict) else str(entry or "")


def _sequence(frames: list[tuple[Any, ...]]) -> SequenceNotes:
    numbers, images, depths, tracks, sizes, R, T, focal, principal, isotropic = zip(*frames, strict=True)
    if len(set(numbers)) != len(numbers) or len(set(sizes)) != 1 or len(set(isotropic)) != 1:
        raise ValueError("a sequence has frames twice, or of several sizes or conventions")
    return SequenceNotes(
        numbers,
        images,
        depths,
        tracks,
        sizes[0],
        np.stack(R),
        np.stack(T),
        np.stack(focal),
        np.stack(principal),
        isotropic[0],
    )
