"""Where the weights of a stage come from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.errors import SettingsError

SUFFIXES = (".ckpt", ".safetensors", ".pt", ".pth", ".bin")
"""Endings of files that hold weights; `.index.json` names the parts of weights split over several."""
INDEX = ".index.json"
"""Ending of the file that names the parts of weights split over several."""

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass
class WeightsConfig:
    """A file of weights: on this machine, or in a repository of the Hugging Face hub."""

    source: str
    """A file, a folder, or the id of a hub repository (owner/name). What exists on disk goes first."""
    file: str
    """Name of the file inside a folder or repository; `*.index.json` for weights split over several files."""
    revision: str | None = None
    """Branch, tag or commit of the hub repository; by default its main branch."""
    sha256: str | None = None
    """Where given, the file (of split weights: the index) must have this SHA-256; hashing takes seconds a gigabyte."""
    download: bool = False
    """Whether a file that is not on this machine may be downloaded."""
    cache_dir: Path | None = None
    """The hub's cache folder; by default $HF_HUB_CACHE, or `hub` in $HF_HOME or ~/.cache/huggingface."""

    def validate(self) -> None:
        """Raise SettingsError where a value cannot mean anything."""
        if not self.source.strip():
            raise SettingsError("the weights' source is empty: give a file, a folder, or a hub id such as owner/name")
        if not self.file.strip() or Path(self.file).is_absolute() or ".." in Path(self.file).parts:
            raise SettingsError(f"the weights' file must be a name inside the source, got '{self.file}'")
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise SettingsError(f"sha256 must have 64 hexadecimal digits, got '{self.sha256}'")

    @property
    def local(self) -> Path | None:
        """The place on disk that `source` names, whether or not anything is there; None where it is a hub id."""
        path = Path(self.source).expanduser()
        looks_like_id = _REPOSITORY.fullmatch(self.source) and path.suffix not in SUFFIXES
        return path if path.exists() or not looks_like_id else None

    @property
    def name(self) -> str:
        """How messages call these weights."""
        if self.local is not None:
            return self.source
        return f"{self.file} of {self.source}" + (f" at {self.revision}" if self.revision else "")
