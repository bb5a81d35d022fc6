"""A tiny model with every part of the real one, random but fixed, and conditions to refine with it."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.generate.refiners.wan.architecture import WanArchitecture
from neoverse_ns.generate.refiners.wan.key_map import to_release
from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer

ARCHITECTURE = WanArchitecture(
    dim=24,
    heads=2,
    layers=3,
    ffn_dim=32,
    text_dim=16,
    freq_dim=16,
    latent_channels=4,
    control_layers=(0, 2),
    control_channels=16,
)
WORDS = ["<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz", "▁a", "▁the", "▁street", "▁night", "."]


def build_transformer() -> ControlledWanTransformer:
    torch.manual_seed(1)
    return ARCHITECTURE.build().eval()


def build_vae():
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    torch.manual_seed(2)
    return AutoencoderKLWan(
        base_dim=4,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        latents_mean=[0.1, -0.2, 0.3, 0.0],
        latents_std=[1.1, 0.9, 1.2, 1.0],
    ).eval()


def build_text_encoder():
    from transformers import UMT5Config, UMT5EncoderModel

    torch.manual_seed(3)
    config = UMT5Config(
        vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=24, num_heads=2, num_layers=2, feed_forward_proj="gated-gelu"
    )
    return UMT5EncoderModel(config).eval()


def save_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
    from tokenizers.models import Unigram
    from transformers import T5TokenizerFast

    tokenizer = Tokenizer(Unigram([(word, -float(len(WORDS) - i)) for i, word in enumerate(WORDS)], unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    T5TokenizerFast(tokenizer_object=tokenizer, extra_ids=0).save_pretrained(folder)


def save_shared_parts(folder: Path) -> None:
    build_vae().save_pretrained(folder / "vae")
    build_text_encoder().save_pretrained(folder / "text_encoder")
    save_tokenizer(folder / "tokenizer")


def save_diffusers_layout(folder: Path) -> Path:
    save_shared_parts(folder)
    build_transformer().save_pretrained(folder / "transformer")
    return folder


def save_release_layout(folder: Path, with_parts: bool = True) -> Path:
    """Two numbered shards in the folder itself, as the release has six."""
    folder.mkdir(parents=True, exist_ok=True)
    if with_parts:
        save_shared_parts(folder)
    state = {to_release(key): value.contiguous() for key, value in build_transformer().state_dict().items()}
    keys = sorted(state)
    for number, part in enumerate((keys[::2], keys[1::2]), start=1):
        name = f"diffusion_pytorch_model-{number:05d}-of-00002.safetensors"
        save_file({key: state[key] for key in part}, folder / name)
    # Shapes do not tell the number of heads where it is not a multiple of 128.
    (folder / "config.json").write_text(json.dumps({"num_heads": ARCHITECTURE.heads}))
    return folder


def make_conditions(frames: int = 5, height: int = 32, width: int = 32, seed: int = 0) -> Conditions:
    """A camera that moves sideways in front of coloured noise, half of it to be kept."""
    generator = torch.Generator().manual_seed(seed)
    c2w = torch.eye(4).repeat(frames, 1, 1)
    c2w[:, 0, 3] = torch.linspace(0, 0.1, frames)
    K = torch.tensor([[30.0, 0, width / 2], [0, 30.0, height / 2], [0, 0, 1]]).repeat(frames, 1, 1)
    alpha = torch.rand(frames, height, width, generator=generator)
    return Conditions(
        rgb=torch.rand(frames, height, width, 3, generator=generator),
        depth=1 + torch.rand(frames, height, width, generator=generator),
        alpha=alpha,
        mask=alpha > 0.5,
        plucker=plucker_maps(c2w, K, height, width),
        K=K,
        c2w=c2w,
        times=torch.linspace(0, 1, frames),
    )
