"""What motion our own clip layout has on disk: poses of things, tracks, or motion from frame to frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neoverse_ns.datafiles.reading import read_deep_png
from neoverse_ns.errors import UNREADABLE, ClipError
from neoverse_ns.training.data.motion.flow_chain import chain_links
from neoverse_ns.training.data.motion.flow_link import FlowLink, link_from_flow, link_from_world
from neoverse_ns.training.data.motion.rigid import rigid_displacement
from neoverse_ns.training.data.motion.tracks import track_displacement
from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.sets.npz import npz_entries, npz_rows
from neoverse_ns.training.data.truth import Displacement

OBJECTS, INSTANCES, TRACKS, FLOW = "objects.npz", "instances", "tracks.npz", "flow"
Views = Callable[[int], View]
"""Depth and camera of a frame."""


class OwnMotion(ABC):
    """One of the ways; frames are different ones that are there."""

    @abstractmethod
    def between(self, index: int, other: int, view: Views) -> Displacement:
        """Of what frame `index` shows, until frame `other`."""


def own_motion(folder: Path, frames: int) -> OwnMotion | None:
    """What a clip's folder has, None where it has nothing.

    Raises:
        ClipError: It is damaged, or for another number of frames.
    """
    if (folder / OBJECTS).is_file():
        return Things(folder, frames)
    if (folder / TRACKS).is_file():
        return Tracks(folder, frames)
    return Flow(folder) if (folder / FLOW).is_dir() else None


class Things(OwnMotion):
    """Rigid things.

    `objects.npz` has `poses` [frames, things, 4, 4], thing to world; `instances/%06d.png` 16-bit numbers: 0 for what
    stands still, n for row n - 1. Rows that are not finite are unknown.
    """

    def __init__(self, folder: Path, frames: int) -> None:
        self._folder = folder
        entry = npz_entries(folder / OBJECTS).get("poses")
        if entry is None or len(entry.shape) != 4 or (entry.shape[0], *entry.shape[2:]) != (frames, 4, 4):
            shape = None if entry is None else entry.shape
            raise ClipError(f"{folder / OBJECTS}: 'poses' must be [{frames}, things, 4, 4], got {shape}")

    def between(self, index: int, other: int, view: Views) -> Displacement:
        own = view(index)
        poses, other_poses = map(_tensor, npz_rows(self._folder / OBJECTS, "poses", [index, other]))
        path = self._folder / INSTANCES / f"{index:06d}.png"
        numbers = torch.from_numpy(read_deep_png(path).astype(np.int32))
        _fits(path, numbers, own)
        return rigid_displacement(own, numbers, poses, other_poses)


class Tracks(OwnMotion):
    """Tracked points.

    `tracks.npz`, uncompressed, has `places` [frames, points, 3] in the world, not finite where unknown, and `visible`
    [frames, points].
    """

    def __init__(self, folder: Path, frames: int) -> None:
        self._path = folder / TRACKS
        entries = npz_entries(self._path)
        shapes = [entries[name].shape if name in entries else None for name in ("places", "visible")]
        places = shapes[0]
        if places is None or len(places) != 3 or places[0] != frames or places[2] != 3 or shapes[1] != places[:2]:
            raise ClipError(
                f"{self._path}: 'places' must be [{frames}, n, 3] and 'visible' [{frames}, n], got {shapes}"
            )

    def between(self, index: int, other: int, view: Views) -> Displacement:
        places, other_places = map(_tensor, npz_rows(self._path, "places", [index, other]))
        visible = torch.from_numpy(npz_rows(self._path, "visible", [index])[0].astype(bool))
        return track_displacement(view(index), places, other_places, visible)


class Flow(OwnMotion):
    """Motion from each frame to its neighbours.

    `flow/%06d.npz` has that to the next frame (`forward...`) and to the one before (`backward...`). `forward`
    [h, w, 3] is scene flow in the world's axes, without the camera's motion: floating-point numbers in its unit, or
    whole ones times the number `forward_step`. Instead, `forward_flow` [h, w, 2] may be optical flow in pixels, to the
    right and down, from which motion is found by depth at both times and the backward flow of the other frame;
    `forward_depth` [h, w] beside it is z-depth in the other frame of what each pixel shows. `forward_valid` [h, w] says
    where any of them is known; without it that is everywhere that they are finite.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FLOW

    def between(self, index: int, other: int, view: Views) -> Displacement:
        return chain_links(index, other, lambda a, b: self._link(a, b, view))

    def _link(self, index: int, other: int, view: Views) -> FlowLink:
        towards, back = ("forward", "backward") if other > index else ("backward", "forward")
        own, there = view(index), view(other)
        path = self._folder / f"{index:06d}.npz"
        with _opened(path) as file:
            valid = _mask(file, f"{towards}_valid")
            if towards in file:
                world = _tensor(file[towards]) * float(file.get(f"{towards}_step", 1.0))
                _fits(path, world, own)
                return link_from_world(own, there, world, valid)
            if f"{towards}_flow" not in file:
                raise ClipError(f"{path}: holds neither '{towards}' nor '{towards}_flow'")
            flow = _tensor(file[f"{towards}_flow"])
            depth = _tensor(file[f"{towards}_depth"]) if f"{towards}_depth" in file else None
        _fits(path, flow, own)
        with _opened(self._folder / f"{other:06d}.npz") as file:
            backward = _tensor(file[f"{back}_flow"]) if f"{back}_flow" in file else None
        return link_from_flow(own, there, flow, valid, backward, depth)


class _opened:
    """An archive whose faults name it, also those that show when an array is read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Any:
        if not self._path.is_file():
            raise ClipError(f"{self._path}: is missing")
        try:
            self._file = np.load(self._path, allow_pickle=False)
        except UNREADABLE as error:
            raise ClipError(f"{self._path}: cannot be read ({error})") from error
        return self._file

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._file.close()
        if isinstance(error, UNREADABLE) and not isinstance(error, ClipError):
            raise ClipError(f"{self._path}: cannot be read ({error})") from error


def _mask(file: Any, name: str) -> Tensor | None:
    return torch.from_numpy(file[name].astype(bool)) if name in file else None


def _tensor(array: Any) -> Tensor:
    return torch.from_numpy(np.asarray(array, dtype=np.float64))


def _fits(path: Path, values: Tensor, view: View) -> None:
    if tuple(values.shape[:2]) != view.size:
        (height, width), (deep_height, deep_width) = values.shape[:2], view.size
        raise ClipError(f"{path}: is {width}x{height}, depth {deep_width}x{deep_height} pixels")
