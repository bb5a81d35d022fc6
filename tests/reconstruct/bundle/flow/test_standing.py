"""What never moves in the picture: found to the pixel, and never in a world that only looks still."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from numpy import ndarray

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.lens_border import find_lens_border, round_picture
from neoverse_ns.clip.load import load_clip
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.flow.masked_flow import grown
from neoverse_ns.reconstruct.bundle.flow.standing import find_standing
from neoverse_ns.reconstruct.bundle.flow.standing_regions import (
    Outline,
    find_still_regions,
    has_step,
    never_covered,
    outline_of,
    smoothed,
)
from neoverse_ns.reconstruct.bundle.left_out import describe_places, leave_out, world_of
from tests.reconstruct.bundle import overlays
from tests.reconstruct.bundle.scenes import path, room_clip
from tests.shared import shared_file

NOISE = BundleConfig().flow_noise


@cache
def room() -> ndarray:
    return room_clip(path(10), 0.8)[0].frames.numpy()


def agreement(found: ndarray | None, truth: ndarray) -> float:
    assert found is not None
    return (found & truth).sum() / (found | truth).sum()


@pytest.mark.parametrize(
    "paste", [overlays.bonnet, overlays.lit_bonnet, overlays.dark_bonnet, overlays.logo, overlays.timer]
)
def test_overlays_are_found_whole(paste: overlays.Overlay) -> None:
    frames, truth = paste(room())
    found = find_standing(frames, NOISE)
    # One or two pixels more on every side, which are mixtures, are much around a small thing.
    assert agreement(found, truth) > 0.7
    assert found is not None
    assert (found & truth).sum() > 0.95 * truth.sum()
    assert not (found & ~grown(truth, 4)).any()


@pytest.mark.parametrize("paste", [overlays.round_border, overlays.soft_round_border])
def test_the_dark_around_a_round_picture_is_found(paste: overlays.Overlay) -> None:
    frames, truth = paste(room())
    assert agreement(find_lens_border(frames), truth) > 0.9


def test_what_is_empty_beside_a_round_picture_is_cut_off() -> None:
    borders = round_picture(overlays.round_border(room())[0])
    assert borders is not None
    # A circle of 0.29 x 192 pixels around the middle of 192x120.
    x, y, w, h = borders.box
    assert abs(x - (96 - 56)) <= 3
    assert abs(y - (60 - 56)) <= 3
    assert (x + w / 2, y + h / 2) == (96, 60)
    assert round_picture(room()) is None


def test_dark_corners_on_one_side_are_no_lens_border() -> None:
    frames = room().copy()
    frames[:, :, :40] = 0
    assert find_lens_border(frames) is None


def test_the_world_is_left_alone() -> None:
    assert find_standing(room(), NOISE) is None
    assert find_lens_border(room()) is None


def test_a_still_camera_is_no_overlay() -> None:
    """A textured square passes before a room that stands still: the room stays put, behind it."""
    still = path(1).repeat(10, 1, 1)
    frames = room_clip(still, 0.8, mover=True)[0].frames.numpy()
    assert find_standing(frames, NOISE) is None
    assert find_standing(np.repeat(frames[:1], 10, axis=0), NOISE) is None


def test_only_another_thing_hides_a_pixel() -> None:
    """Not another light, and not one damaged frame."""
    outline = Outline(np.array([5]), np.array([10]), np.array([[1.0], [0.0]]))
    frames = np.full((10, 12, 20), 100, np.float32)
    assert never_covered(outline, frames * np.linspace(0.85, 1.15, 10, dtype=np.float32)[:, None, None]).all()
    frames[4, :, 5:9] = 0
    assert never_covered(outline, frames).all()
    frames[5, :, 5:9] = 30
    assert not never_covered(outline, frames).any()


def test_plain_sky_has_no_edge_at_its_end() -> None:
    """A roof that sways below a plain sky: the sky is still, and its outline is not."""
    frames = np.full((10, 120, 192), 200, np.uint8)
    texture = overlays.still_texture(120, 400)[..., 0] // 2
    for number, frame in enumerate(frames):
        edge = 60 + round(12 * np.sin(1.3 * number))
        frame[edge:] = texture[: 120 - edge, 9 * number : 9 * number + 192]
    compared, nothing = smoothed(frames), np.zeros((120, 192), bool)
    standing = find_still_regions(compared, nothing)
    assert standing.mask[:40].all()
    assert has_step(outline_of(standing.mask, nothing), compared).mean() < 0.1
    assert find_standing(np.repeat(frames[..., None], 3, axis=-1), NOISE) is None


def test_bars_and_overlays_and_what_is_given_are_taken_together() -> None:
    clip = replace(room_clip(path(10), 0.8)[0], frames=torch.from_numpy(overlays.bonnet(room())[0]))
    given = torch.zeros(clip.frames.shape[:3], dtype=torch.bool)
    given[3, :10, :10] = True
    found, facts = leave_out(replace(clip, ignored=given), BundleConfig())
    assert found.ignored is not None
    assert found.ignored[3, :10, :10].all()
    assert not found.ignored[2, :10, :10].any()
    assert found.ignored[:, -5:, 80:110].all()
    assert facts["ignored_share"] == pytest.approx(float(found.ignored.float().mean()))
    assert facts["ignored_where"].startswith("bottom")
    kept, facts = leave_out(replace(clip, ignored=given), BundleConfig(overlays="none"))
    assert kept.ignored is not None
    assert torch.equal(kept.ignored, given)
    assert "ignored_standing" not in facts
    assert leave_out(replace(clip, ignored=None), BundleConfig(overlays="none"))[0].ignored is None


@pytest.mark.parametrize("paste", [overlays.letterbox, overlays.blurred_sides])
def test_bars_that_were_kept_are_left_out(paste: overlays.Overlay, capsys: pytest.CaptureFixture[str]) -> None:
    frames, truth = paste(room())
    found, facts = leave_out(replace(room_clip(path(10), 0.8)[0], frames=torch.from_numpy(frames)), BundleConfig())
    assert found.ignored is not None
    assert agreement(found.ignored[0].numpy(), truth) > 0.95
    assert facts["ignored_bars"] > 0.2
    assert "bars beside the picture" in capsys.readouterr().out


def test_ignored_pixels_are_filled_and_others_are_not() -> None:
    clip = room_clip(path(3), 0.8)[0]
    ignored = torch.zeros(clip.frames.shape[:3], dtype=torch.bool)
    ignored[1, 40:60, 50:80] = True
    world = world_of(replace(clip, ignored=ignored))
    assert torch.equal(world.frames[0], clip.frames[0])
    changed = (world.frames[1] != clip.frames[1]).any(-1)
    assert not (changed & ~torch.from_numpy(grown(ignored[1].numpy(), 1))).any()
    inside = world.frames[1, 42:58, 52:78].float()
    assert float(inside.std(dim=(0, 1)).mean()) < float(clip.frames[1, 42:58, 52:78].float().std(dim=(0, 1)).mean())
    assert world_of(clip) is clip


def test_places_are_named() -> None:
    mask = np.zeros((90, 160), bool)
    mask[70:] = True
    mask[2:10, 140:156] = True
    assert describe_places(mask) == "bottom 22% and upper right 0.9%"
    corners = np.zeros((90, 160), bool)
    for rows in (slice(0, 15), slice(75, 90)):
        corners[rows, :24] = corners[rows, -24:] = True
    assert describe_places(corners) == "corners 10%"
    ring = np.ones((90, 160), bool)
    ring[20:70, 30:130] = False
    assert describe_places(ring) == "border 65%"


@pytest.mark.parametrize("name", ["trulli_village", "shrine_path", "robot", "dog"])
def test_untouched_clips_keep_all_of_their_picture(name: str) -> None:
    clip = load_clip(shared_file(f"clips/{name}/clip.mp4"), ClipConfig(width=192, num_frames=9, duration=2.3))
    assert clip.crop is None
    assert leave_out(clip, BundleConfig())[0].ignored is None
