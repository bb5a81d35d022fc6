"""Dataset: the scene's frames as nerfstudio images."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from nerfstudio.data.datasets.base_dataset import InputDataset
from numpy.typing import NDArray

from neoverse_ns.plugin.benchmark.targets import RunTargets
from neoverse_ns.plugin.dataparser import SCENE_KEY, TARGETS_KEY
from neoverse_ns.plugin.world import FRAME_KEY, TARGET_KEY
from neoverse_ns.reconstruct.scene import Scene


class ClipDataset(InputDataset):
    """Frames come from the scene in memory: exact, and independent of files, Pillow and nerfstudio versions."""

    @property
    def scene(self) -> Scene:
        return self.metadata[SCENE_KEY].scene

    def frame(self, image_idx: int) -> int:
        """Position of an image among the sampled frames."""
        metadata = self._dataparser_outputs.cameras.metadata
        assert metadata is not None
        return int(metadata[FRAME_KEY][image_idx])

    @property
    def targets(self) -> RunTargets | None:
        """What a protocol judges by, where these images are that and no frames of the clip."""
        own = self._dataparser_outputs.cameras.metadata
        return self.metadata.get(TARGETS_KEY) if own is not None and TARGET_KEY in own else None

    def get_numpy_image(self, image_idx: int) -> NDArray[np.uint8]:
        targets = self.targets
        if targets is not None:
            image = targets.truth(image_idx).rgb.numpy()
        else:
            image = self.scene.clip.frames[self.frame(image_idx)].numpy()
        if self.scale_factor != 1.0:
            size = (int(image.shape[1] * self.scale_factor), int(image.shape[0] * self.scale_factor))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return image

    def get_metadata(self, data: dict) -> dict:
        """Adds what evaluation must know of single pixels: which show the world, and which move in held-out frames."""
        if self.targets is not None:
            mask = self.targets.truth(data["image_idx"]).mask
            return {"target": data["image_idx"]} | ({} if mask is None else {"target_mask": mask})
        frame = self.frame(data["image_idx"])
        held_out = self.scene.split.held_out
        height, width = data["image"].shape[:2]
        world = self.scene.clip.world(frame, (height, width))
        metadata = {} if world is None else {"world_mask": world}
        if frame in held_out:
            mask = self.scene.held_out_dynamic[held_out.index(frame)]
            if mask.shape != (height, width):
                mask = torch.from_numpy(cv2.resize(mask.numpy().astype(np.uint8), (width, height))) > 0
            metadata["dynamic_mask"] = mask
        return metadata
