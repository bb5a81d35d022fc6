"""What decides which stored reconstruction a clip gets, beside its frames and plain settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from neoverse_ns.reconstruct.cache import scene_key
from neoverse_ns.reconstruct.config import SceneConfig


def test_masks_that_are_used_key_the_scene(tmp_path: Path):
    folder = tmp_path / "images"
    (tmp_path / "masks").mkdir()
    folder.mkdir()
    for number in range(2):
        Image.fromarray(np.full((32, 32, 3), 50, np.uint8)).save(folder / f"{number}.png")

    def key(masks: Literal["leave_out", "ignore", "keep"], white: int) -> str:
        for number in range(2):
            Image.fromarray(np.full((32, 32), white, np.uint8)).save(tmp_path / "masks" / f"{number}.png")
        config = SceneConfig()
        config.clip.masks = masks
        return scene_key(folder, config, "cpu")

    assert key("leave_out", 0) == key("leave_out", 255)
    assert key("ignore", 0) != key("ignore", 255)
    assert key("ignore", 0) != key("keep", 0)
