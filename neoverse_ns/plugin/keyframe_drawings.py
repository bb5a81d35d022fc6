"""Training keyframes as a finished run draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from neoverse_ns.evaluation.judges.runs.keyframes import KeyframeDrawings
from neoverse_ns.plugin.world import to_nerfstudio_cameras

if TYPE_CHECKING:
    from neoverse_ns.plugin.run import OpenRun


@torch.no_grad()
def draw_keyframes(run: OpenRun) -> KeyframeDrawings:
    """All keyframes, as `ns-eval` draws held-out frames.

    Raises:
        RunError: This is no run from a folder.
    """
    model, scene = run.loaded()
    colours, depths = [], []
    for frame in scene.geometry.keyframes:
        camera = to_nerfstudio_cameras(scene.geometry.cameras, scene.clip.times, [frame])
        outputs = model.get_outputs_for_camera(camera)
        colours.append(outputs["rgb"].cpu())
        depths.append(outputs["depth"].cpu()[..., 0])
    return KeyframeDrawings(torch.stack(colours), torch.stack(depths))
