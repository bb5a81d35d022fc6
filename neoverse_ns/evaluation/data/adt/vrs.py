"""An ADT sequence as it was recorded: rectified while it is read, by projectaria-tools."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.datafiles.intrinsics import pinhole
from neoverse_ns.datafiles.reading import read_text
from neoverse_ns.errors import UNREADABLE, ClipError, PackageError
from neoverse_ns.evaluation.data.adt.turn import upright, upright_camera
from neoverse_ns.evaluation.data.json_files import fields_of
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.geometry import quaternions

SIDE, FOCAL = 1000, 600.0
"""Of the rectified pictures, in pixels."""

_LABEL = "camera-rgb"
_TO_MIDDLE = {1408: 2.5e6, 2880: 8.13e6}
"""Nanoseconds from the beginning of an exposure to its middle, by the sensor's height."""


class AdtRecording(BenchmarkScene):
    """One sequence. Frames that the trajectory does not reach are left out.

    Args:
        place: Its folder.
        recording: Name of the VRS file in it.
        trajectory: Name of the file of poses in it.

    Raises:
        PackageError: projectaria-tools is not installed; says what can be done without it.
        ClipError: A file is missing or damaged.
    """

    unit = 1.0

    def __init__(self, place: Path, recording: str, trajectory: str) -> None:
        self.name, self.folder = place.name, place
        path = place / recording
        self._tools = _tools(path)
        poses = Trajectory(place / trajectory)
        try:
            self._provider = self._tools.data_provider.create_vrs_data_provider(str(path))
            self._stream = self._provider.get_stream_id_from_label(_LABEL)
            stamps = self._provider.get_timestamps_ns(self._stream, self._tools.sensor_data.TimeDomain.DEVICE_TIME)
            self._camera = self._provider.get_device_calibration().get_camera_calib(_LABEL)
            height = int(self._camera.get_image_size()[1])
            device = torch.from_numpy(np.array(self._camera.get_transform_device_camera().to_matrix(), np.float64))
        except UNREADABLE as error:
            raise ClipError(f"{path}: cannot be read as a recording of {_LABEL} ({error})") from error
        if height not in _TO_MIDDLE:
            raise ClipError(f"{path}: pictures of a height of {height} are none of the glasses' ({list(_TO_MIDDLE)})")
        K = pinhole(FOCAL, FOCAL, SIDE / 2, SIDE / 2)
        frames = []
        for number, stamp in enumerate(stamps):
            pose = poses.at(stamp + _TO_MIDDLE[height])
            if pose is None:
                continue
            c2w, turned = upright_camera(pose @ device, K, SIDE)
            seconds = (stamp - stamps[0]) * 1e-9
            name = f"{recording}/{number:06d}"
            frames.append(BenchmarkFrame(name, "0", number, seconds, SIDE, SIDE, K=turned, c2w=c2w))
        if not frames:
            raise ClipError(f"{place / trajectory}: reaches none of the {len(stamps)} pictures of {recording}")
        self.frames = tuple(frames)

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        wanted = what or ("rgb",)
        calibration = self._tools.calibration
        straight = calibration.get_linear_camera_calibration(SIDE, SIDE, FOCAL, _LABEL)
        rgb, masks = None, {}
        if "rgb" in wanted:
            try:
                data, _ = self._provider.get_image_data_by_index(self._stream, frame.time)
                picture = data.to_numpy_array()
            except UNREADABLE as error:
                raise ClipError(f"{self.folder / frame.name}: cannot be decoded ({error})") from error
            rgb = torch.from_numpy(upright(calibration.distort_by_calibration(picture, straight, self._camera)))
        if "valid" in wanted:
            width, height = (int(side) for side in self._camera.get_image_size())
            white = np.full((height, width), 255, np.uint8)
            seen = calibration.distort_by_calibration(white, straight, self._camera)
            # Its weights do not quite sum to 1: half of a white picture comes back as 254.
            masks["valid"] = torch.from_numpy(upright(seen > 127))
        return BenchmarkPixels(rgb=rgb, masks=masks)


class Trajectory:
    """Poses of the glasses over time.

    Raises:
        ClipError: The file is missing or is no trajectory.
    """

    def __init__(self, path: Path) -> None:
        rows = list(csv.DictReader(read_text(path).splitlines()))
        with fields_of(path, "a trajectory of Aria"):
            names = [f"t{axis}_world_device" for axis in "xyz"], [f"q{axis}_world_device" for axis in "wxyz"]
            places, turns = ([[float(row[name]) for name in group] for row in rows] for group in names)
            stamps = [1000 * int(row["tracking_timestamp_us"]) for row in rows]
            if not stamps or sorted(set(stamps)) != stamps:
                raise ValueError("its times do not rise")
        self._stamps = np.array(stamps)
        self._places = torch.tensor(places, dtype=torch.float64)
        self._turns = torch.tensor(turns, dtype=torch.float64)

    def at(self, nanoseconds: float) -> Float64[Tensor, "4 4"] | None:
        """Device to world between the two nearest poses; None before the first and after the last."""
        after = int(np.searchsorted(self._stamps, nanoseconds))
        if after == len(self._stamps) or (after == 0 and nanoseconds < self._stamps[0]):
            return None
        before = max(after - 1, 0)
        gap = max(float(self._stamps[after] - self._stamps[before]), 1.0)
        share = float(nanoseconds - self._stamps[before]) / gap
        pose = torch.eye(4, dtype=torch.float64)
        turn = quaternions.slerp(self._turns[before], self._turns[after], share)
        pose[:3, :3] = quaternions.to_matrix(turn)
        pose[:3, 3] = torch.lerp(self._places[before], self._places[after], share)
        return pose


@dataclass(frozen=True)
class _Tools:
    """The modules of projectaria-tools that are used."""

    calibration: Any
    data_provider: Any
    sensor_data: Any


def _tools(path: Path) -> _Tools:
    try:
        return _Tools(*(import_module(f"projectaria_tools.core.{field.name}") for field in fields(_Tools)))
    except ImportError as error:
        raise PackageError(
            f"{path} is a raw recording, which needs projectaria-tools ({error}): pip install projectaria-tools, or "
            "give the folder synthetic_video/camera-rgb-rectified-600-h1000 that the tools of Egocentric Splats write"
        ) from error
