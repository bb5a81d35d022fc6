"""Which Gaussians a region means."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.applications.edit.selection.selection import select
from neoverse_ns.applications.edit.selection.shares import region_shares
from neoverse_ns.applications.edit.selection.things import list_things, thing_at, thing_in, thing_masks
from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.layers import BACKGROUND, FRAMES
from tests.applications.edit.yard import COUNT, HEIGHT, KEYFRAMES, WIDTH, frames_of, yard


@pytest.fixture(scope="module")
def scene() -> ExportScene:
    return yard()


def on_square(scene: ExportScene) -> torch.Tensor:
    return scene.gaussians.frames.means[:, 2] < 1.5


def test_shares_add_up_to_the_pixels_of_the_picture(scene: ExportScene) -> None:
    everything = torch.ones(1, HEIGHT, WIDTH)
    shares = region_shares(scene, everything, [2])[FRAMES]
    torch.testing.assert_close(shares.inside, shares.total)
    assert float(shares.total.sum()) == pytest.approx(HEIGHT * WIDTH, rel=0.03)


def test_a_mask_of_every_frame_selects_the_square_of_every_keyframe(scene: ExportScene) -> None:
    masks = frames_of()[1].float()
    found = select(scene, masks, list(range(COUNT)))
    square, chosen = on_square(scene), found.thing[FRAMES]
    # Those on its outline show some of the wall between keyframes.
    assert (chosen & square).sum() > 0.85 * square.sum()
    assert (chosen & ~square).sum() < 0.02 * square.sum()
    # Nothing of the wall behind it is meant, though it lies in the same pixels.
    assert found.thing[BACKGROUND].sum() == 0
    assert (found.touched[FRAMES] >= found.thing[FRAMES]).all()
    assert torch.equal(found.masks, masks)


def test_what_stands_still_is_selected_in_the_background_too(scene: ExportScene) -> None:
    # A piece of the wall that the square never hides.
    mask = torch.zeros(COUNT, HEIGHT, WIDTH)
    mask[:, 30:38, 10:30] = 1
    found = select(scene, mask, list(range(COUNT)))
    behind = scene.gaussians[BACKGROUND].means[found.thing[BACKGROUND]]
    assert len(behind) > 60
    assert found.thing[FRAMES].sum() > 3 * 60
    assert not (found.thing[FRAMES] & on_square(scene)).any()


def test_an_empty_region_is_refused(scene: ExportScene) -> None:
    with pytest.raises(SettingsError, match="empty in every frame"):
        select(scene, torch.zeros(1, HEIGHT, WIDTH), [0])


def test_things_are_listed_and_found(scene: ExportScene) -> None:
    (thing,) = list_things(scene)
    masks = frames_of()[1]
    assert thing.number == 1
    assert thing.frames == KEYFRAMES
    left, top, right, bottom = thing.box
    rows, columns = masks[thing.frame].nonzero().unbind(1)
    assert (left, top, right, bottom) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    found, frames = thing_masks(scene, 1)
    assert frames == KEYFRAMES
    assert torch.equal(found > 0, masks[KEYFRAMES])
    assert thing_at(scene, left + 1.0, top + 1.0, thing.frame) == 1
    assert thing_at(scene, 1.0, 1.0, thing.frame) is None
    assert thing_in(scene, (left - 2, top - 2, right + 2, bottom + 2), thing.frame) == 1
    assert thing_in(scene, (0, 0, WIDTH, HEIGHT), thing.frame) is None


def test_a_thing_that_there_is_not_is_named(scene: ExportScene) -> None:
    with pytest.raises(SettingsError, match="no moving thing 7 in this scene; there are: 1"):
        thing_masks(scene, 7)
