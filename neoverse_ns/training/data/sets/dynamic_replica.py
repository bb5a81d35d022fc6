"""Dynamic Replica: people and animals in rooms, seen by two eyes, of which the left is read.

`{train,valid,test}/` holds `SEQ_left/images/*.png`, `SEQ_left/depths/*.geometric.png`, whose 16 bits
are a half-precision number of metres, `SEQ_left/trajectories/%06d.pth` (`traj_2d` [P,3]: x, y, z-depth;
`traj_3d_world` [P,3]; `verts_inds_vis` [P]), and `frame_annotations_{split}.jgz` in it or beside it with cameras in
PyTorch3D's convention (Karaev et al., CVPR 2023).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor

from neoverse_ns.datafiles.reading import image_size, read_deep_png, read_rgb, rigid
from neoverse_ns.errors import UNREADABLE, ClipError
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.sets.folder import info_of, must_find, path_of, present, size_or_unknown
from neoverse_ns.training.data.sets.parts import PartsClip
from neoverse_ns.training.data.sets.pytorch3d import SequenceNotes, notes_of_sequences
from neoverse_ns.training.data.sets.tracked import FrameTracks, checked_displacement, remark_on_tracks
from neoverse_ns.training.data.truth import Displacement, Part, TruthClip

EYE = "left"
FURTHEST = 16
FPS = 30.0
LICENCE = "non-commercial"

DAMAGED = ("8369cb-7_obj", "a7b915-7_obj")
"""Sequences that the set's own loader leaves out."""


class DynamicReplica(DataSet):
    """The layout of Dynamic Replica."""

    name = "dynamic_replica"

    def find(self, folder: Path) -> list[ManifestRow]:
        rows = [
            _row(folder, notes, name, sequence)
            for depth in ("", "*/")
            for notes in folder.glob(f"{depth}frame_annotations_*.jgz")
            for name, sequence in notes_of_sequences(notes, EYE).items()
            if name not in DAMAGED
        ]
        return must_find(rows, folder, self.name, "SPLIT/SEQ_left, frame_annotations_SPLIT.jgz")

    def open(self, folder: Path, row: ManifestRow) -> DynamicReplicaClip:
        return DynamicReplicaClip(path_of(folder, row), folder / str(row.source.get("notes")), row)

    def remarks(self, clip: TruthClip) -> list[str]:
        if not isinstance(clip, DynamicReplicaClip) or "motion" not in clip.info.has:
            return []
        middle = clip.info.frames // 2
        return [remark_on_tracks(clip.view(middle), clip.tracks(middle))]


class DynamicReplicaClip(PartsClip):
    """The left eye's frames of one sequence."""

    def __init__(self, inside: Path, notes: Path, row: ManifestRow) -> None:
        super().__init__(info_of(row, FURTHEST))
        name = str(row.source.get("sequence"))
        sequence = notes_of_sequences(notes, EYE).get(name)
        if sequence is None:
            raise ClipError(f"{notes}: knows no sequence '{name}'; make the manifest anew")
        if len(sequence) != row.frames:
            raise ClipError(f"{notes}: has {len(sequence)} frames of {name}, not {row.frames}; make the manifest anew")
        self._images, self._depths, self._tracks = _files(inside, name, sequence)
        size = sequence.size if all(sequence.size) else image_size(present(self._images[0]))
        self._K, c2w = sequence.cameras(size)
        self._c2w = rigid(c2w, f"{notes}, {name}")

    def rgb(self, index: int) -> UInt8[Tensor, "h w 3"]:
        return read_rgb(self._images[index])

    def depth(self, index: int) -> Float32[Tensor, "h w"]:
        return torch.from_numpy(read_deep_png(self._depths[index]).view(np.float16).astype(np.float32))

    def camera(self, index: int) -> tuple[Float64[Tensor, "3 3"], Float64[Tensor, "4 4"]]:
        return self._K[index], self._c2w[index]

    def displacement(self, index: int, other: int) -> Displacement | None:
        if "motion" not in self.info.has:
            return None
        view, other_view = self.view(index), self.view(other)
        tracks, later = self.tracks(index), self.tracks(other)
        if len(tracks.places) != len(later.places):
            raise ClipError(
                f"{self.place(index)}: has {len(tracks.places)} tracks, but frame {other} has {len(later.places)}"
            )
        return checked_displacement(view, other_view, tracks, later)

    def tracks(self, index: int) -> FrameTracks:
        """All tracks in a frame.

        Raises:
            ClipError: Their file is missing or damaged.
        """
        path = present(self._tracks[index])
        try:
            # NumPy's arrays are what these files hold beside tensors; anything else that could run is refused.
            with torch.serialization.safe_globals(_numpy_globals()):
                file = torch.load(path, map_location="cpu", weights_only=True)
            uvz, places = (torch.as_tensor(file[name]).double() for name in ("traj_2d", "traj_3d_world"))
            visible = _visible(torch.as_tensor(file["verts_inds_vis"]), len(uvz))
        except UNREADABLE as error:
            reason = str(error).partition("\n")[0]
            raise ClipError(f"{path}: holds no tracks that can be read ({reason or type(error).__name__})") from error
        if uvz.shape != places.shape or uvz.ndim != 2 or uvz.shape[1] != 3:
            raise ClipError(f"{path}: has tracks of shapes {tuple(uvz.shape)} and {tuple(places.shape)}")
        known = torch.isfinite(uvz).all(1) & torch.isfinite(places).all(1)
        return FrameTracks(places, uvz[:, :2], uvz[:, 2], visible & known, known)


