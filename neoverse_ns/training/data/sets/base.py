"""What every layout of a data set offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.truth import TruthClip


class DataSet(ABC):
    """A layout: what clips a folder of it holds, and how one is opened."""

    name: ClassVar[str]
    """In manifests and on the command line."""

    @abstractmethod
    def find(self, folder: Path) -> list[ManifestRow]:
        """Rows of all clips in a folder, of every split, by name; reads names and headers, no pictures.

        Raises:
            ClipError: The folder holds none, or is of another layout; says what was looked for.
        """

    @abstractmethod
    def open(self, folder: Path, row: ManifestRow) -> TruthClip:
        """Open one of them.

        Args:
            folder: That `row.source` is relative to.
            row: Of :meth:`find`, or of a manifest that was made of it.

        Raises:
            ClipError: It is not there, or damaged.
        """

    def remarks(self, clip: TruthClip) -> list[str]:
        """What only this layout can tell of one of its clips: sentences for who looks at the data set.

        Raises:
            ClipError: Its files cannot be read.
        """
        return []
