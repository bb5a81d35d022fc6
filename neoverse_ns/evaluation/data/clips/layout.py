"""Folders of clips as this package's benchmark has them, and the synthetic clips, which need no folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clips.demo import FORETOLD, SYNTHETIC
from neoverse_ns.evaluation.data.clips.folder import find_clips
from neoverse_ns.evaluation.data.clips.scene import ClipScene
from neoverse_ns.evaluation.data.clips.synthetic import SyntheticScene
from neoverse_ns.evaluation.data.scene import BenchmarkData


class Clips(BenchmarkData):
    """A folder for every clip, with `clip.mp4` or `images/` and what is known of it; see
    :mod:`neoverse_ns.evaluation.data.clips.folder`. The synthetic clips are in every folder."""

    name: ClassVar[str] = "clips"
    title: ClassVar[str] = "clip folders"
    origin: ClassVar[str] = "your own; the synthetic clips demo and demo_still are rendered where they do not lie there"
    licence: ClassVar[str] = "that of each clip, in its about.json"

    def find(self, folder: Path) -> list[str]:
        if not folder.is_dir():
            raise ClipError(f"{folder}: no such folder of clips")
        try:
            real = [place.name for place in find_clips(folder)]
        except ClipError:
            real = []
        return sorted({*real, *SYNTHETIC})

    def open(self, folder: Path, scene: str) -> ClipScene:
        if scene in SYNTHETIC and not (folder / scene / "clip.mp4").is_file():
            return SyntheticScene(scene, FORETOLD[scene], lambda count: _rendered(scene, count))
        (place,) = find_clips(folder, [scene])
        return ClipScene(place)


def _rendered(name: str, count: int) -> Path:
    return _rendering(name, count)[1]


@cache
def _rendering(name: str, count: int) -> tuple[TemporaryDirectory[str], Path]:
    """A clip, and the folder it lies in, which stays until the program ends."""
    kept = TemporaryDirectory(prefix=f"neoverse-{name}-")
    return kept, SYNTHETIC[name](Path(kept.name), count)