def _visible(marks: Tensor, count: int) -> Tensor:
    """A mask of all tracks, of a mask or of the numbers of those that are seen."""
    if marks.shape == (count,) and (marks.dtype == torch.bool or bool(((marks == 0) | (marks == 1)).all())):
        return marks.bool()
    visible = torch.zeros(count, dtype=torch.bool)
    visible[marks.long()] = True
    return visible


def _numpy_globals() -> list:
    kinds = [type(np.dtype(kind)) for kind in (np.float32, np.float64, np.int32, np.int64, np.uint8, np.bool_)]
    return [np.ndarray, np.dtype, np.empty(0).__reduce__()[0], *kinds]


def _files(inside: Path, name: str, sequence: SequenceNotes) -> tuple[list[Path], list[Path], list[Path]]:
    """Pictures, depth and tracks of every frame: where the notes say, or else by the layout's names.

    Raises:
        ClipError: The notes do not say it, and there are not as many files as frames.
    """
    place = inside / (name if (inside / name).is_dir() else f"{name}_{EYE}")
    pictures = _listed(inside, sequence.images, place / "images", "*.png", len(sequence))
    depths = _listed(inside, sequence.depths, place / "depths", "*.geometric.png", len(sequence))
    tracks = [
        inside / noted if noted else place / "trajectories" / f"{number:06d}.pth"
        for noted, number in zip(sequence.tracks, sequence.numbers, strict=True)
    ]
    return pictures, depths, tracks


def _listed(inside: Path, noted: tuple[str, ...], folder: Path, pattern: str, count: int) -> list[Path]:
    if all(noted):
        return [inside / path for path in noted]
    paths = sorted(folder.glob(pattern))
    if len(paths) != count:
        raise ClipError(f"{folder}: holds {len(paths)} files {pattern} of {count} frames")
    return paths


def _row(folder: Path, notes: Path, name: str, sequence: SequenceNotes) -> ManifestRow:
    split = notes.stem.removeprefix("frame_annotations_")
    first = sequence.images[0] or f"{name}_{EYE}/images"
    # Paths are noted within the split, whose folder the notes lie in or beside; a copy may have them from above it.
    above = () if notes.parent == folder else (notes.parent.parent,)
    bases = (notes.parent, notes.parent / split, *above)
    base = next((base for base in bases if (base / first).exists()), bases[0])
    source: dict[str, str | int] = {
        "path": base.relative_to(folder).as_posix(),
        "notes": notes.relative_to(folder).as_posix(),
        "sequence": name,
    }
    width, height = sequence.size if all(sequence.size) else size_or_unknown(base / first)
    tracked = all(sequence.tracks) or (base / f"{name}_{EYE}" / "trajectories").is_dir()
    has: frozenset[Part] = frozenset(("pose", "depth", "motion") if tracked else ("pose", "depth"))
    return ManifestRow(
        f"{split}/{name}_{EYE}",
        DynamicReplica.name,
        source,
        len(sequence),
        FPS,
        width,
        height,
        split="val" if split in ("valid", "validation") else split,
        has=has,
        licence=LICENCE,
    )
