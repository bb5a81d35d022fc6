"""VBench's six dimensions of a video by itself: measures of those that can be measured here, reasons for the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from neoverse_ns.errors import WeightsError
from neoverse_ns.metrics.vbench import files
from neoverse_ns.metrics.vbench.aesthetic import AestheticQuality
from neoverse_ns.metrics.vbench.clip_tower import VIT_B_32, VIT_L_14, load_clip_tower
from neoverse_ns.metrics.vbench.consistency import Consistency
from neoverse_ns.metrics.vbench.dino_tower import load_dino_tower
from neoverse_ns.metrics.vbench.flickering import TemporalFlickering
from neoverse_ns.metrics.vbench.measure import NotMeasuredError, VideoMeasure
from neoverse_ns.weights.read import read_weights

Make = Callable[[Path | None], VideoMeasure]
"""Makes a measure for one video, with weights from a folder, or from wherever they are where that is None.

Raises:
    NotMeasuredError: What it needs is not there.
    WeightsError, PackageError: It is there, but cannot be used.
"""


@dataclass(frozen=True)
class Dimension:
    """One of VBench's.

    Attributes:
        id: As in protocols.
        title: For tables.
        make: See `Make`.
        pooled: Whether its total is over the frames of all videos together, rather than over videos.
        wants: Files that it reads.
        not_built: Why it cannot be measured here whatever is there; None where it can.
    """

    id: str
    title: str
    make: Make
    pooled: bool = False
    wants: tuple[files.WeightsWanted, ...] = ()
    not_built: str | None = None

    def why_not(self, folder: Path | None = None) -> str | None:
        """Why it is not measured with what is on this machine; None where it is. Opens no file."""
        try:
            for wanted in self.wants:
                wanted.require(self.id, folder)
        except NotMeasuredError as error:
            return str(error)
        return self.not_built


# Loaded once for all videos of a run.
_clip = lru_cache(maxsize=2)(load_clip_tower)
_dino = lru_cache(maxsize=1)(load_dino_tower)


def _subject(folder: Path | None) -> VideoMeasure:
    path = files.DINO.require("subject-consistency", folder)
    return Consistency("subject-consistency", _dino(path).embed)


def _background(folder: Path | None) -> VideoMeasure:
    path = files.CLIP_B_32.require("background-consistency", folder)
    return Consistency("background-consistency", _clip(path, VIT_B_32).embed)


def _aesthetic(folder: Path | None) -> VideoMeasure:
    tower = files.CLIP_L_14.require("aesthetic-quality", folder)
    head = read_weights(files.AESTHETIC_HEAD.require("aesthetic-quality", folder))
    shapes = head.shapes
    if shapes != {"weight": (1, VIT_L_14.embedding), "bias": (1,)}:
        raise WeightsError(f"{head.path} is no linear head for ViT-L/14: give {files.AESTHETIC_HEAD.names[0]}")
    weight, bias = head.tensors["weight"][0].float(), float(head.tensors["bias"][0])
    return AestheticQuality(_clip(tower, VIT_L_14).embed, weight, bias)


def _flickering(folder: Path | None) -> VideoMeasure:
    return TemporalFlickering()


def _not_built(folder: Path | None) -> VideoMeasure:
    raise NotMeasuredError("this dimension is not built here")


_NO_AMT = (
    "motion-smoothness is not measured: the network AMT-S (amt-s.pth, 12 MB), which makes the frames between, is "
    "not built here; run the package vbench in an environment of its own (smoothness-flow is our own figure)"
)
_NO_MUSIQ = (
    "imaging-quality is not measured: the network MUSIQ (musiq_spaq_ckpt-358bb6af.pth, about 100 MB) is not built "
    "here; run the package vbench in an environment of its own"
)


def measure_of(dimension: Dimension, folder: Path | None = None) -> VideoMeasure:
    """A new measure for one video, with weights from a folder, or from wherever they are where that is None.

    Raises:
        NotMeasuredError: What it needs is not there, or not built here; says what to fetch.
        WeightsError, PackageError: It is there, but cannot be used.
    """
    reason = dimension.why_not(folder)
    if reason is not None:
        raise NotMeasuredError(reason)
    return dimension.make(folder)


DIMENSIONS: dict[str, Dimension] = {
    dimension.id: dimension
    for dimension in (
        Dimension("subject-consistency", "subject", _subject, True, (files.DINO,)),
        Dimension("background-consistency", "background", _background, True, (files.CLIP_B_32,)),
        Dimension("temporal-flickering", "flickering", _flickering),
        Dimension("motion-smoothness", "smoothness", _not_built, not_built=_NO_AMT),
        Dimension("aesthetic-quality", "aesthetic", _aesthetic, False, (files.CLIP_L_14, files.AESTHETIC_HEAD)),
        Dimension("imaging-quality", "imaging", _not_built, not_built=_NO_MUSIQ),
    )
}
"""In the order of VBench's tables; all values are in 0 to 1, which the tables multiply by 100."""
