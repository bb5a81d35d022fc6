"""Edits of a scene of which everything is known, against its pictures with the edit made."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neoverse_ns.applications.edit.config import CompositeConfig, Operation
from neoverse_ns.applications.edit.edit import EditConfig, EditResult, edit
from neoverse_ns.applications.edit.edited_scene import saved
from neoverse_ns.applications.edit.prompt import repaint
from neoverse_ns.applications.edit.selection.selection import Selection, select
from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.layers import BACKGROUND
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.metrics.image import psnr
from neoverse_ns.reconstruct.store import load_scene, save_scene
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.applications.edit.yard import COUNT, RED, frames_of, yard

EVERY = list(range(COUNT))
OFFSET = (0.1, -0.15)


@pytest.fixture(scope="module")
def scene() -> ExportScene:
    return yard()


@pytest.fixture(scope="module")
def square(scene: ExportScene) -> Selection:
    return select(scene, frames_of()[1].float(), EVERY)


@pytest.fixture(scope="module")
def removed(scene: ExportScene, square: Selection) -> EditResult:
    return edit(scene, [(square, Operation(remove=True))])


def wide(mask: torch.Tensor, by: int = 7) -> torch.Tensor:
    return torch.nn.functional.max_pool2d(mask[:, None].float(), 2 * by + 1, 1, by)[:, 0] > 0


def fidelity(frames: torch.Tensor, truth: torch.Tensor, masks: torch.Tensor) -> float:
    return min(psnr(a.float() / 255, b, m) for a, b, m in zip(frames, truth, masks, strict=True) if m.any())


def iou(shares: torch.Tensor, truth: torch.Tensor) -> float:
    found = shares > 0.5
    return float((found & truth).sum() / (found | truth).sum())


def test_what_is_removed_shows_what_is_behind(scene: ExportScene, removed: EditResult) -> None:
    truth, there = frames_of(None)[0], frames_of()[1]
    assert fidelity(removed.frames, truth, there) > 27
    outside = ~wide(there)
    assert scene.source is not None
    assert torch.equal(removed.frames[outside], scene.source.clip.frames[outside])


def test_without_other_frames_the_layer_behind_serves(scene: ExportScene, square: Selection) -> None:
    config = EditConfig(CompositeConfig(from_frames=False))
    frames = edit(scene, [(square, Operation(remove=True))], config).frames
    assert fidelity(frames, frames_of(None)[0], frames_of()[1]) > 26


def test_what_was_never_seen_is_left_to_the_refiner(scene: ExportScene, square: Selection) -> None:
    bare = scene.gaussians.without(BACKGROUND)
    scene = ExportScene(bare, scene.cameras, scene.times, scene.seconds, source=scene.source)
    config = EditConfig(CompositeConfig(from_frames=False), RefinerConfig(refiner="telea"))
    plain = edit(scene, [(square, Operation(remove=True))], EditConfig(config.composite))
    finished = edit(scene, [(square, Operation(remove=True))], config)
    there = frames_of()[1]
    # At a keyframe nothing says what is behind: black without a refiner.
    assert plain.composed.alpha[2][there[2]].mean() < 0.2
    truth = frames_of(None)[0]
    assert fidelity(finished.frames[2:3], truth[2:3], there[2:3]) > 3 + fidelity(
        plain.frames[2:3], truth[2:3], there[2:3]
    )


def test_what_is_moved_is_where_it_shall_be(scene: ExportScene, square: Selection) -> None:
    result = edit(scene, [(square, Operation(move=(*OFFSET, 0.0)))])
    truth, there = frames_of(OFFSET)
    assert iou(result.composed.arrived, there) > 0.85
    before = frames_of()[1]
    assert fidelity(result.frames, truth, wide(there & ~before, 0)) > 20
    assert fidelity(result.frames, truth, before & ~wide(there, 1)) > 25
    outside = ~wide(before | there)
    assert scene.source is not None
    assert torch.equal(result.frames[outside], scene.source.clip.frames[outside])


def test_what_is_doubled_is_there_twice(scene: ExportScene, square: Selection) -> None:
    result = edit(scene, [(square, Operation(duplicate=True, move=(0.0, -0.3, 0.0)))])
    both = frames_of((0.0, -0.3), also=True)[1]
    own = frames_of()[1]
    assert iou(result.composed.arrived, both & ~own) > 0.8
    assert scene.source is not None
    # The first of them is the clip's own.
    inner = own & ~wide(both & ~own, 4)
    assert torch.equal(result.frames[inner], scene.source.clip.frames[inner])
    assert len(result.edited.gaussians.frames) > len(scene.gaussians.frames)


def test_recolouring_changes_the_clips_own_pixels(scene: ExportScene, square: Selection) -> None:
    result = edit(scene, [(square, Operation(recolour=(0.1, 0.1, 0.9)))])
    there = frames_of()[1]
    inner = ~wide(~there, 1)
    mean = (result.frames[inner].float() / 255).mean(dim=0)
    assert mean[2] > 3 * mean[0]
    # As bright, on the whole, as the colour asked for is where the thing is as bright as it mostly is.
    assert mean[2] == pytest.approx(0.9, abs=0.15)
    outside = ~wide(there)
    assert scene.source is not None
    assert torch.equal(result.frames[outside], scene.source.clip.frames[outside])


def test_scaling_keeps_the_way(scene: ExportScene, square: Selection) -> None:
    larger = edit(scene, [(square, Operation(scale=1.5))])
    area = (larger.composed.arrived > 0.5).flatten(1).sum(dim=1) / frames_of()[1].flatten(1).sum(dim=1)
    assert area.min() > 1.8
    assert area.max() < 2.7


def test_edits_of_several_things_are_made_together(scene: ExportScene, square: Selection) -> None:
    moved = Operation(duplicate=True, move=(0.0, -0.3, 0.0))
    result = edit(scene, [(square, moved), (square, Operation(remove=True))])
    truth, there = frames_of((0.0, -0.3))
    assert iou(result.composed.arrived, there) > 0.8
    assert fidelity(result.frames, truth, frames_of()[1] & ~wide(there, 1)) > 25


def test_along_another_path_the_thing_is_gone_too(scene: ExportScene, square: Selection) -> None:
    path = Trajectory(scene.cameras[[0, 2]], scene.times[[0, 2]], fps=4.0)
    result = edit(scene, [(square, Operation(remove=True))], trajectory=path)
    assert result.along is not None
    assert result.along.frames.shape[0] == 2
    assert fidelity(result.along.frames, frames_of(None)[0][[0, 2]], frames_of()[1][[0, 2]]) > 25


def test_an_edited_scene_is_saved_and_read_again(removed: EditResult, tmp_path: Path) -> None:
    save_scene(saved(removed.scene), tmp_path / "scene")
    again = load_scene(tmp_path / "scene")
    assert torch.equal(again.clip.frames, removed.frames)
    assert again.gaussians is not None
    assert again.gaussians.count == removed.edited.gaussians.count
    assert again.geometry.things is not None
    # Nothing moves any more.
    assert not bool(again.geometry.dynamic.any())
    assert int(again.geometry.things.max()) == 0
    there = frames_of()[1][again.geometry.keyframes]
    assert (again.geometry.depth[there] - 2.0).abs().median() < 0.05


def test_a_prompt_gives_the_refiner_frames_without_the_region(scene: ExportScene, square: Selection) -> None:
    made = repaint(scene, square, RefinerConfig(refiner="telea", prompt="a blue square"))
    there, given = frames_of()[1], made.conditions
    assert float(given.rgb[there].max()) == 0
    assert not bool(given.mask[there].any())
    outside = ~wide(there)
    assert scene.source is not None
    assert torch.equal(given.rgb[outside], scene.source.clip.images[outside])
    assert bool(given.mask[outside].all())
    # The shape is the thing's own.
    assert (given.depth[there] - 1).abs().median() < 0.05
    assert torch.equal(made.frames[outside], scene.source.clip.frames[outside])
    red = (made.frames[there].float() / 255 - torch.tensor(RED)).abs().mean()
    assert red > 0.2


def test_edits_that_say_nothing_or_contradict_are_refused(scene: ExportScene, square: Selection) -> None:
    for operation, message in (
        (Operation(), "nothing is to be done"),
        (Operation(duplicate=True), "would not be seen"),
        (Operation(remove=True, scale=2.0), "cannot be moved"),
        (Operation(scale=0.0), "above 0"),
        (Operation(move=(float("nan"), 0.0, 0.0)), "finite"),
    ):
        with pytest.raises(SettingsError, match=message):
            edit(scene, [(square, operation)])
    with pytest.raises(SettingsError, match="nothing to edit"):
        edit(scene, [])
    with pytest.raises(SettingsError, match="needs a refiner that paints"):
        repaint(scene, square, RefinerConfig())
