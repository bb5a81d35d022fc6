"""Single rows of archives, against NumPy's own reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets.npz import npz_entries, npz_rows

VALUES = np.random.default_rng(0).normal(size=(7, 5, 3)).astype(np.float32)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_those_of_the_whole(tmp_path: Path, save: Any, order: Any) -> None:
    path = tmp_path / "a.npz"
    save(path, before=np.arange(100), values=np.asarray(VALUES, order=order), flags=VALUES[..., 0] > 0)
    rows = npz_rows(path, "values", [6, 0, 6])
    assert [row.tobytes() for row in rows] == [VALUES[number].tobytes() for number in (6, 0, 6)]
    (flags,) = npz_rows(path, "flags", [3])
    assert (flags == (VALUES[3, :, 0] > 0)).all()
    entry = npz_entries(path)["values"]
    assert (entry.shape, entry.dtype, entry.fortran) == ((7, 5, 3), np.float32, order == "F")


def test_what_cannot_be_read_is_told_with_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, values=VALUES, objects=np.array([None, 1], dtype=object))
    with pytest.raises(ClipError, match=r"a\.npz: holds no 'other', but objects, values"):
        npz_rows(path, "other", [0])
    with pytest.raises(ClipError, match=r"a\.npz: 'values' of shape \(7, 5, 3\) lacks one of the rows \[7\]"):
        npz_rows(path, "values", [7])
    with pytest.raises(ClipError, match=r"a\.npz: 'objects' holds Python objects"):
        npz_rows(path, "objects", [0])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ClipError, match=r"a\.npz: cannot be read"):
        npz_entries(path)


def test_a_damaged_stream_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, values=VALUES)
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(data)
    with pytest.raises(ClipError, match=r"a\.npz: cannot be read"):
        npz_rows(path, "values", [6])
