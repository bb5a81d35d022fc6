"""What a refiner may learn from: the training frames, and nothing of those held out."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.gaussians.layers import INPAINTED, LayeredGaussians
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.split import FrameSplit


def training_source(
    clip: Clip,
    split: FrameSplit,
    keyframes: list[int],
    cameras: PinholeCameras,
    gaussians: LayeredGaussians,
    unit: float | None = None,
) -> SourceScene:
    """The clip as its training frames show it, with the Gaussians that those gave.

    Held-out frames are left out altogether, so that what is measured on them stays honest; Gaussians that an earlier
    round inpainted are left out, so that no round takes what another invented for what was seen.

    Args:
        clip: All sampled frames.
        split: Which of them train.
        keyframes: Which of them carry Gaussians, be it of moving things alone; `keyframe` of the Gaussians counts
            these.
        cameras: One per sampled frame, refined or as estimated.
        gaussians: Of the same world as the cameras.
        unit: See :func:`neoverse_ns.reconstruct.base.network_unit`.
    """
    frames = split.train
    return SourceScene(
        frames=clip.frames[frames],
        cameras=cameras[frames],
        times=clip.times[frames],
        keyframes=[frames.index(keyframe) for keyframe in keyframes],
        gaussians=gaussians.detach().without(INPAINTED),
        whole=[frames.index(keyframe) for keyframe in split.keyframes],
        unit=unit,
    )


def source_key(source: SourceScene, settings: dict[str, Any]) -> str:
    """Equal for the same frames, cameras, Gaussians and settings; anything that could change a refined view changes it.

    Args:
        source: What is refined.
        settings: Plain values.
    """
    value = hashlib.blake2b(json.dumps(settings, sort_keys=True, default=str).encode(), digest_size=16)
    for tensor in (source.frames, source.cameras.c2w, source.cameras.K, source.times):
        _add(value, tensor)
    for tensor in source.gaussians.tensors().values():
        _add(value, tensor)
    if source.unit is not None:
        value.update(repr(source.unit).encode())
    return value.hexdigest()


def _add(value: Any, tensor: Tensor) -> None:
    value.update(f"{tuple(tensor.shape)}{tensor.dtype}".encode())
    flat = tensor.detach().to(torch.device("cpu")).contiguous().numpy()
    value.update(np.ascontiguousarray(flat).data)
