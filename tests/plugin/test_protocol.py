"""The name that numbers carry tells whether two of them can be compared."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from neoverse_ns.plugin.pipeline import IGNORED_NOTE, protocol_of
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import split_frames
from neoverse_ns.reconstruct.tracking_guard import USES, describe_tracking
from tests.reconstruct.small_scene import small_scene


def scene_with(tracking: dict[str, Any] | None, held_out_every: int = 8) -> Scene:
    scene = small_scene(with_gaussians=False)
    if tracking is not None:
        scene.geometry.report["tracking"] = tracking
    return dataclasses.replace(scene, split=split_frames(len(scene.clip), held_out_every=held_out_every))


def test_scenes_that_know_more_are_measured_under_another_name() -> None:
    told = {
        "m1": describe_tracking(40, 30, "m1"),
        "m0": describe_tracking(40, 40, "m0"),
        "train": describe_tracking(10, 0, "m1"),
    }
    for name, tracking in told.items():
        protocol, note = protocol_of(scene_with(tracking))
        assert protocol == f"interleaved-time-{name}"
        assert note.endswith(USES[name])
        assert "their pixels never train the scene" in note
    assert len(set(USES.values())) == 3


def test_runs_from_before_tracking_used_training_frames_alone() -> None:
    assert protocol_of(scene_with(None)) == protocol_of(scene_with(describe_tracking(0, 0, "m1")))
    assert protocol_of(scene_with(None))[0] == "interleaved-time-train"


@pytest.mark.parametrize("tracking", [None, describe_tracking(40, 40, "m1")])
def test_without_held_out_frames_it_does_not_matter(tracking: dict[str, Any] | None) -> None:
    assert protocol_of(scene_with(tracking, held_out_every=0))[0] == "same-frames"


def test_what_counts_nowhere_is_said() -> None:
    scene = scene_with(None)
    ignored = torch.zeros(scene.clip.frames.shape[:3], dtype=torch.bool)
    masked = dataclasses.replace(scene, clip=dataclasses.replace(scene.clip, ignored=ignored))
    assert protocol_of(masked)[1] == protocol_of(scene)[1] + IGNORED_NOTE
