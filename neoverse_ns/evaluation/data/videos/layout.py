"""A video, or a folder with several of them."""

from __future__ import annotations

from pathlib import Path

from neoverse_ns.clip.formats import FILM_SUFFIXES, is_readable_image
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.scene import BenchmarkData, BenchmarkScene
from neoverse_ns.evaluation.data.videos.scene import INPUT, VideoScene

COMPANIONS = (INPUT, "_depth_picture", "_depth", "_alpha", "_render", "_mask")
"""Behind a video's name: what `ns-neoverse generate` and `render` write beside it, and what it was made from."""


class Videos(BenchmarkData):
    """Videos, or folders of frames, named as they lie there; companions of a video are no videos of their own."""

    name = "videos"
    title = "videos by themselves"
    origin = "your own: a video, a folder of frames, or a folder of such; nothing else is needed"
    licence = "that of the videos"

    def find(self, folder: Path) -> list[str]:
        return sorted(_videos(folder))

    def open(self, folder: Path, scene: str) -> BenchmarkScene:
        found = _videos(folder)
        if scene not in found:
            raise ClipError(f"{folder} has no video {scene}; it has {', '.join(sorted(found)[:6])}")
        return VideoScene(found[scene], scene)


def _videos(place: Path) -> dict[str, Path]:
    """By name: a video is called as its file without the ending, or as its folder; twins keep their endings."""
    if place.is_file():
        return {place.stem: place}
    if not place.is_dir():
        raise ClipError(f"{place}: no such file or folder")
    entries = [entry for entry in sorted(place.iterdir()) if not entry.name.startswith(".")]
    if any(entry.is_file() and is_readable_image(entry) for entry in entries):
        return {place.name: place}
    films = [entry for entry in entries if entry.is_file() and entry.suffix.lower() in FILM_SUFFIXES]
    folders = [
        entry for entry in entries if entry.is_dir() and any(is_readable_image(file) for file in entry.iterdir())
    ]
    stems = [film.stem for film in films] + [folder.name for folder in folders]
    found: dict[str, Path] = {}
    for entry in [*films, *folders]:
        stem = entry.name if entry.is_dir() else entry.stem
        if any(stem == f"{other}{companion}" for other in stems for companion in COMPANIONS):
            continue
        found[entry.name if stems.count(stem) > 1 else stem] = entry
    if not found:
        raise ClipError(f"{place} holds neither a video nor images, nor folders of images")
    return found
