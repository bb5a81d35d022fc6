"""Judged pictures by the words of protocols: sizes, intrinsics, masks."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.judges.views.sizes import framed_mask, framed_picture, framing_for


@pytest.mark.parametrize(
    ("word", "source", "size"),
    [
        ("560x336", (1280, 720), (560, 315)),
        ("560x336", (720, 1280), (315, 560)),
        ("560x336", (720, 960), (336, 448)),
        ("560x336", (480, 270), (480, 270)),
        ("224c", (480, 270), (224, 224)),
        ("320x240c", (480, 270), (320, 240)),
        ("1x", (480, 270), (480, 270)),
        ("2x", (360, 480), (360, 480)),
    ],
)
def test_sizes_by_their_words(word: str, source: tuple[int, int], size: tuple[int, int]) -> None:
    assert framing_for(word, *source).size == size


def test_methods_may_work_on_smaller_pictures_of_the_same_view() -> None:
    framing = framing_for("560x336", 1280, 720, longest=384)
    assert framing.size == (384, 216)
    assert framing_for("224c", 480, 270, longest=384).size == (224, 224)


@pytest.mark.parametrize("word", ["", "x", "0x10", "560", "560x", "x336", "224C", "0c"])
def test_other_words_are_refused(word: str) -> None:
    if word == "560x":
        assert framing_for(word, 10, 20).size == (10, 20)
        return
    with pytest.raises(SettingsError, match="no size"):
        framing_for(word, 100, 100)


def test_intrinsics_follow_the_pixels() -> None:
    """A point's pixel after covering and cutting the middle, by hand: 480x270 -> 398x224 -> 224x224."""
    framing = framing_for("224c", 480, 270)
    K = torch.tensor([[400.0, 0, 250], [0, 410, 130], [0, 0, 1]], dtype=torch.float64)
    found = framing.intrinsics(K, 480, 270)
    assert framing.cover == (398, 224)
    assert found[0, 0] == pytest.approx(400 * 398 / 480)
    assert found[1, 1] == pytest.approx(410 * 224 / 270)
    assert found[0, 2] == pytest.approx(250 * 398 / 480 - (398 - 224) // 2)
    assert found[1, 2] == pytest.approx(130 * 224 / 270)


def test_pictures_are_averaged_and_masks_take_the_nearest_value() -> None:
    stripes = (torch.arange(8) % 2 * 200).to(torch.uint8)[None, :, None].expand(4, 8, 3).contiguous()
    framing = framing_for("4x2", 8, 4)
    assert framed_picture(framing, stripes).unique().tolist() == [100]
    right = torch.arange(8).expand(4, 8) >= 4
    mask = framed_mask(framing, right)
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[False, False, True, True]] * 2
    # A mask of half the picture's resolution shows the same.
    assert torch.equal(framed_mask(framing, right[::2, ::2]), mask)
    cut = framed_mask(framing_for("4c", 8, 4), right)
    assert cut.tolist() == [[False, False, True, True]] * 4
    untouched = framing_for("1x", 8, 4)
    assert torch.equal(framed_picture(untouched, stripes), stripes)
