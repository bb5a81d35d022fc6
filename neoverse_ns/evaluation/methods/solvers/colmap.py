"""COLMAP (Schönberger and Frahm, CVPR 2016) through pycolmap: incremental and global mapping of one database."""

from __future__ import annotations

import importlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.images import images_in
from neoverse_ns.errors import PackageError
from neoverse_ns.evaluation.data.clips.folder import scale_intrinsics
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod, CamerasFound, CameraTask
from neoverse_ns.evaluation.results.memory import PeakMemory
from neoverse_ns.geometry.cameras import PinholeCameras

OLDEST = "3.13"
"""First pycolmap whose mapping takes a seed."""

SETTINGS = (
    "SIFT on the CPU; sequential matching (exhaustive for image folders of at most 24 images); one simple-pinhole "
    "camera for all frames, its focal length refined; frames at source resolution; all cores; every other option at "
    "pycolmap's default; of several models the largest; incremental and global mapping (GLOMAP, after calibration of "
    "the view graph, as nothing is known of the focal length) start from the same features and matches; seconds of "
    "extraction, matching and mapping, without decoding"
)
"""What the table says about these numbers."""

_MATCHED, _DATABASE = "matching.json", "database.db"


class ColmapSolver(CameraMethod):
    """One way of mapping; all of them share features and matches, which the first one to come makes.

    Args:
        name: `colmap` maps incrementally, `glomap` globally.
    """

    repeats = False

    def __init__(self, name: str) -> None:
        self.name = self.solver = name
        self._map: Callable[..., list[Any]] = _MAPPINGS[name]

    def check(self) -> None:
        """Let it pass where pycolmap is installed.

        Raises:
            PackageError: It is not.
        """
        import_pycolmap()

    def settings(self) -> dict[str, Any]:
        focal = "given" if self.focal_given else "refined"
        return {"pycolmap": import_pycolmap().__version__, "mapping": self.name, "focal": focal, "options": SETTINGS}

    def solve(self, task: CameraTask) -> CamerasFound:
        pycolmap = import_pycolmap()
        if self.name == "glomap" and not hasattr(pycolmap, "global_mapping"):
            return CamerasFound(None, {}, failed=f"pycolmap {pycolmap.__version__} has no global mapping")
        shared = matched(pycolmap, task)
        images, work = shared.images, task.work / shared.database.parent.name.replace("matches", self.name)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        # Each has its own copy, as calibration writes into it.
        database = Path(shutil.copy(shared.database, work))
        with PeakMemory() as own:
            started = time.perf_counter()
            models = self._map(pycolmap, database, images, work, task)
            mapping = time.perf_counter() - started
        peaks = [peak for peak in (own.peak_gb, shared.peak_gb) if peak is not None]
        seconds = {"features and matches": shared.seconds, "mapping": mapping}
        report = {"models": len(models), "exhaustive": task.whole}
        if not models:
            reason = f"no model: {_reason(pycolmap, database)}"
            return CamerasFound(None, seconds, max(peaks, default=None), report, reason)
        largest = max(models, key=lambda model: model.num_reg_images())
        names = [image.name for image in images_in(images)]
        cameras = _cameras(largest, names, (task.clip.width, task.clip.height))
        return CamerasFound(cameras, seconds, max(peaks, default=None), report)


class Matched:
    """Features and matches of a scene in its work folder.

    Attributes:
        images: Folder of the frames.
        database: What every mapping copies.
        seconds: That features and matches took.
        peak_gb: Most memory meanwhile; None where the system does not tell.
    """

    def __init__(self, folder: Path) -> None:
        self.images, self.database = folder / "images", folder / _DATABASE
        stored = json.loads((folder / _MATCHED).read_text("utf8"))
        self.seconds: float = stored["seconds"]
        self.peak_gb: float | None = stored["peak_gb"]


def matched(pycolmap: ModuleType, task: CameraTask) -> Matched:
    """Features and matches of a task, made where they are not there yet."""
    folder = task.work / ("matches" if task.known_K is None else "matches-focal")
    if not (folder / _MATCHED).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        images = task.write(folder / "images")
        with PeakMemory() as memory:
            started = time.perf_counter()
            _match(pycolmap, images, folder / _DATABASE, task)
            seconds = time.perf_counter() - started
        (folder / _MATCHED).write_text(json.dumps({"seconds": seconds, "peak_gb": memory.peak_gb}), "utf8")
    return Matched(folder)


