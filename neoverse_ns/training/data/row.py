"""One line of a manifest: where a clip lies and what it knows."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from neoverse_ns.training.data.truth import Part

FOLDER = "folder"
"""What a row's source calls the way from the manifest's folder to the data set's, where they are not one."""


@dataclass(frozen=True)
class ManifestRow:
    """A clip as a manifest names it.

    Attributes:
        id: Unique within the manifest.
        dataset: Data set, which decides how the clip is opened.
        source: Where it lies: `path` relative to the data set's folder; or `shard`, `offset` and `size` in bytes of a
            member of a tar file; or what else the set's opener understands (`seed` of a synthetic world). Where the
            manifest lies elsewhere than the data set, `folder` leads from the manifest's folder to the data set's.
        frames: How many there are.
        fps: Frames per second.
        width: Of a frame, in pixels.
        height: Of a frame, in pixels.
        caption: What it shows in words.
        split: As in "train" or "val".
        static: Nothing moves but the camera.
        has: What is known beside pictures and intrinsics.
        weight: Of the clip among those of its set.
        licence: Under which it may be used.
        sha256: Of the file, where it is one.
    """

    id: str
    dataset: str
    source: dict[str, str | int]
    frames: int
    fps: float
    width: int = 0
    height: int = 0
    caption: str | None = None
    split: str = "train"
    static: bool = False
    has: frozenset[Part] = field(default_factory=frozenset)
    weight: float = 1.0
    licence: str | None = None
    sha256: str | None = None

    def set_folder(self, folder: Path) -> Path:
        """The data set's folder, of a row that was found in a manifest in `folder`, or in the data set's itself."""
        return folder / str(self.source.get(FOLDER, ""))


def seen_from(place: Path, folder: Path, rows: Iterable[ManifestRow]) -> list[ManifestRow]:
    """Rows of a data set for a manifest that lies in some folder.

    Args:
        place: Folder of the manifest.
        folder: Of the data set.
        rows: As the data set's own folder has them.
    """
    way = os.path.relpath(folder.resolve(), place.resolve())
    return [row if way == "." else replace(row, source=row.source | {FOLDER: way}) for row in rows]
