"""The text encoder's and the autoencoder's names in Wan's own files, `models_t5_umt5-xxl-enc-bf16.pth` and
`Wan2.1_VAE.pth`, which the release carries, as transformers and diffusers have them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from neoverse_ns.errors import WeightsError

TEXT_BLOCK = {
    "norm1": "layer.0.layer_norm",
    "norm2": "layer.1.layer_norm",
    **{f"attn.{part}": f"layer.0.SelfAttention.{part}" for part in "qkvo"},
    "pos_embedding.embedding": "layer.0.SelfAttention.relative_attention_bias",
    "ffn.gate.0": "layer.1.DenseReluDense.wi_0",
    "ffn.fc1": "layer.1.DenseReluDense.wi_1",
    "ffn.fc2": "layer.1.DenseReluDense.wo",
}
TEXT_ALONE = {"token_embedding": "shared", "norm": "encoder.final_layer_norm"}

VAE_LAYER = {
    "residual.0": "norm1",
    "residual.2": "conv1",
    "residual.3": "norm2",
    "residual.6": "conv2",
    "shortcut": "conv_shortcut",
}
VAE_ENDS = {"conv1": "conv_in", "head.0": "norm_out", "head.2": "conv_out"}
VAE_MIDDLE = {"0": "resnets.0", "1": "attentions.0", "2": "resnets.1"}
LAYERS_PER_STAGE = 4
"""Three residual layers and an upsampling one: the original counts all of the decoder's layers in one row."""


def text_encoder_key(key: str) -> str:
    """Name in transformers' `UMT5EncoderModel` of Wan's tensor `key`.

    Raises:
        WeightsError: Wan's text encoder has no such tensor.
    """
    module, _, kind = key.rpartition(".")
    if module in TEXT_ALONE:
        return f"{TEXT_ALONE[module]}.{kind}"
    if (block := re.fullmatch(r"blocks\.(\d+)\.(.+)", module)) and block[2] in TEXT_BLOCK:
        return f"encoder.block.{block[1]}.{TEXT_BLOCK[block[2]]}.{kind}"
    raise WeightsError(f"'{key}' is no tensor of Wan's UMT5 text encoder: give its own .pth file")


def text_encoder_config(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Arguments of transformers' `UMT5Config` for a file of Wan's layout.

    Raises:
        WeightsError: The file is of something else.
    """
    try:
        vocabulary, width = shapes["token_embedding.weight"]
        buckets, heads = shapes["blocks.0.pos_embedding.embedding.weight"]
        return {
            "vocab_size": vocabulary,
            "d_model": width,
            "d_kv": shapes["blocks.0.attn.q.weight"][0] // heads,
            "d_ff": shapes["blocks.0.ffn.fc1.weight"][0],
            "num_heads": heads,
            "num_layers": len([key for key in shapes if key.endswith("attn.q.weight")]),
            "relative_attention_num_buckets": buckets,
            "feed_forward_proj": "gated-gelu",
        }
    except KeyError as missing:
        raise WeightsError(f"the file has no tensor {missing}: it is not Wan's UMT5 text encoder") from missing


def autoencoder_key(key: str) -> str:
    """Name in diffusers' `AutoencoderKLWan` of the original Wan 2.1 autoencoder's tensor `key`.

    Raises:
        WeightsError: The original autoencoder has no such tensor.
    """
    module, _, kind = key.rpartition(".")
    if module in ("conv1", "conv2"):
        return f"{'quant_conv' if module == 'conv1' else 'post_quant_conv'}.{kind}"
    side, _, inner = module.partition(".")
    if side in ("encoder", "decoder"):
        if inner in VAE_ENDS:
            return f"{side}.{VAE_ENDS[inner]}.{kind}"
        if (part := re.fullmatch(r"(downsamples|upsamples|middle)\.(\d+)\.(.+)", inner)) is not None:
            layer = VAE_LAYER.get(part[3], part[3])
            return f"{side}.{_vae_place(part[1], part[2])}.{layer}.{kind}"
    raise WeightsError(f"'{key}' is no tensor of Wan 2.1's autoencoder: give its own .pth file")


def _vae_place(group: str, number: str) -> str:
    if group == "middle":
        return f"mid_block.{VAE_MIDDLE[number]}"
    if group == "downsamples":
        return f"down_blocks.{number}"
    stage, layer = divmod(int(number), LAYERS_PER_STAGE)
    return f"up_blocks.{stage}." + (f"resnets.{layer}" if layer < LAYERS_PER_STAGE - 1 else "upsamplers.0")
