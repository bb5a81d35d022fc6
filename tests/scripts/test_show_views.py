"""The strip of views, on a scene whose drawings are known, and on a run of the plugin's own."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import pytest
import show_views
import torch
from show_views import HEADER, depth_map, error_map, find_config, strip

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic
from neoverse_ns.errors import RunError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.plugin.run import OpenRun
from neoverse_ns.rasterize.drawing import Drawing
from neoverse_ns.reconstruct.split import FrameSplit

GAP, WIDTH, HEIGHT = 4, 96, 64


@pytest.fixture(scope="module")
def truth() -> SyntheticClip:
    return render_synthetic(5, WIDTH, HEIGHT)


def flat_drawing(red: float, depth: float) -> Drawing:
    """One colour and one depth; the upper half is a hole."""
    alpha = torch.ones(1, HEIGHT, WIDTH, 1)
    alpha[:, : HEIGHT // 2] = 0
    rgb = torch.tensor([red, 0.0, 0.0]) * alpha
    return Drawing(rgb, depth * alpha, alpha)


def test_a_row_shows_input_drawing_error_depth_and_both_sides(truth: SyntheticClip) -> None:
    asked: list[tuple[PinholeCameras, torch.Tensor]] = []

    def drawings(views: PinholeCameras, times: torch.Tensor) -> list[Drawing]:
        asked.append((views, times))
        return [flat_drawing(float(x), 2.0) for x in (views.c2w[:, 0, 3] - truth.cameras.c2w[2, 0, 3]).abs() * 5]

    run = OpenRun(truth.as_clip(), FrameSplit([0, 1, 3, 4], [2], [0, 4]), truth.cameras, drawings)
    page = strip(run, 2, 0.05)
    assert page.shape == (HEADER + HEIGHT, 6 * WIDTH + 5 * GAP, 3)
    cells = [page[HEADER:, x : x + WIDTH] for x in range(0, page.shape[1], WIDTH + GAP)]
    assert torch.equal(cells[0], truth.frames[2])
    assert not cells[1].any()
    dark = truth.frames[2].float().mean(dim=-1)
    assert cells[2][dark > 100].float().mean() > cells[2][dark < 40].float().mean() + 80
    assert not cells[3][: HEIGHT // 2].any()
    assert cells[3][HEIGHT // 2 :].any()
    # 5 % of the median depth 2 to either side, along the camera's own axis, at the frame's own time.
    (_, first), (sides, times) = asked
    assert first.tolist() == truth.as_clip().times[[2]].tolist()
    assert times.tolist() == first.tolist() * 2
    relative = torch.linalg.inv(truth.cameras.c2w[2]) @ sides.c2w
    torch.testing.assert_close(
        relative[:, :3, 3], torch.tensor([[-0.1, 0, 0], [0.1, 0, 0]]).to(relative), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(relative[:, :3, :3], torch.eye(3).to(relative).expand(2, 3, 3), atol=1e-6, rtol=0)
    assert cells[4][HEIGHT // 2 :].any()
    assert page[:HEADER].min() < 128


def test_error_is_black_where_equal_and_white_from_a_quarter_on() -> None:
    truth = torch.full((2, 3, 3), 100, dtype=torch.uint8)
    drawn = truth.clone()
    drawn[0, 1] += 10
    drawn[0, 2] += 90
    picture = error_map(drawn, truth)
    assert not picture[1].any()
    assert (picture[0, 2] == 255).all()
    assert 0 < picture[0, 1].float().mean() < 255


def test_depth_is_brighter_where_nearer_whatever_the_unit() -> None:
    depth = torch.linspace(1, 3, HEIGHT * WIDTH).reshape(1, HEIGHT, WIDTH, 1)
    rgb, alpha = torch.zeros(1, HEIGHT, WIDTH, 3), torch.ones(1, HEIGHT, WIDTH, 1)
    picture = depth_map(Drawing(rgb, depth, alpha))
    assert picture[0].float().mean() > picture[-1].float().mean() + 50
    larger = depth_map(Drawing(rgb, 10 * depth, alpha))
    assert (larger.float() - picture.float()).abs().max() <= 2
    assert not depth_map(Drawing(rgb, depth, 0 * alpha)).any()


def test_the_newest_run_below_a_folder_is_found(tmp_path: Path) -> None:
    import os

    for age, name in ((50, "old"), (10, "new"), (90, "oldest")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yml").write_text("")
        os.utime(tmp_path / name / "config.yml", (1e9 - age, 1e9 - age))
    assert find_config(tmp_path) == tmp_path / "new" / "config.yml"
    assert find_config(tmp_path / "old" / "config.yml") == tmp_path / "old" / "config.yml"
    with pytest.raises(RunError, match="no config"):
        find_config(tmp_path / "absent")


@pytest.mark.parametrize(("picture", "reason"), [("strip.mov", "no picture format"), ("strip.png", "no config.yml")])
def test_what_cannot_be_done_is_said_in_one_line(
    picture: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["show_views.py", str(tmp_path), str(tmp_path / picture)])
    assert show_views.main() == 1
    assert reason in capsys.readouterr().out


def test_the_strip_is_written(truth: SyntheticClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawings(views: PinholeCameras, _: torch.Tensor) -> list[Drawing]:
        return [flat_drawing(0.5, 1.0)] * len(views)

    run = OpenRun(truth.as_clip(), FrameSplit([0, 1, 3, 4], [2], [0, 4]), truth.cameras, drawings)
    (tmp_path / "config.yml").write_text("")
    monkeypatch.setattr(show_views, "open_run", lambda config: run)
    monkeypatch.setattr(sys, "argv", ["show_views.py", str(tmp_path), str(tmp_path / "new" / "strip.png")])
    assert show_views.main() == 0
    written = cv2.imread(str(tmp_path / "new" / "strip.png"))[:, :, ::-1]
    assert torch.equal(torch.from_numpy(written.copy()), strip(run, 2, 0.05))