def import_pycolmap() -> ModuleType:
    """The optional dependency.

    Raises:
        PackageError: It is not installed, or too old to be seeded.
    """
    install = f"install it with `pip install 'neoverse-ns[geometry]'` or `pip install 'pycolmap>={OLDEST}'`"
    try:
        # By name, as type checkers must pass without it.
        pycolmap = importlib.import_module("pycolmap")
    except ImportError as error:
        raise PackageError(f"pycolmap cannot be imported ({error}): {install}") from error
    if not hasattr(pycolmap.IncrementalPipelineOptions(), "random_seed"):
        raise PackageError(f"pycolmap {pycolmap.__version__} is too old: {install}")
    return pycolmap


def _match(pycolmap: ModuleType, images: Path, database: Path, task: CameraTask) -> None:
    """Features and matches."""
    # COLMAP's own log would drown the table; what matters of it is asked from the results.
    pycolmap.logging.minloglevel = pycolmap.logging.FATAL
    pycolmap.set_random_seed(task.seed)
    reader = pycolmap.ImageReaderOptions(camera_model="SIMPLE_PINHOLE")
    if task.known_K is not None:
        height, width = cv2.imread(str(images_in(images)[0])).shape[:2]  # pyright: ignore
        focal = float(task.known_K[0, 0]) / max(task.clip.width / width, task.clip.height / height)
        reader.camera_params = f"{focal},{width / 2},{height / 2}"
    device = pycolmap.Device.cpu
    pycolmap.extract_features(
        database, images, camera_mode=pycolmap.CameraMode.SINGLE, reader_options=reader, device=device
    )
    match = pycolmap.match_exhaustive if task.whole else pycolmap.match_sequential
    match(database, device=device)


def _map_incrementally(pycolmap: ModuleType, database: Path, images: Path, work: Path, task: CameraTask) -> list[Any]:
    options = pycolmap.IncrementalPipelineOptions(random_seed=task.seed)
    options.ba_refine_focal_length = task.known_K is None
    (work / "models").mkdir()
    return list(pycolmap.incremental_mapping(database, images, work / "models", options=options).values())


def _map_globally(pycolmap: ModuleType, database: Path, images: Path, work: Path, task: CameraTask) -> list[Any]:
    if task.known_K is None and hasattr(pycolmap, "calibrate_view_graph"):
        pycolmap.calibrate_view_graph(database, pycolmap.ViewGraphCalibrationOptions(random_seed=task.seed))
    options = pycolmap.GlobalPipelineOptions(random_seed=task.seed)
    if task.known_K is not None:
        options.mapper.bundle_adjustment.refine_focal_length = False
    (work / "models").mkdir()
    return list(pycolmap.global_mapping(database, images, work / "models", options=options).values())


_MAPPINGS = {"colmap": _map_incrementally, "glomap": _map_globally}
MAPPINGS = tuple(_MAPPINGS)
"""Names of incremental and global mapping."""


def _reason(pycolmap: ModuleType, database: Path) -> str:
    """Why there is no model, from what matching left in the database."""
    with pycolmap.Database.open(database) as opened:
        images, (_, inliers) = opened.num_images(), opened.read_two_view_geometry_num_inliers()
    pairs = sum(count > 0 for count in inliers)
    if pairs == 0:
        return f"no two of {images} frames matched"
    return f"{pairs} pairs of {images} frames matched, but from none could a model be started and grown"


def _cameras(model: Any, names: list[str], size: tuple[int, int]) -> PinholeCameras:
    """The model's cameras in the frames' order and brought to the clip's size; NaN for frames it did not place."""
    c2w = torch.full((len(names), 4, 4), torch.nan, dtype=torch.float64)
    K = torch.eye(3, dtype=torch.float64).repeat(len(names), 1, 1)
    for image in (model.images[i] for i in model.reg_image_ids()):
        place, camera = names.index(image.name), model.cameras[image.camera_id]
        w2c = torch.eye(4, dtype=torch.float64)
        w2c[:3] = torch.from_numpy(image.cam_from_world().matrix())
        c2w[place] = torch.linalg.inv(w2c)
        intrinsics: Float[Tensor, "1 3 3"] = torch.from_numpy(camera.calibration_matrix())[None]
        K[place] = scale_intrinsics(intrinsics, (camera.width, camera.height), size)[0]
    return PinholeCameras(c2w, K, *size)
