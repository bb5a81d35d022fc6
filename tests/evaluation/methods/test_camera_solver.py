"""Cameras of given and judged frames together, beside those of the scene."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neoverse_ns.evaluation.judges.views.make_task import view_task
from neoverse_ns.evaluation.methods.camera_solver import input_scene, solve_together
from neoverse_ns.evaluation.placing.predict_all import together
from neoverse_ns.reconstruct.bundle.config import BundleConfig, field_of_view
from neoverse_ns.reconstruct.config import SceneConfig
from tests.evaluation.memory_scene import even_to_odd, protocol, room_scene

WRONG = 1.4
"""Focal length over width that is far from the room's."""


@pytest.mark.parametrize("lens", ["pinhole", "zoom"])
def test_the_second_solve_keeps_the_focal_length_that_depth_was_measured_with(lens: str, tmp_path: Path) -> None:
    room = room_scene(frames=6, width=96, height=64, move=0.15)
    task = view_task(protocol("predict-all"), room, even_to_odd(room), tmp_path)
    told = SceneConfig(bundle=BundleConfig(fov_degrees=field_of_view(WRONG)))
    geometry = input_scene(task, told)[0].geometry
    assert geometry.report["lens"] == "pinhole"
    geometry = replace(geometry, report=geometry.report | {"lens": lens})
    solved = solve_together(together(task, chained=True), SceneConfig(), geometry)
    own = solved.K[:, 0, 0] / solved.width
    if lens == "pinhole":
        torch.testing.assert_close(own, torch.full_like(own, WRONG))
    else:
        # One that changes on the way is found anew.
        assert float((own - WRONG).abs().min()) > 0.1
