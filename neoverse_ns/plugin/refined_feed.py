"""Refined views as nerfstudio training batches."""

from __future__ import annotations

from typing import Any

import torch
from nerfstudio.cameras.cameras import Cameras, CameraType

from neoverse_ns.generate.stage.config import StageConfig
from neoverse_ns.generate.stage.schedule import Interleaving
from neoverse_ns.generate.stage.view_loss import pixel_weights
from neoverse_ns.generate.stage.views import RefinedViews
from neoverse_ns.plugin.world import VIEW_KEY, to_nerfstudio_c2w

WEIGHT_KEY = "refined_weight"
"""Key in a batch under which a refined view's pixel weights lie; batches of the clip's own frames lack it."""


class RefinedFeed:
    """Hands out refined views at their share of the steps.

    Args:
        views: All of a round.
        config: How they count.
        start: First step that may take one.
    """

    def __init__(self, views: RefinedViews, config: StageConfig, start: int) -> None:
        self._views, self._config = views, config
        self.interleaving = Interleaving(start, config.share, len(views))
        height, width = views.frames.shape[1:3]
        self._cameras = Cameras(
            camera_to_worlds=to_nerfstudio_c2w(views.c2w),
            fx=views.K[:, 0, 0].contiguous(),
            fy=views.K[:, 1, 1].contiguous(),
            cx=views.K[:, 0, 2].contiguous(),
            cy=views.K[:, 1, 2].contiguous(),
            width=width,
            height=height,
            times=views.times.reshape(-1, 1),
            camera_type=CameraType.PERSPECTIVE,
            metadata={VIEW_KEY: torch.arange(len(views)).reshape(-1, 1)},
        )

    def __len__(self) -> int:
        return len(self._views)

    def batch(self, index: int, device: torch.device | str) -> tuple[Cameras, dict[str, Any]]:
        """One view: its camera, its picture in [0, 1], and the weight of every pixel."""
        image = self._views.frames[index].to(device).float() / 255
        weight = pixel_weights(self._views.repainted[index].to(device), self._config)
        return self._cameras[index : index + 1].to(device), {"image": image, WEIGHT_KEY: weight}
