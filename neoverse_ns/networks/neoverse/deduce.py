"""The architecture of a network from the names and shapes of its weights."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import get_args

from neoverse_ns.errors import SettingsError, WeightsError
from neoverse_ns.networks.neoverse.architecture import VISION_TRANSFORMERS, NetworkArchitecture, PatchEmbedName

TRUNK = "visual_geometry_transformer"
_PATCHES = f"{TRUNK}.patch_embed"
_LEVELS = 4

Shape = tuple[int, ...]


def deduce_architecture(shapes: Mapping[str, Shape]) -> NetworkArchitecture:
    """Sizes that weights of these shapes belong to.

    All but one thing can be read off: which trunk layers the heads tap leaves no trace. A trunk of the released depth
    is taken to be tapped where the released one is; one with as many layers as taps leaves no choice.

    Args:
        shapes: Of every tensor by key, without a prefix.

    Raises:
        WeightsError: They are not a NeoVerse reconstructor's, or its taps cannot be known.
    """
    released = NetworkArchitecture()
    dim = _shape(shapes, f"{TRUNK}.cam_token", 4)[-1]
    head_dim = _shape(shapes, f"{TRUNK}.frame_blocks.0.attn.q_norm.weight", 1)[0]
    if dim % head_dim:
        raise WeightsError(f"the weights are of no known network: width {dim} is no multiple of its heads' {head_dim}")
    depth = _count(shapes, f"{TRUNK}.frame_blocks")
    backbone = f"{_PATCHES}.pos_embed" in shapes
    projection = f"{_PATCHES}.patch_embed.proj.weight" if backbone else f"{_PATCHES}.proj.weight"
    patch = _shape(shapes, projection, 4)[-1]
    image_size = released.image_size // released.patch_size * patch
    if backbone:
        image_size = math.isqrt(_shape(shapes, f"{_PATCHES}.pos_embed", 3)[1] - 1) * patch
    architecture = NetworkArchitecture(
        patch_embed=_backbone_name(dim, _count(shapes, f"{_PATCHES}.blocks")) if backbone else "conv",
        embed_dim=dim,
        depth=depth,
        heads=dim // head_dim,
        taps=_taps(depth, released),
        gs_dim=_shape(shapes, "gs_head.scratch.layer1_rn.weight", 4)[0],
        features=_shape(shapes, "depth_head.scratch.layer1_rn.weight", 4)[0],
        out_channels=tuple(_shape(shapes, f"depth_head.projects.{i}.weight", 4)[0] for i in range(_LEVELS)),  # type: ignore[arg-type]
        patch_size=patch,
        image_size=image_size,
    )
    try:
        architecture.validate()
    except SettingsError as error:
        raise WeightsError(f"the weights are of no known network: {error}") from error
    return architecture


def _shape(shapes: Mapping[str, Shape], key: str, dims: int) -> Shape:
    if key not in shapes:
        first = ", ".join(list(shapes)[:3])
        raise WeightsError(
            f"the weights are not a NeoVerse reconstructor's: {key} is missing among {len(shapes):,} tensors "
            f"(first: {first}); check the file"
        )
    if len(shapes[key]) != dims or min(shapes[key]) < 1:
        raise WeightsError(f"the weights are of no known network: {key} has shape {list(shapes[key])}")
    return shapes[key]


def _count(shapes: Mapping[str, Shape], prefix: str) -> int:
    """Entries of a numbered list of modules."""
    numbers = [int(match[1]) for key in shapes if (match := re.match(rf"{re.escape(prefix)}\.(\d+)\.", key))]
    return max(numbers, default=-1) + 1


def _backbone_name(dim: int, blocks: int) -> PatchEmbedName:
    for name in get_args(PatchEmbedName):
        size = VISION_TRANSFORMERS.get(name)
        if size is not None and (size.embed_dim, size.depth) == (dim, blocks):
            return name
    known = ", ".join(
        f"{name} ({size.embed_dim} wide, {size.depth} blocks)" for name, size in VISION_TRANSFORMERS.items()
    )
    raise WeightsError(f"the weights' backbone is {dim} wide with {blocks} blocks: known are {known}")


def _taps(depth: int, released: NetworkArchitecture) -> tuple[int, int, int, int]:
    if depth == released.depth:
        return released.taps
    if depth == _LEVELS:
        return (0, 1, 2, 3)
    raise WeightsError(
        f"which of the trunk's {depth} layers the heads read cannot be seen in the weights: put the network's "
        'architecture.json beside them, for instance {"depth": '
        f'{depth}, "taps": [...], ...}} as NetworkArchitecture.to_json() writes it'
    )
