"""How many weights each stage of the network has, from its sizes alone.

C is the trunk's width, d the width of an attention head. The stages are those of :func:`low_vram.stage_of`.
"""

from __future__ import annotations

from neoverse_ns.networks.neoverse.architecture import VISION_TRANSFORMERS, NetworkArchitecture

GAUSSIAN_CHANNELS = 12
HIDDEN = 32
"""Channels between the last two convolutions of a dense head."""

DENSE_HEADS = {
    "pts_head": (2, 4),
    "depth_head": (2, 2),
    "velocity_fwd_head": (1, 4),
    "velocity_bwd_head": (1, 4),
    "gs_fwd_attr_head": (1, 3),
    "gs_bwd_attr_head": (1, 3),
}
"""Width of the tokens they read, in trunk widths, and channels; without the Gaussian head."""


def parameter_counts(architecture: NetworkArchitecture) -> dict[str, int]:
    """Numbers of weights by stage; their sum is that of the state dict."""
    a = architecture
    counts = {
        "patches": _patches(a),
        "trunk": _trunk(a),
        "motion": _motion(a),
        "cam_head": _camera(2 * a.embed_dim),
    }
    for name, (widths, channels) in DENSE_HEADS.items():
        counts[name] = _dense(a, widths * a.embed_dim, channels, a.features)
    half = a.gs_dim // 2
    merger = _conv(3, half, 7)
    stack = _conv(half, a.gs_dim, 3, bias=False) + _conv(a.gs_dim, GAUSSIAN_CHANNELS, 1)
    counts["gs_head"] = _dense(a, 2 * a.embed_dim, 2, a.gs_dim) + merger + 2 * stack
    return counts


def _linear(inputs: int, outputs: int) -> int:
    return (inputs + 1) * outputs


def _conv(inputs: int, outputs: int, side: int, bias: bool = True) -> int:
    return inputs * outputs * side**2 + (outputs if bias else 0)


def _mlp(inputs: int, hidden: int, outputs: int) -> int:
    return _linear(inputs, hidden) + _linear(hidden, outputs)


def _block(dim: int, head_dim: int | None = None) -> int:
    """Two LayerNorms, qkv and projection, two layer scales, MLP of ratio 4; q/k norms where `head_dim` is given."""
    norms = 4 * dim + (4 * head_dim if head_dim else 0)
    return norms + _linear(dim, 3 * dim) + _linear(dim, dim) + 2 * dim + _mlp(dim, 4 * dim, dim)


def _patches(a: NetworkArchitecture) -> int:
    convolution = _conv(3, a.embed_dim, a.patch_size)
    size = VISION_TRANSFORMERS.get(a.patch_embed)
    if size is None:
        return convolution
    # Class, four registers, mask, class position, positions; the final norm.
    tokens = 1 + 4 + 1 + 1 + (a.image_size // a.patch_size) ** 2
    return convolution + (tokens + 2) * a.embed_dim + size.depth * _block(a.embed_dim)


def _trunk(a: NetworkArchitecture) -> int:
    dim = a.embed_dim
    tokens = 2 * dim + 2 * 4 * dim
    priors = _mlp(7, dim, dim) + _mlp(4, dim, dim) + _mlp(a.patch_size**2, 4 * dim, dim)
    return tokens + priors + 2 * a.depth * _block(dim, dim // a.heads)


def _motion(a: NetworkArchitecture) -> int:
    dim, head_dim = a.embed_dim, a.embed_dim // a.heads
    # A cross block has separate q, k and v, as many weights as qkv together, and one LayerNorm more.
    cross = _block(dim, head_dim) + 2 * dim
    return 2 * dim + len(a.taps) * (_linear(2 * dim, dim) + _block(dim, head_dim) + 2 * cross)


def _camera(dim: int) -> int:
    values = 9
    blocks = 4 * _block(dim)
    norms = 2 * 2 * dim
    return values + blocks + norms + _linear(values, dim) + _linear(dim, 3 * dim) + _mlp(dim, dim // 2, values)


def _dense(a: NetworkArchitecture, dim: int, channels: int, features: int) -> int:
    levels = a.out_channels
    norm = 2 * dim
    projects = sum(_conv(dim, level, 1) for level in levels)
    resizes = _conv(levels[0], levels[0], 4) + _conv(levels[1], levels[1], 2) + _conv(levels[3], levels[3], 3)
    layers = sum(_conv(level, features, 3, bias=False) for level in levels)
    unit = 2 * _conv(features, features, 3)
    # The coarsest fusion block has one residual unit, the others two.
    fusions = len(levels) * _conv(features, features, 1) + (2 * len(levels) - 1) * unit
    last = _conv(features, features // 2, 3) + _conv(features // 2, HIDDEN, 3) + _conv(HIDDEN, channels, 1)
    return norm + projects + resizes + layers + fusions + last


def matrix_counts(architecture: NetworkArchitecture) -> dict[str, int]:
    """Numbers of weights that bfloat16 may hold, by stage: the matrices of the blocks (see `checkpoint.type_in`)."""
    square = architecture.embed_dim**2
    # Attention has 4 C^2, the MLP 8 C^2.
    block = 12 * square
    size = VISION_TRANSFORMERS.get(architecture.patch_embed)
    return {
        "patches": size.depth * block if size else 0,
        "trunk": 2 * architecture.depth * block,
        "motion": len(architecture.taps) * (2 * square + 3 * block),
    }
