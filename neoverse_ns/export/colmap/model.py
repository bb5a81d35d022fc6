"""A scene laid out as COLMAP numbers it, whatever the files' form.

World-to-camera poses, quaternions wxyz, pixel centres at +0.5; images and points are numbered from 1 in their order,
and frames with the same intrinsics share a camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from numpy import ndarray

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.colmap.tracks import Tracks, no_tracks
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_inverse


@dataclass(frozen=True)
class ColmapModel:
    """What the three files hold.

    Attributes:
        size: Width and height of all images.
        intrinsics: fx, fy, cx, cy of every camera.
        camera: Of every image, which of the cameras took it (from 0).
        names: File name of every image.
        poses: Of every image, the quaternion wxyz and the translation from world to camera.
        tracks: The points and where they are seen.
        place: Of every observation, its position in its image's list.
    """

    size: tuple[int, int]
    intrinsics: Float64[ndarray, "c 4"]
    camera: Int64[ndarray, " n"]
    names: tuple[str, ...]
    poses: Float64[ndarray, "n 7"]
    tracks: Tracks
    place: Int64[ndarray, " m"]

    def observations(self, image: int) -> slice:
        """Those of one image, among all."""
        first, last = np.searchsorted(self.tracks.frame.numpy(), [image, image + 1])
        return slice(int(first), int(last))

    def by_point(self) -> tuple[Int64[ndarray, " m"], Int64[ndarray, " starts"]]:
        """Observations ordered by point, and where each point's begin."""
        point = self.tracks.point.numpy()
        return np.argsort(point, kind="stable"), np.concatenate([[0], self.tracks.lengths.numpy().cumsum()])


def colmap_model(cameras: PinholeCameras, names: Sequence[str], tracks: Tracks | None = None) -> ColmapModel:
    """Lay a scene out.

    Args:
        cameras: One per image.
        names: Image file names, in order.
        tracks: Points and where the images see them; None makes a model without points.

    Raises:
        SettingsError: The names are not as many as the cameras.
    """
    if len(names) != len(cameras):
        raise SettingsError(f"'names' has {len(names)} entries for {len(cameras)} cameras")
    tracks = tracks or no_tracks()
    K = cameras.K.to(torch.float64)
    intrinsics = torch.stack([K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]], -1).tolist()
    # Differences beyond nine digits are none.
    keys = [tuple(f"{value:.9g}" for value in values) for values in intrinsics]
    first = {key: place for place, key in reversed(list(enumerate(keys)))}
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    views = se3_inverse(cameras.c2w.to(torch.float64))
    poses = torch.cat([quaternions.from_matrix(views[:, :3, :3]), views[:, :3, 3]], -1)
    starts = torch.searchsorted(tracks.frame, tracks.frame)
    return ColmapModel(
        size=(cameras.width, cameras.height),
        intrinsics=np.array([intrinsics[first[key]] for key in numbers], np.float64),
        camera=np.array([numbers[key] for key in keys], np.int64),
        names=tuple(names),
        poses=poses.numpy(),
        tracks=tracks,
        place=(torch.arange(len(tracks.frame)) - starts).numpy(),
    )
