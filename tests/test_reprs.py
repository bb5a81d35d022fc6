"""What people see of a scene in a notebook or a debugger: a line of counts and sizes, no tensors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.trajectory.files import preset_move
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.plugin.tiny_scene import tiny_scene

SCENE: Scene = tiny_scene()
assert SCENE.gaussians is not None
CAMERAS, CLIP, GAUSSIANS = SCENE.geometry.cameras, SCENE.clip, SCENE.gaussians
FRAMES, SIZE = len(CLIP), f"{CLIP.width}x{CLIP.height}"
LAYERS = f"LayeredGaussians(frames {len(GAUSSIANS.frames)})"


@pytest.mark.parametrize(
    ("thing", "line"),
    [
        (CAMERAS, f"PinholeCameras({FRAMES} of {SIZE})"),
        (GAUSSIANS.frames, f"DynamicGaussians({len(GAUSSIANS.frames)})"),
        (GAUSSIANS, LAYERS),
        (CLIP, f"Clip(clip.mp4: {FRAMES} frames of {SIZE}, {0.1 * (FRAMES - 1):.2f} s)"),
        (SCENE, None),
        (ExportScene(GAUSSIANS, CAMERAS, CLIP.times, CLIP.seconds), f"ExportScene({CAMERAS!r}, {LAYERS})"),
        (ExportScene(GAUSSIANS, CAMERAS, CLIP.times, CLIP.seconds, source=SCENE), None),
        (Trajectory(CAMERAS, CLIP.times, fps=24.0), f"Trajectory({FRAMES} frames of {SIZE}, times 0 to 1, 24 fps)"),
        (Trajectory(CAMERAS[:0], CLIP.times[:0]), f"Trajectory(0 frames of {SIZE})"),
        (preset_move("pan_left"), "CameraMove(pan_left: 81 frames, relative)"),
        (SourceScene(CLIP.frames, CAMERAS, CLIP.times, [0, 4], GAUSSIANS), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_line_tells_counts_and_sizes(thing: Any, line: str | None) -> None:
    text = repr(thing)
    assert line in (None, text)
    assert len(text) < 240
    assert "tensor" not in text
    assert "\n" not in text
    assert SIZE in text or "Gaussians" in text or "Move" in text


def test_a_scene_tells_its_clip_its_geometry_and_its_layers() -> None:
    assert repr(SCENE) == f"Scene({CLIP!r}, {SCENE.geometry!r}, {LAYERS})"
    told = replace(SCENE.geometry, things=3 * SCENE.geometry.dynamic.int())
    assert repr(told) == f"SceneGeometry({CAMERAS!r}, {len(told.keyframes)} keyframes, 3 things)"
