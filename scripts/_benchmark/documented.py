"""Pictures of the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from neoverse_ns.console import say


def save_pictures(folder: Path, pictures: Mapping[str, UInt8[np.ndarray, "h w 3"]]) -> None:
    """Write pictures by name, small enough to be kept beside the text, and say where they are.

    Raises:
        OSError: One cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        Image.fromarray(picture).save(folder / name, quality=82, optimize=True)
        say(f"wrote {folder / name}")
