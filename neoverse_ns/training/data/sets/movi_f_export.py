"""Examples of MOVi-F as TFDS gives them, written as the archives that training reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets.movi_f import LARGE, SMALL

EXTRA = ("metadata/video_name", "metadata/forward_flow_range", "forward_flow")
"""Not needed to train: flow allows a check of the motion."""


def export_example(example: Mapping[str, Any], path: Path, flow: bool = False) -> None:
    """Write one example, whole or not at all. No value is changed.

    Archives are not compressed, so that one frame can be read without the others: 38 MB an example of 512x512.

    Args:
        example: Nested dictionaries of arrays, as `tfds.as_numpy` gives them.
        path: Of the .npz file; its folder must be there.
        flow: Keep forward flow too, 25 MB more.

    Raises:
        ClipError: The example lacks a feature.
        OSError: The file cannot be written.
    """
    names = [*SMALL, *LARGE, *(EXTRA if flow else ())]
    arrays = {name: _feature(example, name) for name in names}
    unfinished = path.with_name(f".{path.stem}.part.npz")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _feature(example: Mapping[str, Any], name: str) -> np.ndarray:
    value: Any = example
    for part in name.split("/"):
        if not isinstance(value, Mapping) or part not in value:
            raise ClipError(f"the example has no feature '{name}': is it of MOVi-F?")
        value = value[part]
    return np.asarray(value)
