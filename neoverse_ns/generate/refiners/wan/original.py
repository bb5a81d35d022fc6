"""The text encoder's and the autoencoder's names in Wan's own files, `models_t5_umt5-xxl-enc-bf16.pth` and
`Wan2.1_VAE.pth`, which the release carries, as transformers and diffusers have them.

Diffusers converts the autoencoder's; for the text encoder no library has a converter
(`test_diffusers_converts_no_text_encoder`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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


def autoencoder_names(keys: Iterable[str]) -> dict[str, str]:
    """Names in diffusers' `AutoencoderKLWan` of the tensors of the original Wan 2.1 autoencoder, by their own names.

    A name that the original does not have stays as it is, and then fits no tensor of the model.
    """
    from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers

    # It renames the keys of a state dict and leaves the values alone, so names as values tell where each went.
    return {old: new for new, old in convert_wan_vae_to_diffusers({key: key for key in keys}).items()}
