"""What a file of weights is: the hash of its bytes, and the identity of its keys and shapes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from neoverse_ns.console import progress
from neoverse_ns.errors import WeightsError

RELEASED_RECONSTRUCTOR = "1a1d001a35f78f3a7796a1e719ead340"
"""Identity of the published NeoVerse reconstructor."""
KNOWN = {
    RELEASED_RECONSTRUCTOR: "the released network",
    "bf3f0d73cebc1e54d753a8fa2e7dce96": "the released video transformer with its control branch",
}
"""Names of published weights by identity."""

_BLOCK = 1 << 22
_SHOW_ABOVE = 1 << 28


def identity(shapes: Mapping[str, Sequence[int]]) -> str:
    """MD5 over the sorted keys, once alone and once with their shapes: what the release names its weights by.

    The string is the comma-separated, sorted list of every `key` and every `key:d0_d1_...`.

    Args:
        shapes: Shape of every tensor by its key in the state dict.
    """
    entries = list(shapes) + [f"{key}:{'_'.join(map(str, shape))}" for key, shape in shapes.items()]
    return hashlib.md5(",".join(sorted(entries)).encode(), usedforsecurity=False).hexdigest()


def identity_name(value: str) -> str:
    """What is known about an identity."""
    return KNOWN.get(value, "not a published one")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in pieces, with progress for big files.

    Raises:
        WeightsError: It cannot be read.
    """
    value = hashlib.sha256()
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            if size <= _SHOW_ABOVE:
                while block := stream.read(_BLOCK):
                    value.update(block)
            else:
                with progress(f"checking the SHA-256 of {path.name} (megabytes)", size >> 20) as steps:
                    while block := stream.read(_BLOCK):
                        value.update(block)
                        steps.advance(len(block) >> 20)
    except OSError as error:
        raise WeightsError(f"cannot read {path} ({error.strerror}): check the path and its permissions") from error
    return value.hexdigest()


def check_sha256(path: Path, expected: str) -> None:
    """Compare a file's SHA-256 with the one that was asked for.

    Raises:
        WeightsError: It is another file, or a damaged one.
    """
    actual = sha256_of(path)
    if actual != expected.lower():
        raise WeightsError(
            f"{path} has SHA-256 {actual}, not {expected.lower()}: it is damaged or another version; "
            "delete and download it again, or leave out sha256"
        )
