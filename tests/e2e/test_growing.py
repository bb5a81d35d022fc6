"""Growing a real run, and several views of one image, by the real commands' own classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from neoverse_ns.api.runs import load
from neoverse_ns.cli.applications.extend import Extend
from neoverse_ns.cli.applications.multiview import Multiview
from neoverse_ns.cli.render import Render
from neoverse_ns.gaussians.layers import INPAINTED
from neoverse_ns.generate.config import RefinerConfig
from tests.e2e.commands import read_video
from tests.e2e.conftest import FRAMES, HEIGHT, WIDTH, TrainedRun


def picture(path: Path) -> np.ndarray:
    """A picture's values, of which differences can be taken."""
    read = cv2.imread(str(path))
    assert read is not None, path
    return read.astype(int)


def test_a_run_grows_and_is_drawn_without_holes(run: TrainedRun, tmp_path: Path) -> None:
    telea = RefinerConfig(refiner="telea")
    Extend(run.folder, trajectory=("pan_left",), output=tmp_path, refine=telea, num_frames=5, angle=20.0).run()
    invented = read_video(tmp_path / "1_pan_left_invented.mp4")[..., 0] > 127
    assert invented.shape == (5, HEIGHT, WIDTH)
    # The camera turns left from the clip's own: what nobody saw comes in from there, more and more.
    shares = invented.mean(axis=(1, 2))
    assert shares[-1] > 0.15 > 0.05 > shares[0]
    assert invented[-1, :, : WIDTH // 2].mean() > 3 * invented[-1, :, WIDTH // 2 :].mean()
    options: dict[str, Any] = {"trajectory": "pan_left", "num_frames": 5, "angle": 20.0, "alpha": True}
    Render(run.folder, output=tmp_path / "before", **options).run()
    Render(tmp_path / "scene", output=tmp_path / "after", **options).run()
    open_before, open_after = (
        picture(tmp_path / f"{name}_alpha" / "00004.png")[..., 0] < 64 for name in ("before", "after")
    )
    assert open_before.mean() > 0.15
    assert open_after.mean() < 0.01
    # Where it is opaque the clip's own part is drawn as it was.
    before, after = (picture(tmp_path / name / "00004.png") for name in ("before", "after"))
    solid = cv2.erode(
        (picture(tmp_path / "before_alpha" / "00004.png")[..., 0] == 255).astype(np.uint8), np.ones((3, 3))
    )
    assert np.abs(before - after)[solid > 0].max() <= 2


def test_several_views_of_one_image(run: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOVERSE_CACHE_DIR", str(tmp_path / "cache"))
    image = tmp_path / "image.png"
    cv2.imwrite(str(image), run.frames[FRAMES // 2][..., ::-1])
    out = tmp_path / "out"
    Multiview(source=image, output=out, refine=RefinerConfig(refiner="telea"), angle=15.0, optimise=0).run()
    document = json.loads((out / "cameras.json").read_text("utf8"))
    assert [row["file"] for row in document["views"].values()] == ["front.png", "left_1.png", "right_1.png"]
    front = picture(out / "front.png")
    width = front.shape[1]
    left, right = (picture(out / f"{name}_1.png") for name in ("left", "right"))
    assert left.shape == front.shape
    # A camera turned left shows the picture's left half in its right one.
    focal = document["views"]["front"]["K"][0][0][0]
    shift = int(focal * np.tan(np.radians(15.0)))
    inner = slice(width // 2, width - 8)
    moved = left[:, inner], front[:, width // 2 - shift : width - 8 - shift]
    assert np.abs(moved[0] - moved[1]).mean() < np.abs(left[:, inner] - front[:, inner]).mean()
    assert not np.array_equal(left, right)
    assert INPAINTED in load(out / "scene").gaussians
