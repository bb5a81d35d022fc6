"""Tracks as arrays: all that is known, and as TAPVid-3D's files have it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from neoverse_ns.applications.track.tracks import Tracks
from neoverse_ns.console import warn

VERSION = 1
JPEG_QUALITY = 95
ZOOM = 1e-3
"""Relative change of the focal length from which one camera matrix for all frames is wrong."""

ABOUT = """Points followed through a clip. Axes: x right, y down, z forward (OpenCV); the first camera is the origin.
The unit is the scene's. Pixels are those of pictures of width x height, their centres at +0.5.
Point p was given at queries_xyt[p]: column, row, frame. In frame n it is at tracks_uv[n, p] in the picture and at
tracks_world[n, p] in the world, and visible[n, p] says whether the picture shows it; where not, places are estimates.
moving[p]: on a thing that moves on its own. camera_to_world and intrinsics belong to frames, seconds are the source's.
"""


def arrays(tracks: Tracks) -> dict[str, NDArray]:
    """All that is known of tracks, by name; `about` says what is what."""
    cameras = tracks.cameras
    return {
        "queries_xyt": queries_xyt(tracks),
        "tracks_uv": tracks.uv.numpy().astype(np.float32),
        "tracks_world": tracks.world.numpy().astype(np.float32),
        "visible": tracks.visible.numpy(),
        "moving": tracks.moving.numpy(),
        "camera_to_world": cameras.c2w.numpy().astype(np.float32),
        "intrinsics": cameras.K.numpy().astype(np.float32),
        "seconds": tracks.seconds.numpy(),
        "width": np.array(cameras.width, np.int32),
        "height": np.array(cameras.height, np.int32),
        "version": np.array(VERSION, np.int32),
        "about": np.array(ABOUT),
    }


def tapvid_arrays(tracks: Tracks, frames: UInt8[Tensor, "n h w 3"]) -> dict[str, NDArray]:
    """The same as the benchmark TAPVid-3D stores a video: `tracks_XYZ` [n, p, 3] in each frame's camera, `visibility`
    [n, p], `queries_xyt` [p, 3], `fx_fy_cx_cy` [4], `extrinsics_w2c` [n, 4, 4], `images_jpeg_bytes` [n].

    The benchmark's unit is the metre; a scene's is not, which is why scores are taken after one scale per video.
    """
    K = tracks.cameras.K.double()
    four = np.array([float(K[:, row, column].median()) for row, column in ((0, 0), (1, 1), (0, 2), (1, 2))])
    if float((K[:, 0, 0] / four[0] - 1).abs().max()) > ZOOM:
        warn("the clip zooms, which TAPVid-3D's files cannot say: their camera matrix is the median one")
    pictures = []
    for frame in frames.numpy():
        _, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        pictures.append(data.tobytes())
    return {
        "tracks_XYZ": tracks.in_cameras.numpy().astype(np.float32),
        "visibility": tracks.visible.numpy(),
        "queries_xyt": queries_xyt(tracks),
        "fx_fy_cx_cy": four.astype(np.float32),
        "extrinsics_w2c": tracks.cameras.viewmats.numpy().astype(np.float32),
        "images_jpeg_bytes": np.array(pictures),
    }


def queries_xyt(tracks: Tracks) -> NDArray[np.float32]:
    """Column, row and frame of every point [p, 3]."""
    queries = tracks.queries
    return np.concatenate([queries.xy.numpy(), queries.frame.numpy()[:, None]], 1).astype(np.float32)


def write_arrays(path: Path, values: dict[str, NDArray]) -> None:
    """Write an .npz.

    Raises:
        OSError: It cannot be written.
    """
    np.savez_compressed(path, **values)  # pyright: ignore[reportArgumentType]
