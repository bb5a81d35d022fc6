"""The page about training pairs: its parts on a small scene, and refusals in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import pytest
import show_degradations
from show_degradations import ShowDegradations, checked, degraded_pairs, depth_pictures, draw_page

from tests.generate.layered import layered_source

SOURCE = layered_source()


def options(**changes: object) -> ShowDegradations:
    return ShowDegradations(Path("clip.mp4"), Path("page.png"), small=5, large=21, **changes)  # type: ignore[arg-type]


def test_the_three_ways_differ_as_their_titles_say() -> None:
    pairs = degraded_pairs(SOURCE, [0, 2], options(), checked(options()))
    assert list(pairs) == ["culled", "box of 5 px", "box of 21 px"]
    assert [pair.choices.kernel for pair in pairs.values()] == [None, 5, 21]
    assert all(pair.choices.distance == 0.1 and pair.conditions.mask.any() for pair in pairs.values())
    culled, small, large = (pair.conditions.depth for pair in pairs.values())
    assert (large - culled).abs().mean() > 1.5 * (small - culled).abs().mean() > 0


def test_depth_is_brightest_where_it_is_near_and_black_in_holes() -> None:
    conditions = degraded_pairs(SOURCE, [0], options(), checked(options()))["culled"].conditions
    picture = depth_pictures(conditions)[0, ..., 0]
    square, corner = picture[20, 32], picture[2, 2]
    assert float(square / corner) == pytest.approx(2.0, abs=0.05)
    assert not picture[conditions.alpha[0] < 0.5].any()
    assert (conditions.alpha[0] < 0.5).any()


def test_the_page_has_a_row_for_each_picture_and_a_column_for_each_keyframe(tmp_path: Path) -> None:
    figure = draw_page(SOURCE, options(columns=4))
    axes = figure.axes
    assert len(axes) == 10 * 2  # only two keyframes there are
    labels = [a.get_ylabel() for a in axes[::2]]
    assert labels[0] == "frame"
    assert labels[1:4] == ["culled", "culled:\nmask", "culled:\ndepth"]
    figure.savefig(tmp_path / "page.png", dpi=20)
    page = cv2.imread(str(tmp_path / "page.png"))
    assert page is not None
    assert page.std() > 20


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["absent.mp4", "page.png"], "absent.mp4"),
        (["broken.mp4", "page.png"], "broken.mp4"),
        (["broken.mp4", "page.mov"], "no picture format"),
        (["broken.mp4", "page.png", "--columns", "0"], "columns"),
        (["broken.mp4", "page.png", "--small", "51", "--large", "11"], "kernel"),
        (["broken.mp4", "page.png", "--distance", "-1"], "distance"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEOVERSE_CACHE_DIR", str(tmp_path / "cache"))
    Path("broken.mp4").write_bytes(b"no video at all")
    monkeypatch.setattr(sys, "argv", ["show_degradations.py", *arguments])
    assert show_degradations.main() == 1
    said = capsys.readouterr().out
    assert reason in said
    assert "Traceback" not in said
    assert not Path("page.png").exists()
