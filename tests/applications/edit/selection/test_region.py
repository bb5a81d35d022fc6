"""From what the user says to masks: clicks, boxes, one frame's mask followed through the clip."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neoverse_ns.applications.edit.selection.grow import grow_box, grow_click
from neoverse_ns.applications.edit.selection.region import (
    Region,
    parse_box,
    parse_click,
    parse_mask,
    region_masks,
)
from neoverse_ns.applications.edit.selection.spread import spread
from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from tests.applications.edit.yard import HEIGHT, WIDTH, frames_of, yard


@pytest.fixture(scope="module")
def scene() -> ExportScene:
    return yard()


def iou(a: torch.Tensor, b: torch.Tensor) -> float:
    a, b = a > 0.5, b > 0.5
    return float((a & b).sum() / (a | b).sum())


def middle(frame: int) -> tuple[float, float]:
    rows, columns = frames_of()[1][frame].nonzero().unbind(1)
    return float(columns.float().mean()), float(rows.float().mean())


@pytest.mark.parametrize("frame", [1, 2])
def test_a_click_takes_what_is_connected_there(scene: ExportScene, frame: int) -> None:
    found = grow_click(scene, *middle(frame), frame)
    assert iou(found, frames_of()[1][frame]) > 0.85


def test_a_click_on_the_wall_takes_the_wall_without_the_square(scene: ExportScene) -> None:
    found = grow_click(scene, 3.0, 3.0, 2)
    square = frames_of()[1][2]
    assert found[~square].float().mean() > 0.85
    assert not found[square].float().mean() > 0.1


def test_a_box_takes_what_stands_out_in_it(scene: ExportScene) -> None:
    rows, columns = frames_of()[1][2].nonzero().unbind(1)
    box = (int(columns.min()) - 4, int(rows.min()) - 4, int(columns.max()) + 5, int(rows.max()) + 5)
    assert iou(grow_box(scene, box, 2), frames_of()[1][2]) > 0.9


def test_one_frames_mask_is_followed_forward_and_back(scene: ExportScene) -> None:
    truth = frames_of()[1]
    for frame in (1, 2):
        masks, frames = spread(scene, truth[frame], frame)
        assert set(frames) == {0, 2, 4, frame}
        assert min(iou(mask, truth[f]) for mask, f in zip(masks, frames, strict=True)) > 0.8


def test_regions_become_masks(scene: ExportScene) -> None:
    truth = frames_of()[1]
    masks, frames = region_masks(scene, Region(click=middle(2), frame=2))
    # It moves, so the reconstruction knows it.
    assert torch.equal(masks > 0, truth[frames])
    masks, frames = region_masks(scene, Region(box=(0, 0, 10, 10), frame=0, whole_box=True))
    assert (
        iou(masks[frames.index(0)], torch.nn.functional.pad(torch.ones(10, 10), (0, WIDTH - 10, 0, HEIGHT - 10))) == 1
    )
    wide, _ = region_masks(scene, Region(thing=1, expand=2.0))
    assert wide.sum() > 1.3 * truth[[0, 2, 4]].sum()
    assert ((wide > 0) >= truth[[0, 2, 4]]).all()


def test_places_are_read() -> None:
    assert parse_box("3,4, 10,20@7") == ((3, 4, 10, 20), 7)
    assert parse_click("3.5,4") == ((3.5, 4.0), 0)
    assert parse_mask("a/b.png@12") == (Path("a/b.png"), 12)
    assert parse_mask("a@b.png") == (Path("a@b.png"), None)


@pytest.mark.parametrize("text", ["3,4,5", "3,4,5,x", "3,4,5,6@", "", "3,4,5,6@-1"])
def test_boxes_written_otherwise_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="x0,y0,x1,y1@frame"):
        parse_box(text)


def test_regions_that_say_nothing_or_too_much_are_refused(scene: ExportScene) -> None:
    with pytest.raises(SettingsError, match="say what is to be edited"):
        Region().validate()
    with pytest.raises(SettingsError, match="--thing and --box were given"):
        Region(thing=1, box=(0, 0, 2, 2)).validate()
    with pytest.raises(SettingsError, match="is empty"):
        parse_box("5,5,5,9")
    with pytest.raises(SettingsError, match="outside the frames"):
        grow_click(scene, 500.0, 3.0, 0)
    with pytest.raises(SettingsError, match="no sampled frame 99"):
        region_masks(scene, Region(click=(1.0, 1.0), frame=99))
