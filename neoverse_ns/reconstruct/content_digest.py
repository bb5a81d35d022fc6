"""A key for what a clip's files hold, told within a second however large they are."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from pathlib import Path

from neoverse_ns.console import progress
from neoverse_ns.errors import ClipError

READ_WHOLE = 32 << 20
"""Bytes in all files together up to which all of them are read."""

# Of more than that, files are told by their beginning and end, where containers keep their indices, by blocks spread
# evenly between, and by size and time of change. So many bytes are read of all files together, but a page of each.
_MOST, _BLOCK, _PAGE = 4 << 20, 64 << 10, 4 << 10
# Fewer bytes are read so fast that there is nothing to say.
_QUICK = 4 << 20


def content_digest(path: Path) -> str:
    """SHA-256 over the bytes of a file, or over names and bytes of a folder's direct files in order.

    Of more than `READ_WHOLE` bytes samples stand for the whole, together with sizes and times of change: a changed file
    is told even where no sample lies on the change, and a copy may be taken for another clip, which only costs time.

    Raises:
        ClipError: Nothing readable lies there.
    """
    try:
        files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file())
        facts = [file.stat() for file in files]
        total = sum(fact.st_size for fact in facts)
        value = hashlib.sha256()
        with progress(f"recognising {path.name}", len(files)) if total > _QUICK else nullcontext() as steps:
            for file, fact in zip(files, facts, strict=True):
                value.update(f"{file.name if len(files) > 1 else ''}\0{fact.st_size}\0".encode())
                if total <= READ_WHOLE:
                    value.update(file.read_bytes())
                else:
                    value.update(f"{fact.st_mtime_ns}\0".encode())
                    _sample(file, fact.st_size, _MOST // len(files), value)
                if steps is not None:
                    steps.advance()
    except FileNotFoundError:
        raise ClipError(f"no such clip: {path}; give a video file, a folder of images or an image") from None
    except OSError as error:
        raise ClipError(f"cannot read {path} ({error.strerror}): check its permissions") from error
    return value.hexdigest()


def _sample(file: Path, size: int, most: int, value: hashlib._Hash) -> None:
    """Add blocks of a file, about `most` bytes from its beginning to its end, to a digest."""
    block = max(min(_BLOCK, most // 2), _PAGE)
    count = max(most // block, 1)
    with file.open("rb") as stream:
        for number in range(count):
            stream.seek(max(size - block, 0) * number // max(count - 1, 1))
            value.update(stream.read(block))
