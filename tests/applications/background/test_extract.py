"""What moves is gone, what stood behind it is what other frames saw, and what nobody saw is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from neoverse_ns.applications.background.config import BackgroundConfig
from neoverse_ns.applications.background.extract import extract_background
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.metrics.image import psnr
from tests.applications.courtyard import HEIGHT, WIDTH, Courtyard, courtyard

MIDDLE = 4


@pytest.fixture(scope="module")
def yard() -> Courtyard:
    return courtyard()


def decibels(a: UInt8[Tensor, "*n h w 3"], b: UInt8[Tensor, "*n h w 3"], mask: Bool[Tensor, "*n h w"]) -> float:
    first, second = (value.reshape(-1, WIDTH, 3).float() / 255 for value in (a, b))
    return psnr(first, second, mask.reshape(-1, WIDTH))


def seen_otherwise(scene: ExportScene, frames: UInt8[Tensor, "n h w 3"], masks: Tensor | None = None) -> ExportScene:
    """The scene with other frames, or with other masks."""
    assert scene.source is not None
    source = replace(scene.source, clip=replace(scene.source.clip, frames=frames))
    if masks is not None:
        source = replace(source, geometry=replace(source.geometry, dynamic=masks))
    return replace(scene, source=source)


def test_the_empty_world_is_found(yard: Courtyard) -> None:
    made = extract_background(yard.scene)
    assert made.frames.shape == yard.frames.shape
    assert made.fps == pytest.approx(8)
    behind = yard.covered & made.seen
    assert behind.sum() > 0.5 * yard.covered.sum()
    assert decibels(made.frames, yard.empty, made.seen) > 28
    assert decibels(made.frames, yard.empty, behind) > decibels(yard.frames, yard.empty, behind) + 8
    # What stands still in a frame is the frame itself.
    assert torch.equal(made.frames[made.own & ~yard.covered], yard.frames[made.own & ~yard.covered]) or (
        (made.frames.int() - yard.frames.int()).abs()[made.own].float().mean() < 1
    )


def test_masks_that_end_too_early_leave_no_ghosts(yard: Courtyard) -> None:
    masks = -torch.nn.functional.max_pool2d(-yard.covered.float()[:, None], 3, 1, 1)[:, 0] > 0
    assert masks.sum() < 0.8 * yard.covered.sum()
    made = extract_background(seen_otherwise(yard.scene, yard.frames, masks), yard.scene.as_filmed[[MIDDLE]])
    rim = (yard.covered & ~masks)[[MIDDLE]] & made.seen
    here = [MIDDLE]
    assert decibels(made.frames, yard.empty[here], rim) > decibels(yard.frames[here], yard.empty[here], rim) + 5


def test_a_shadow_that_no_mask_covers_is_overruled(yard: Courtyard) -> None:
    dark = torch.zeros(len(yard.frames), HEIGHT, WIDTH, dtype=torch.bool)
    dark[MIDDLE, 40:50, 10:26] = True
    frames = torch.where(dark[..., None], (yard.frames * 0.5).to(torch.uint8), yard.frames)
    made = extract_background(seen_otherwise(yard.scene, frames), yard.scene.as_filmed[[MIDDLE]])
    inner = dark[[MIDDLE]]
    assert (
        decibels(made.frames, yard.empty[[MIDDLE]], inner) > decibels(frames[[MIDDLE]], yard.empty[[MIDDLE]], inner) + 6
    )


def test_what_is_always_covered_is_called_unseen(yard: Courtyard) -> None:
    masks = yard.covered.clone()
    masks[:, 14:36, 26:74] = True
    made = extract_background(seen_otherwise(yard.scene, yard.frames, masks), yard.scene.as_filmed[[MIDDLE]])
    assert made.seen[0, 24:27, 48:52].float().mean() < 0.1
    assert made.unseen > 0.01


def test_another_camera_and_a_refiner(yard: Courtyard) -> None:
    from neoverse_ns.generate.config import RefinerConfig

    path = yard.scene.as_filmed[[MIDDLE]].resized(120, HEIGHT)
    made = extract_background(yard.scene, path, refine=RefinerConfig(refiner="telea"))
    assert made.frames.shape == (1, HEIGHT, 120, 3)
    assert not bool(made.own.any())
    inside = (slice(None), slice(None), slice(12, 108))
    assert decibels(made.frames[inside], yard.empty[[MIDDLE]], made.seen[inside]) > 20


def test_bad_settings_and_scenes_without_frames(yard: Courtyard) -> None:
    with pytest.raises(SettingsError, match="tolerance"):
        extract_background(yard.scene, config=BackgroundConfig(tolerance=0.0))
    with pytest.raises(SettingsError, match="nearest"):
        BackgroundConfig(nearest=0).validate()
    with pytest.raises(SettingsError, match="witnesses"):
        BackgroundConfig(witnesses=1).validate()
    with pytest.raises(RunError, match="frames"):
        extract_background(replace(yard.scene, source=None), yard.scene.as_filmed)
