"""DINO's ViT-B/16 from the authors' file or the Hugging Face hub's, run by transformers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import WeightsError
from neoverse_ns.metrics.vbench.measure import Frame
from neoverse_ns.metrics.vbench.pictures import for_dino, for_patches
from neoverse_ns.metrics.vbench.tower import TowerShape, import_transformers
from neoverse_ns.weights.assign import assign_weights
from neoverse_ns.weights.read import WeightsFile, read_weights

DINO_B_16 = TowerShape(768, 12, 16, 224, 768)

_OWN = {
    "cls_token": "embeddings.cls_token",
    "pos_embed": "embeddings.position_embeddings",
    "patch_embed.proj": "embeddings.patch_embeddings.projection",
    "norm": "layernorm",
}
_OWN_BLOCK = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}


class DinoTower:
    """DINO's features of a frame.

    Args:
        module: transformers' `ViTModel`.
        shape: Of it.
    """

    def __init__(self, module: Any, shape: TowerShape) -> None:
        self._module, self.shape = module, shape

    def embed(self, frame: Frame) -> Float[Tensor, " d"]:
        """The class token after the last norm, not normalised."""
        return self._tokens(for_dino(frame, self.shape.side))[0]

    def patches(self, frame: Frame) -> Float[Tensor, "rows columns d"]:
        """The tokens of all patches, row by row, which cover the frame from edge to edge."""
        picture = for_patches(frame, self.shape.patch, self.shape.side)
        rows, columns = (side // self.shape.patch for side in picture.shape[2:])
        return self._tokens(picture)[1:].view(rows, columns, -1)

    @torch.no_grad()
    def _tokens(self, picture: Float[Tensor, "1 3 h w"]) -> Float[Tensor, "tokens d"]:
        return self._module(pixel_values=picture, interpolate_pos_encoding=True).last_hidden_state[0]


def load_dino_tower(path: Path, shape: TowerShape = DINO_B_16) -> DinoTower:
    """Read a tower.

    Args:
        path: `dino_vitbase16_pretrain.pth`, or the hub's `model.safetensors` or `pytorch_model.bin` of it.
        shape: That it must have.

    Raises:
        WeightsError: It is missing, damaged or another network.
        PackageError: transformers is not installed.
    """
    tensors = under_their_names(read_weights(path).tensors)
    found = _shape_of(tensors, path)
    if found != shape:
        raise WeightsError(f"{path} holds another vision transformer: it has {found}, needed is {shape}")
    transformers = import_transformers("DINO")
    config = transformers.ViTConfig(
        **shape.settings(),
        hidden_act="gelu",
        layer_norm_eps=1e-6,
    )
    with torch.device("meta"):
        module = transformers.ViTModel(config, add_pooling_layer=False)
    assign_weights(module, WeightsFile(path, tensors), dtype=torch.float32)
    own = module.embeddings

    def positions(embeddings: Tensor, height: int, width: int) -> Tensor:
        return positions_for(own.position_embeddings, height // shape.patch, width // shape.patch)

    # transformers places the patches of other sizes a little differently, by which features differ in the third digit.
    own.interpolate_pos_encoding = positions
    return DinoTower(module, shape)


def positions_for(learned: Float[Tensor, "1 tokens d"], rows: int, columns: int) -> Float[Tensor, "1 more d"]:
    """DINO's positions for a grid of other size: bicubic, with a tenth of a patch added to the size for its scale."""
    side = round((learned.shape[1] - 1) ** 0.5)
    if rows == columns == side:
        return learned
    grid = learned[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    scale = ((rows + 0.1) / side, (columns + 0.1) / side)
    resized = F.interpolate(grid, scale_factor=scale, mode="bicubic", align_corners=False)
    return torch.cat([learned[:, :1], resized.permute(0, 2, 3, 1).reshape(1, rows * columns, -1)], dim=1)


def under_their_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under transformers' names, from either layout; a pooling layer, which DINO has not, is left out."""
    kept: dict[str, Tensor] = {}
    for full, tensor in tensors.items():
        key = full.removeprefix("vit.")
        if key.startswith(("pooler.", "classifier.")):
            continue
        block = re.fullmatch(r"blocks\.(\d+)\.(.+)\.(weight|bias)", key)
        if block is None:
            stem, _, kind = key.rpartition(".")
            kept[_OWN[key] if key in _OWN else f"{_OWN[stem]}.{kind}" if stem in _OWN else key] = tensor
            continue
        prefix, name, kind = f"encoder.layer.{block[1]}", block[2], block[3]
        if name == "attn.qkv":
            parts = zip(("query", "key", "value"), tensor.chunk(3), strict=True)
            kept |= {f"{prefix}.attention.attention.{part}.{kind}": value for part, value in parts}
        else:
            kept[f"{prefix}.{_OWN_BLOCK.get(name, name)}.{kind}"] = tensor
    return kept


def _shape_of(tensors: Mapping[str, Tensor], path: Path) -> TowerShape:
    patches, places = "embeddings.patch_embeddings.projection.weight", "embeddings.position_embeddings"
    if patches not in tensors or places not in tensors:
        raise WeightsError(f"{path} holds no vision transformer of DINO: give dino_vitbase16_pretrain.pth")
    width, _, _, patch = tensors[patches].shape
    side = round((tensors[places].shape[1] - 1) ** 0.5) * patch
    layers = len({key.split(".")[2] for key in tensors if key.startswith("encoder.layer.")})
    return TowerShape(width, layers, patch, side, width)
