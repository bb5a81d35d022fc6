"""A clip out of a shard: its files come into a folder of their own when they are needed, and go with it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path, PurePosixPath

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.registry import data_set
from neoverse_ns.training.data.shards import Member, Part, members_of, place_of
from neoverse_ns.training.data.truth import Displacement, FrameTruth, TruthClip

_NUMBER = re.compile(r"\d+(?=\D*$)")
# Of frames by number; tables, and poses in text, are read at once and are small.
_OF_A_FRAME = {".png", ".jpg", ".jpeg", ".webp", ".exr", ".npy", ".npz", ".pth", ".dsp5", ".flo5", ".hdf5", ".h5"}
_PLACE = {"shard", "offset", "size", "member"}


def open_sharded(folder: Path, row: ManifestRow) -> TruthClip:
    """Open a clip that is a file of a shard, or a folder in it, by its data set's own opener.

    Raises:
        ClipError: The shard or the clip is not there, or damaged.
    """
    return ShardedClip(folder, row)


class ShardedClip(TruthClip):
    """A clip whose files lie in a temporary folder, those of single frames only from when they are asked for."""

    def __init__(self, folder: Path, row: ManifestRow) -> None:
        self._files = _ClipFiles(folder, row)
        others = {key: value for key, value in row.source.items() if key not in _PLACE}
        inside = replace(row, source=others | {"path": self._files.name})
        try:
            self._clip = self._opened(inside)
        except BaseException:
            self._files.remove()
            raise
        self.info = self._clip.info

    def frame(self, index: int) -> FrameTruth:
        self._files.fill(index, index)
        try:
            return self._clip.frame(index)
        except ClipError:
            # The number of a frame need not be that of its file.
            if not self._files.fill_all():
                raise
            return self._clip.frame(index)

    def displacement(self, index: int, other: int) -> Displacement | None:
        self._files.fill(min(index, other), max(index, other))
        try:
            return self._clip.displacement(index, other)
        except ClipError:
            if not self._files.fill_all():
                raise
            return self._clip.displacement(index, other)

    def close(self) -> None:
        try:
            self._clip.close()
        finally:
            self._files.remove()

    def _opened(self, row: ManifestRow) -> TruthClip:
        try:
            return data_set(row.dataset).open(self._files.folder, row)
        except ClipError:
            if not self._files.fill_all():
                raise
            return data_set(row.dataset).open(self._files.folder, row)


class _ClipFiles:
    """The files of a clip in a temporary folder; those of frames are empty until they are filled."""

    def __init__(self, folder: Path, row: ManifestRow) -> None:
        self._shard, offset, size = place_of(folder, row)
        member = str(row.source.get("member", f"{row.id.replace('/', '_')}.mp4"))
        self.name = member.rstrip("/")
        self._later: dict[str, list[Member]] = {}
        if member.endswith("/"):
            wanted = [m for m in members_of(self._shard) if m.name.startswith(member)]
            if not wanted:
                raise ClipError(f"{self._shard}: no clip {member}; its manifest is of another shard")
        else:
            wanted = [Member(PurePosixPath(member).name, offset, offset, size)]
            self.name = wanted[0].name
        self.folder = Path(tempfile.mkdtemp(prefix="neoverse-clip-"))
        try:
            families: defaultdict[str, list[Member]] = defaultdict(list)
            for one in wanted:
                families[_family(one.name)].append(one)
            for family, ones in families.items():
                self._place(family, ones)
        except BaseException:
            self.remove()
            raise

    def fill(self, first: int, last: int) -> None:
        """Bring the files of frames `first` to `last`, and of their neighbours, which motion may look at."""
        reach = int(last > first)
        for ones in self._later.values():
            for one in ones[max(first - reach, 0) : last + reach + 1]:
                self._extract(one)

    def fill_all(self) -> bool:
        """Bring all; whether there were any that had not come."""
        missing = [one for ones in self._later.values() for one in ones if self._is_missing(one)]
        for one in missing:
            self._extract(one)
        return bool(missing)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _place(self, family: str, ones: list[Member]) -> None:
        lazy = len(ones) > 1 and PurePosixPath(family).suffix.lower() in _OF_A_FRAME
        if not lazy:
            for one in ones:
                self._extract(one)
            return
        ones.sort(key=lambda one: (int(_NUMBER.search(PurePosixPath(one.name).name)[0]), one.name))  # pyright: ignore
        self._later[family] = ones
        for one in ones[1:]:
            self._path(one).touch()
        # Openers look at the first frame for its size.
        self._extract(ones[0])

    def _extract(self, one: Member) -> None:
        if not self._is_missing(one):
            return
        with Part(self._shard, one.offset, one.size) as source, self._path(one).open("wb") as target:
            shutil.copyfileobj(source, target, 2**20)

    def _is_missing(self, one: Member) -> bool:
        path = self._path(one)
        return not path.exists() or path.stat().st_size != one.size

    def _path(self, one: Member) -> Path:
        parts = PurePosixPath(one.name).parts
        if ".." in parts or PurePosixPath(one.name).is_absolute():
            raise ClipError(f"{self._shard}: the member {one.name} leads out of its folder")
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _family(name: str) -> str:
    """What the names of all frames' files of one kind have in common."""
    path = PurePosixPath(name)
    return str(path.with_name(_NUMBER.sub("#", path.name, count=1)))
