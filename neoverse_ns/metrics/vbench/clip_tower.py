"""CLIP's image towers from OpenAI's own files or the Hugging Face hub's, run by transformers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import WeightsError
from neoverse_ns.metrics.vbench.measure import Frame
from neoverse_ns.metrics.vbench.pictures import for_clip
from neoverse_ns.metrics.vbench.tower import TowerShape, import_transformers
from neoverse_ns.weights.assign import assign_weights
from neoverse_ns.weights.read import WeightsFile
from neoverse_ns.weights.torchscript import read_weights_or_script

VIT_B_32 = TowerShape(768, 12, 32, 224, 512)
VIT_L_14 = TowerShape(1024, 24, 14, 224, 768)

_OPENAI = {
    "class_embedding": "vision_model.embeddings.class_embedding",
    "positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "ln_pre": "vision_model.pre_layrnorm",
    "ln_post": "vision_model.post_layernorm",
}
_OPENAI_BLOCK = {
    "attn.out_proj": "self_attn.out_proj",
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


class ClipTower:
    """The image embedding of CLIP.

    Args:
        module: transformers' `CLIPVisionModelWithProjection`.
        shape: Of it.
    """

    def __init__(self, module: Any, shape: TowerShape) -> None:
        self._module, self.shape = module, shape

    @torch.no_grad()
    def embed(self, frame: Frame) -> Float[Tensor, " d"]:
        """Image embedding of a frame, not normalised."""
        return self._module(pixel_values=for_clip(frame, self.shape.side)).image_embeds[0]


def load_clip_tower(path: Path, shape: TowerShape) -> ClipTower:
    """Read a tower, float32 whatever the file has.

    Args:
        path: OpenAI's archive (`ViT-B-32.pt`), its state dict, or the hub's `model.safetensors` or
            `pytorch_model.bin`; the text tower may be in it.
        shape: That it must have.

    Raises:
        WeightsError: It is missing, damaged or another network.
        PackageError: transformers is not installed.
    """
    file = read_weights_or_script(path)
    tensors = image_tower(file.tensors)
    found = _shape_of(tensors, path)
    if found != shape:
        raise WeightsError(f"{path} holds another CLIP: it has {found}, needed is {shape}")
    transformers = import_transformers("CLIP")
    config = transformers.CLIPVisionConfig(
        **shape.settings(),
        projection_dim=shape.embedding,
        hidden_act="quick_gelu",
        layer_norm_eps=1e-5,
    )
    with torch.device("meta"):
        module = transformers.CLIPVisionModelWithProjection(config)
    count = (shape.side // shape.patch) ** 2 + 1
    # The one buffer that no file holds.
    module.vision_model.embeddings.position_ids = torch.arange(count)[None]
    assign_weights(module, WeightsFile(path, tensors), dtype=torch.float32)
    return ClipTower(module, shape)


def image_tower(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The image tower's tensors under transformers' names, from either layout; empty where there is no such tower."""
    kept: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        if key.startswith(("vision_model.", "visual_projection.")) and not key.endswith("position_ids"):
            kept[key] = tensor
        elif key.startswith("visual."):
            kept |= _from_openai(key.removeprefix("visual."), tensor)
    return kept


def _from_openai(key: str, tensor: Tensor) -> dict[str, Tensor]:
    """One tensor of OpenAI's tower under transformers' names: queries, keys and values come in one there."""
    if key == "proj":
        return {"visual_projection.weight": tensor.T.contiguous()}
    if block := re.fullmatch(r"transformer\.resblocks\.(\d+)\.(.+)", key):
        prefix, name = f"vision_model.encoder.layers.{block[1]}", block[2]
        if joined := re.fullmatch(r"attn\.in_proj_(weight|bias)", name):
            parts = zip("qkv", tensor.chunk(3), strict=True)
            return {f"{prefix}.self_attn.{part}_proj.{joined[1]}": value for part, value in parts}
        stem, _, kind = name.rpartition(".")
        return {f"{prefix}.{_OPENAI_BLOCK.get(stem, stem)}.{kind}": tensor}
    stem, _, kind = key.rpartition(".")
    return {_OPENAI[key] if key in _OPENAI else f"{_OPENAI.get(stem, stem)}.{kind}": tensor}


def _shape_of(tensors: Mapping[str, Tensor], path: Path) -> TowerShape:
    needed = ("patch_embedding.weight", "position_embedding.weight")
    names = [f"vision_model.embeddings.{name}" for name in needed]
    if any(name not in tensors for name in (*names, "visual_projection.weight")):
        raise WeightsError(
            f"{path} holds no image tower of CLIP: give OpenAI's ViT-*.pt, or model.safetensors of openai/clip-vit-*"
        )
    width, _, _, patch = tensors[names[0]].shape
    side = round((len(tensors[names[1]]) - 1) ** 0.5) * patch
    layers = len({key.split(".")[3] for key in tensors if key.startswith("vision_model.encoder.layers.")})
    return TowerShape(width, layers, patch, side, len(tensors["visual_projection.weight"]))
