"""Write what training needs of Waymo's records, in the layout of `neoverse_ns/training/data/sets/waymo.py`.

    pip install waymo-open-dataset-tf-2-12-0 tyro opencv-python-headless  # in an environment of its own
    python scripts/convert_waymo.py --records training/ --output waymo/

Waymo's package is needed here alone, and neoverse_ns is not. A segment of 20 s takes about 400 MB. Segments that are
there already are left out, so that a conversion that was stopped goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tyro

CAMERAS = {1: "front", 2: "front_left", 3: "front_right", 4: "side_left", 5: "side_right"}
"""Names of cameras by Waymo's numbers."""

FROM_WAYMO = np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]])
"""Right, down and forward of a camera whose axes are forward, left and up."""

Sweep = tuple[Any, np.ndarray, np.ndarray, np.ndarray]
"""A frame, the lidar's points in the vehicle's axes [P,3], the cameras that see them [P,2], and which of the points lie
outside of zones without labels [P]."""


@dataclass
class Camera:
    """What is gathered of one camera over a segment."""

    K: np.ndarray
    distortion: np.ndarray
    extrinsic: np.ndarray
    vehicle: list[np.ndarray] = field(default_factory=list)


def matrix(transform: Any) -> np.ndarray:
    """Of a message that holds one row by row."""
    return np.array(transform.transform, dtype=np.float64).reshape(4, 4)


def camera_of(calibration: Any) -> Camera:
    """Lens and mounting of a camera: focal lengths, principal point, then distortion in OpenCV's order."""
    fx, fy, cx, cy, *distortion = (float(value) for value in calibration.intrinsic)
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    return Camera(K, np.array(distortion), matrix(calibration.extrinsic))


