"""The seam of the generation stage: shapes are checked, frames can be cut out, refiners are found by name."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from neoverse_ns.errors import RefinementError, SettingsError
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.generate.source_scene import SourceScene
from tests.reconstruct.small_scene import small_scene


def some_conditions(frames: int = 4, height: int = 6, width: int = 8, first_frame: bool = False) -> Conditions:
    generator = torch.Generator().manual_seed(0)
    alpha = torch.rand(frames, height, width, generator=generator)
    return Conditions(
        rgb=3 * torch.rand(frames, height, width, 3, generator=generator) - 1,
        depth=alpha + 1,
        alpha=alpha,
        mask=alpha > 0.5,
        plucker=torch.rand(frames, 6, height, width, generator=generator),
        K=torch.eye(3).expand(frames, 3, 3),
        c2w=torch.eye(4).expand(frames, 4, 4),
        times=torch.linspace(0, 1, frames),
        first_frame=first_frame,
    )


def test_a_stretch_of_frames_keeps_every_field_together() -> None:
    conditions = some_conditions(first_frame=True)
    part = conditions[1:3]
    assert (len(part), part.height, part.width) == (2, 6, 8)
    for name, value in part.tensors().items():
        assert torch.equal(value, conditions.tensors()[name][1:3]), name
    assert not part.first_frame
    assert conditions[:2].first_frame


def test_conditions_without_a_frame_are_refused() -> None:
    with pytest.raises(RefinementError, match="no frame"):
        some_conditions()[4:]


def test_no_refiner_leaves_the_drawing_but_keeps_it_in_range() -> None:
    conditions = some_conditions()
    frames = get_refiner(RefinerConfig()).refine(conditions)
    assert torch.equal(frames, conditions.rgb.clamp(0, 1))
    assert float(frames.max()) == 1.0
    with pytest.raises(SettingsError, match="none"):
        get_refiner(RefinerConfig(refiner="nobody"))


def test_a_scene_becomes_a_source_and_wrong_parts_are_refused() -> None:
    scene = small_scene()
    source = SourceScene.of(scene)
    # Held-out frames are left out, and keyframes counted among the others.
    assert scene.split.held_out == [4]
    assert torch.equal(source.frames, scene.clip.frames[[0, 1, 2, 3, 5, 6, 7, 8]])
    assert torch.equal(source.times, scene.clip.times[scene.split.train])
    assert source.gaussians is scene.gaussians
    assert [scene.split.train[frame] for frame in source.keyframes] == scene.split.keyframes
    with pytest.raises(RefinementError, match="without Gaussians"):
        SourceScene.of(small_scene(with_gaussians=False))
    with pytest.raises(RefinementError, match="keyframes"):
        dataclasses.replace(source, keyframes=[8])
    with pytest.raises(RefinementError, match="31x16"):
        dataclasses.replace(source, frames=source.frames[:, :, :-1])
    with pytest.raises(RefinementError, match="8 frames need as many cameras, got 7"):
        dataclasses.replace(source, cameras=source.cameras[1:])
