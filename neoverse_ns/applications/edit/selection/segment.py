"""Regions named in words, found by an image segmentation model of the transformers library, where the user has one.

CLIPSeg takes any words; models with a fixed list of classes (Mask2Former, MaskFormer, OneFormer, SegFormer and others)
take the names of theirs. Nothing is downloaded from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.nn import functional

from neoverse_ns.console import progress
from neoverse_ns.errors import PackageError, SettingsError, WeightsError
from neoverse_ns.export.scene import ExportScene

_FEW = 5
"""Classes named where none fits."""

Segmenter = Callable[[UInt8[Tensor, "h w 3"]], Bool[Tensor, "h w"]]


@dataclass(frozen=True)
class SegmentConfig:
    """Which model finds what words name.

    Attributes:
        name: A folder, or the id of a model in the hub's local cache.
        threshold: Probability from which on a pixel belongs to it, of models that give one.
    """

    name: str = "CIDAS/clipseg-rd64-refined"
    threshold: float = 0.4


def segment(scene: ExportScene, words: str, config: SegmentConfig) -> tuple[Float[Tensor, "f h w"], list[int]]:
    """Masks of all training frames for what `words` name.

    Raises:
        PackageError: The transformers library is not installed.
        WeightsError: There is no such model on this machine.
        SettingsError: The model does not know the words, or sees the thing nowhere.
    """
    assert scene.source is not None
    find = load_segmenter(words, config)
    clip, frames = scene.source.clip, list(scene.source.split.train)
    masks = []
    with progress(f"looking for: {words}", len(frames)) as steps:
        for frame in frames:
            masks.append(find(clip.frames[frame]).float())
            steps.advance()
    if not any(bool(mask.any()) for mask in masks):
        raise SettingsError(f"--segment '{words}': {config.name} sees it in no frame; use other words, or --box")
    return torch.stack(masks), frames


def load_segmenter(words: str, config: SegmentConfig) -> Segmenter:
    """What finds the words in an image.

    Raises:
        See :func:`segment`.
    """
    if not 0 < config.threshold < 1:
        raise SettingsError(f"a threshold of segmentation lies between 0 and 1, got {config.threshold:g}")
    try:
        from transformers import AutoConfig
    except ImportError as error:
        raise PackageError(
            "--segment needs the transformers library: pip install 'neoverse-ns[depth]', or give --box or --mask"
        ) from error
    try:
        kind = AutoConfig.from_pretrained(config.name, local_files_only=True).model_type
        return _by_words(words, config) if kind == "clipseg" else _by_class(words, config, kind)
    except (OSError, ValueError, KeyError, ImportError) as error:
        if isinstance(error, SettingsError):
            raise
        raise WeightsError(
            f"--segment: no segmentation model can be loaded from {config.name!r}: give --segment-model a folder, or "
            f"the id of a model in the hub's local cache, or select by --box or --mask ({str(error).splitlines()[0]})"
        ) from error


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _by_words(words: str, config: SegmentConfig) -> Segmenter:
    from transformers import AutoProcessor, CLIPSegForImageSegmentation

    processor: Any = AutoProcessor.from_pretrained(config.name, local_files_only=True)
    network: Any = CLIPSegForImageSegmentation.from_pretrained(config.name, local_files_only=True)
    network = network.eval().to(_device())

    @torch.no_grad()
    def find(image: UInt8[Tensor, "h w 3"]) -> Bool[Tensor, "h w"]:
        inputs = processor(text=[words], images=[image.numpy()], return_tensors="pt", padding=True)
        logits = network(**inputs.to(network.device)).logits.float().cpu()
        # One picture comes back without the batch.
        logits = logits.reshape(1, 1, *logits.shape[-2:])
        sized = functional.interpolate(logits, tuple(image.shape[:2]), mode="bilinear", align_corners=False)
        return sized[0, 0].sigmoid() > config.threshold

    return find


def _by_class(words: str, config: SegmentConfig, kind: str) -> Segmenter:
    from transformers import AutoImageProcessor, AutoModelForSemanticSegmentation, AutoModelForUniversalSegmentation

    universal = kind in ("mask2former", "maskformer", "detr")
    loader: Any = AutoModelForUniversalSegmentation if universal else AutoModelForSemanticSegmentation
    processor: Any = AutoImageProcessor.from_pretrained(config.name, local_files_only=True)
    network: Any = loader.from_pretrained(config.name, local_files_only=True)
    network = network.eval().to(_device())
    classes = class_numbers(words, network.config.id2label, config.name)

    @torch.no_grad()
    def find(image: UInt8[Tensor, "h w 3"]) -> Bool[Tensor, "h w"]:
        inputs = processor(images=[image.numpy()], return_tensors="pt").to(network.device)
        size = tuple(image.shape[:2])
        labels = processor.post_process_semantic_segmentation(network(**inputs), target_sizes=[size])[0].cpu()
        if tuple(labels.shape) != size:
            labels = torch.from_numpy(
                cv2.resize(labels.to(torch.int32).numpy(), (size[1], size[0]), interpolation=cv2.INTER_NEAREST)
            )
        return torch.isin(labels.long(), torch.tensor(classes))

    return find


def class_numbers(words: str, names: dict[int, str], model: str) -> list[int]:
    """The classes whose name holds one that was asked for, or is held by it: "white car" is a car.

    Raises:
        SettingsError: The model has no such class.
    """
    asked = words.lower().replace(",", " ").split()
    found = [
        int(number)
        for number, name in names.items()
        if any(word in asked for part in name.lower().split(",") for word in part.replace("-", " ").split())
    ]
    if not found:
        some = ", ".join(list(names.values())[:_FEW])
        raise SettingsError(f"--segment '{words}': {model} has no such class; it knows {some}, ... ({len(names)})")
    return found
