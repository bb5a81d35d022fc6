"""COLMAP (Schönberger and Frahm, CVPR 2016) on the frames of a benchmark clip, through pycolmap."""

from __future__ import annotations

import importlib
import shutil
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.evaluation.judges.geometry import compare_cameras
from neoverse_ns.evaluation.results.memory import PeakMemory
from neoverse_ns.clip.images import images_in
from neoverse_ns.clip.load import load_clip
from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.data.clip_folder import BenchmarkClip, scale_intrinsics
from neoverse_ns.geometry.cameras import PinholeCameras

EXHAUSTIVE_UP_TO = 24
"""Image folders of at most so many images are matched exhaustively; videos and longer folders along the sequence."""

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

MAPPINGS = ("colmap", "glomap")
"""Names of incremental and global mapping in a row of results."""


def import_pycolmap() -> ModuleType:
    """The optional dependency.

    Raises:
        SettingsError: It is not installed, or too old to be seeded.
    """
    install = f"install it with `pip install 'neoverse-ns[geometry]'` or `pip install 'pycolmap>={OLDEST}'`"
    try:
        # By name, as type checkers must pass without it.
        pycolmap = importlib.import_module("pycolmap")
    except ImportError as error:
        raise SettingsError(f"pycolmap cannot be imported ({error}): {install}") from error
    if not hasattr(pycolmap.IncrementalPipelineOptions(), "random_seed"):
        raise SettingsError(f"pycolmap {pycolmap.__version__} is too old: {install}")
    return pycolmap


def measure_colmap(sample: BenchmarkClip, work: Path, seed: int) -> dict[str, dict[str, Any]]:
    """Solve the sample's frames with COLMAP, incrementally and globally, and compare as our own cameras are compared.

    Args:
        sample: A clip; its frames are taken at the size of the source.
        work: Where frames, features and models are put; emptied before.
        seed: Of everything COLMAP draws. Threads finish in any order, which leaves small differences between runs.

    Returns:
        For each of `MAPPINGS`, as :func:`compare_cameras`, with seconds and peak memory; where no model came out, or a
        mapping is not to be had, "solved" is 0 and "notes" say why.

    Raises:
        SettingsError: pycolmap is not installed.
    """
    pycolmap = import_pycolmap()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    images = write_frames(sample, work / "images")
    exhaustive = sample.source.is_dir() and len(sample.clip) <= EXHAUSTIVE_UP_TO
    with PeakMemory() as memory:
        started = time.perf_counter()
        _match(pycolmap, images, work / "database.db", exhaustive, seed)
        matching = time.perf_counter() - started
    shared = {"matching_seconds": matching, "exhaustive": exhaustive, "frames": len(sample.clip)}
    results = {}
    for name, map_frames in zip(MAPPINGS, (_map_incrementally, _map_globally), strict=True):
        if name == "glomap" and not hasattr(pycolmap, "global_mapping"):
            note = f"pycolmap {pycolmap.__version__} has no global mapping"
            results[name] = shared | {"solved": 0, "notes": [note]}
            continue
        (work / name).mkdir()
        # Each has its own copy, as calibration writes into it.
        database = Path(shutil.copy(work / "database.db", work / name))
        with PeakMemory() as own:
            started = time.perf_counter()
            models = map_frames(pycolmap, database, images, work / name, seed)
            seconds = matching + time.perf_counter() - started
        peak = None if own.peak_gb is None or memory.peak_gb is None else max(own.peak_gb, memory.peak_gb)
        run = shared | {"seconds": seconds, "peak_gb": peak, "models": len(models)}
        results[name] = run | _compared(pycolmap, models, sample, database, images)
    return results


def _compared(
    pycolmap: ModuleType, models: list[Any], sample: BenchmarkClip, database: Path, images: Path
) -> dict[str, Any]:
    if not models:
        return {"solved": 0, "notes": [f"no model: {_reason(pycolmap, database)}"]}
    largest = max(models, key=lambda model: model.num_reg_images())
    names = [image.name for image in images_in(images)]
    return compare_cameras(_cameras(largest, names, (sample.clip.width, sample.clip.height)), sample.cameras)


def write_frames(sample: BenchmarkClip, folder: Path) -> Path:
    """A folder with the sample's frames at source resolution: an image folder's own files, a video's as PNG.

    Frames of a video pass through the loader, so that they are surely the same; it cuts their sides to multiples of 16.
    """
    if sample.source.is_dir():
        # Copies, as COLMAP names images after what links point to.
        return Path(shutil.copytree(sample.source, folder))
    size = sample.clip.source_size
    assert size is not None
    clip = load_clip(sample.source, replace(sample.config, width=size[0]))
    assert torch.equal(clip.frame_indices, sample.clip.frame_indices)
    folder.mkdir()
    for place, frame in enumerate(clip.frames.numpy()):
        cv2.imwrite(str(folder / f"{place:05d}.png"), frame[:, :, ::-1])
    return folder


def _match(pycolmap: ModuleType, images: Path, database: Path, exhaustive: bool, seed: int) -> None:
    """Features and matches."""
    # COLMAP's own log would drown the table; what matters of it is asked from the results.
    pycolmap.logging.minloglevel = pycolmap.logging.FATAL
    pycolmap.set_random_seed(seed)
    reader = pycolmap.ImageReaderOptions(camera_model="SIMPLE_PINHOLE")
    device = pycolmap.Device.cpu
    pycolmap.extract_features(
        database, images, camera_mode=pycolmap.CameraMode.SINGLE, reader_options=reader, device=device
    )
    match = pycolmap.match_exhaustive if exhaustive else pycolmap.match_sequential
    match(database, device=device)


def _map_incrementally(pycolmap: ModuleType, database: Path, images: Path, work: Path, seed: int) -> list[Any]:
    options = pycolmap.IncrementalPipelineOptions(random_seed=seed)
    (work / "models").mkdir()
    return list(pycolmap.incremental_mapping(database, images, work / "models", options=options).values())


def _map_globally(pycolmap: ModuleType, database: Path, images: Path, work: Path, seed: int) -> list[Any]:
    if hasattr(pycolmap, "calibrate_view_graph"):
        pycolmap.calibrate_view_graph(database, pycolmap.ViewGraphCalibrationOptions(random_seed=seed))
    options = pycolmap.GlobalPipelineOptions(random_seed=seed)
    (work / "models").mkdir()
    return list(pycolmap.global_mapping(database, images, work / "models", options=options).values())


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
