"""Data manager: one whole frame a step while training, rays where nerfstudio's exporters ask for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from nerfstudio.cameras.cameras import Cameras
from nerfstudio.cameras.rays import RayBundle
from nerfstudio.data.datamanagers.base_datamanager import VanillaDataManager, VanillaDataManagerConfig

from neoverse_ns.optimise.frame_order import frame_of_step
from neoverse_ns.plugin.benchmark.source import AnySource, BenchmarkSource, ClipSource
from neoverse_ns.plugin.dataparser import NeoVerseDataParserConfig
from neoverse_ns.plugin.dataset import ClipDataset
from neoverse_ns.plugin.refined_feed import RefinedFeed
from neoverse_ns.plugin.user_errors import exit_on_user_error

A_CLIP = ClipSource()
"""Default of a class rather than of an instance: configs that are older than the field have it, too."""


@dataclass
class NeoVerseDataManagerConfig(VanillaDataManagerConfig):
    """Feeds the frames of a clip."""

    _target: type = field(default_factory=lambda: NeoVerseDataManager)
    source: AnySource = A_CLIP
    """Whether a clip is given, or a benchmark's scene; words such as dycheck-data choose, and their flags follow."""
    dataparser: NeoVerseDataParserConfig = field(default_factory=NeoVerseDataParserConfig)
    """The clip and how it is reconstructed."""
    data: Path | None = None
    """The clip; `--data` is short for it."""
    train_num_rays_per_batch: int = 65536
    """Rays per batch for ns-export pointcloud; training uses whole frames."""
    eval_num_rays_per_batch: int = 65536
    """The same for evaluation."""


class NeoVerseDataManager(VanillaDataManager[ClipDataset]):
    """Derived from the vanilla manager because ns-render spiral and ns-export pointcloud accept nothing else."""

    config: NeoVerseDataManagerConfig

    def __init__(
        self,
        config: NeoVerseDataManagerConfig,
        device: torch.device | str = "cpu",
        test_mode: Literal["test", "val", "inference"] = "val",
        world_size: int = 1,
        local_rank: int = 0,
        **kwargs: Any,
    ) -> None:
        with exit_on_user_error():
            config.dataparser.benchmark = source if isinstance(source := config.source, BenchmarkSource) else None
            super().__init__(config, device, test_mode, world_size, local_rank, **kwargs)
        self._refined: RefinedFeed | None = None

    def get_datapath(self) -> Path:
        """A folder the viewer can write camera paths to: the run's, where there is one."""
        scene_dir = self.config.dataparser.scene_dir
        return scene_dir.parent if scene_dir is not None else super().get_datapath()

    def add_refined(self, feed: RefinedFeed | None) -> None:
        """Let some steps take refined views from now on; they take the place of earlier ones."""
        self._refined = feed

    def next_train(self, step: int) -> tuple[RayBundle | Cameras, dict]:  # pyright: ignore
        """A training frame with its camera; in any mode but training a batch of rays, which the exporters expect.

        Where there are refined views, some steps take one of those.
        """
        if self.test_mode != "val":
            return super().next_train(step)
        self.train_count += 1
        if self._refined is not None:
            view = self._refined.interleaving.view(step)
            if view is not None:
                return self._refined.batch(view, self.device)
            step = self._refined.interleaving.frames_before(step)
        index = self._next_index(step)
        batch = {"image": self.train_image(index), "image_idx": index}
        return self.train_dataset.cameras[index : index + 1].to(self.device), batch

    def train_image(self, index: int) -> torch.Tensor:
        """Training image [h, w, 3] in [0, 1] on the device."""
        return self.train_dataset.get_image_float32(index).to(self.device)

    def _next_index(self, step: int) -> int:
        """See :func:`neoverse_ns.optimise.frame_order.frame_of_step`."""
        return frame_of_step(step, len(self.train_dataset))

    def next_eval(self, step: int) -> tuple[Cameras, dict]:  # pyright: ignore
        """A held-out frame with its camera."""
        return self.next_eval_image(step)

    def get_train_rays_per_batch(self) -> int:
        """Pixels of one frame: what a training step draws."""
        cameras = self.train_dataset.cameras
        return int(cameras.height[0]) * int(cameras.width[0])
