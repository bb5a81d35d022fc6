"""What training was given to learn from, looked at once."""

from __future__ import annotations

from pathlib import Path

import torch

from neoverse_ns.training.control.clips import find_clips
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.sources import ClipSource, FolderSource, ManifestSource
from neoverse_ns.training.data.sets.registry import DATA_SETS
from neoverse_ns.training.data.shards_find import is_sharded
from neoverse_ns.training.data.sources import open_source


def find_source(path: Path, config: ControlTrainingConfig, device: torch.device, tracking: bool) -> ClipSource:
    """The clips of a folder of ordinary videos; or of a data set, of which those of the split `train` are taken.

    Args:
        path: Folder of videos and folders of images; a manifest, shards, or `NAME=FOLDER` with the name of a layout.
        config: Of the run.
        device: Decides the default size of a folder's clips.
        tracking: Whether frames between the sampled ones are wanted.

    Raises:
        ClipError: There are none.
    """
    wanted, short = config.scene.clip, config.short_clips
    dataset, _, place = str(path).partition("=")
    if dataset in DATA_SETS and place and not path.exists():
        found = open_source(Path(place).expanduser(), dataset)
    elif path.suffix.lower() in (".jsonl", ".ndjson") or is_sharded(path):
        found = open_source(path)
    else:
        return FolderSource(find_clips(path), wanted, device.type, tracking, shorten=short != "reject")
    return ManifestSource(found.rows, found.folder, wanted, config.size, shorten=short == "shorten")


def prompts_of(source: ClipSource, config: ControlTrainingConfig) -> list[str]:
    """All prompts there are, each once."""
    captions = {source.caption(number) or config.prompt for number in range(len(source))}
    return sorted({"", config.prompt, *captions})
