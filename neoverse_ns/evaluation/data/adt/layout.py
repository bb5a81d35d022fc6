"""Aria Digital Twin: the synthetic video of a walk in glasses, rectified to a pinhole."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from neoverse_ns.datafiles.finding import clip_name, folders_where, no_folder, nothing_found
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.adt.scene import AdtScene, read_frames
from neoverse_ns.evaluation.data.adt.vrs import AdtRecording
from neoverse_ns.evaluation.data.missing import lacking
from neoverse_ns.evaluation.data.scene import BenchmarkData, BenchmarkScene

FOUR = (
    "Apartment_release_multiskeleton_party_seq114_M1292",
    "Apartment_release_multiuser_cook_seq141_M1292",
    "Apartment_release_meal_skeleton_seq135_M1292",
    "Apartment_release_work_skeleton_seq137_M1292",
)
"""Sequences that tables use."""

_RECTIFIED = "camera-rgb-rectified-600-h1000"
_PLACES = (f"synthetic_video/{_RECTIFIED}", _RECTIFIED)
_RECORDING = "synthetic_video.vrs"
_TRAJECTORY = "aria_trajectory.csv"


class AriaDigitalTwin(BenchmarkData):
    """Pictures of 1000x1000 at a focal length of 600, upright, in metres.

    Read from the folder that the tools of Egocentric Splats and 4DGT write; where there is none, from the recording
    itself, if projectaria-tools is installed.
    """

    name: ClassVar[str] = "adt"
    title: ClassVar[str] = "Aria Digital Twin"
    origin: ClassVar[str] = (
        "projectaria.com/datasets/adt: sign for the list of links, then aria_dataset_downloader; rectify with "
        "scripts/extract_aria_vrs.py of github.com/facebookresearch/egocentric_splats"
    )
    licence: ClassVar[str] = "ADT's own licence, to be accepted on its page; not to be passed on"
    published_scenes: ClassVar[tuple[str, ...]] = FOUR

    def find(self, folder: Path) -> list[str]:
        scenes = folders_where(folder, _is_sequence, deepest=1) if folder.is_dir() else []
        if not scenes:
            raise nothing_found(folder, self.name, f"{_PLACES[0]}/transforms.json, or {_RECORDING}")
        return [clip_name(folder, scene) for scene in scenes]

    def open(self, folder: Path, scene: str) -> BenchmarkScene:
        place = folder / scene
        rectified = _rectified(place)
        if rectified is not None:
            return AdtScene(place, rectified)
        if not place.is_dir():
            raise no_folder(place)
        if not (place / _RECORDING).is_file():
            raise ClipError(f"{place}: has neither {_PLACES[0]}/transforms.json nor {_RECORDING}")
        return AdtRecording(place, _RECORDING, _TRAJECTORY)

    def missing(self, folder: Path, scene: str) -> list[str]:
        place = folder / scene
        rectified = _rectified(place)
        if rectified is None:
            return lacking(place, "trajectories", [_TRAJECTORY])
        where = rectified.relative_to(place).as_posix()
        found = lacking(place, "pictures", (f"{where}/{frame.image}" for frame in read_frames(rectified)))
        return found + [
            f"{place.name}: has no {where}/{name}, {without}"
            for name, without in (
                ("vignette.png", "and its pictures are taken to be of even brightness"),
                ("mask.png", "and all of its pixels count"),
            )
            if not (rectified / name).is_file()
        ]


def _is_sequence(place: Path) -> bool:
    return _rectified(place) is not None or (place / _RECORDING).is_file()


def _rectified(place: Path) -> Path | None:
    found = (place / where for where in _PLACES if (place / where / "transforms.json").is_file())
    return next(found, None)