def camera_points(
    points: np.ndarray, sweep: np.ndarray, vehicle: np.ndarray, camera: Camera, width: int, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels (x, y) and z-depths of points in an undistorted picture, and which of the points these are.

    Args:
        points: In the vehicle's axes at the sweep.
        sweep: Vehicle to world at the sweep.
        vehicle: Vehicle to world when the picture was taken.
        camera: Its lens and mounting.
        width: Of the picture.
        height: Of the picture.
    """
    change = np.linalg.inv(vehicle @ camera.extrinsic) @ sweep
    seen = (points.astype(np.float64) @ change[:3, :3].T + change[:3, 3]) @ FROM_WAYMO.T
    before = (seen[:, 2] > 0).nonzero()[0]
    pixels = seen[before] @ camera.K.T
    pixels = np.floor(pixels[:, :2] / pixels[:, 2:])
    inside = ((pixels >= 0) & (pixels < (width, height))).all(axis=1)
    which = before[inside]
    return pixels[inside].astype(np.uint16), seen[which, 2].astype(np.float32), which


def boxes_of(frames: list[list[Any]]) -> dict[str, np.ndarray]:
    """Boxes of every frame by the thing they are of, NaN where it has none."""
    names = sorted({label.id for labels in frames for label in labels})
    place = {name: number for number, name in enumerate(names)}
    centre = np.full((len(frames), len(names), 3), np.nan)
    size, heading = centre.copy(), centre[..., 0].copy()
    for frame, labels in enumerate(frames):
        for label in labels:
            box, number = label.box, place[label.id]
            centre[frame, number] = box.center_x, box.center_y, box.center_z
            size[frame, number] = box.length, box.width, box.height
            heading[frame, number] = box.heading
    return {"names": np.array(names, dtype=str), "centre": centre, "size": size, "heading": heading}


def convert_segment(sweeps: Iterable[Sweep], folder: Path) -> int:
    """Write a segment and return its number of frames; the folder appears when it is whole."""
    part = folder.with_name(folder.name + ".part")
    cameras: dict[str, Camera] = {}
    poses, labels = [], []
    for index, (frame, points, seen_by, labelled) in enumerate(sweeps):
        pose = matrix(frame.pose)
        poses.append(pose)
        labels.append(list(frame.laser_labels))
        calibrations = {calibration.name: calibration for calibration in frame.context.camera_calibrations}
        for image in frame.images:
            name = CAMERAS[image.name]
            camera = cameras.setdefault(name, camera_of(calibrations[image.name]))
            camera.vehicle.append(matrix(image.pose))
            picture = cv2.imdecode(np.frombuffer(image.image, np.uint8), cv2.IMREAD_COLOR)
            height, width = picture.shape[:2]
            (part / name / "rgb").mkdir(parents=True, exist_ok=True)
            (part / name / "lidar").mkdir(exist_ok=True)
            picture = cv2.undistort(picture, camera.K, camera.distortion)
            cv2.imwrite(str(part / name / "rgb" / f"{index:06d}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
            own = (seen_by == image.name).any(axis=1)
            pixel, depth, which = camera_points(points[own], pose, camera.vehicle[-1], camera, width, height)
            file = part / name / "lidar" / f"{index:06d}.npz"
            np.savez_compressed(file, pixel=pixel, depth=depth, labelled=labelled[own][which])
    for name, camera in cameras.items():
        np.savez(part / name / "camera.npz", K=camera.K, extrinsic=camera.extrinsic, vehicle=np.stack(camera.vehicle))
    # Arrays of any name: the type of savez's other keywords does not concern them.
    boxes: dict[str, Any] = {"vehicle": np.stack(poses), **boxes_of(labels)}
    np.savez(part / "boxes.npz", **boxes)
    part.rename(folder)
    return len(poses)


def read_record(path: Path) -> Iterator[Sweep]:
    """The frames of a segment, by Waymo's package."""
    import tensorflow as tf  # pyright: ignore
    from waymo_open_dataset import dataset_pb2  # pyright: ignore
    from waymo_open_dataset.utils import frame_utils  # pyright: ignore

    for data in tf.data.TFRecordDataset(str(path), compression_type=""):
        frame = dataset_pb2.Frame()
        frame.ParseFromString(bytearray(data.numpy()))
        images, projections, _, top_pose = frame_utils.parse_range_image_and_camera_projection(frame)
        points, seen = frame_utils.convert_range_image_to_point_cloud(frame, images, projections, top_pose)
        # Each point's first and second camera, with its pixel there, which the undistorted picture moves.
        yield frame, np.concatenate(points), np.concatenate(seen)[:, [0, 3]], outside_of_zones(frame, images)


def outside_of_zones(frame: Any, images: Any) -> np.ndarray:
    """Whether points of the first return are outside of all zones without labels, in the order of the package's points.

    The last of a range image's four channels is 1 inside of such a zone; the first is a range where there is a point.
    """
    found = []
    for laser in sorted(calibration.name for calibration in frame.context.laser_calibrations):
        image = np.array(images[laser][0].data).reshape(tuple(images[laser][0].shape.dims))
        found.append(image[image[..., 0] > 0, 3] != 1)
    return np.concatenate(found)


def main(records: Path, output: Path) -> int:
    """Convert segments.

    Args:
        records: A .tfrecord file, or a folder of them.
        output: Gets a folder for each.
    """
    paths = [records] if records.is_file() else sorted(records.rglob("*.tfrecord"))
    if not records.exists():
        print(f"no file or folder at {records}", file=sys.stderr)
        return 1
    if not paths:
        print(f"{records} holds no .tfrecord files", file=sys.stderr)
        return 1
    output.mkdir(parents=True, exist_ok=True)
    for path in paths:
        folder = output / path.stem
        if folder.is_dir():
            continue
        try:
            frames = convert_segment(read_record(path), folder)
        except ImportError as error:
            print(f"{error}: pip install waymo-open-dataset-tf-2-12-0", file=sys.stderr)
            return 1
        print(f"{folder}: {frames} frames")
    return 0


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
