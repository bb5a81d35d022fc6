"""Finding a model's parts, Wan's own files among them, and saying which are missing."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from neoverse_ns.errors import WeightsError
from neoverse_ns.generate.refiners.wan.components import load_components, load_text_encoder, load_vae
from neoverse_ns.generate.refiners.wan.config import WanSource
from neoverse_ns.generate.refiners.wan.files import VAE_FILE, find_text_encoder, find_vae, find_wan_files
from neoverse_ns.generate.refiners.wan.original import autoencoder_names, text_encoder_key
from neoverse_ns.generate.refiners.wan.text import encode_prompt
from tests.generate.refiners.wan.tiny_wan import (
    build_text_encoder,
    build_vae,
    save_diffusers_layout,
    save_release_layout,
    save_shared_parts,
)


def _find(model, base=None, lora="auto"):
    return find_wan_files(WanSource(model=str(model), base=None if base is None else str(base)), lora)


@pytest.fixture(scope="module")
def diffusers_folder(tmp_path_factory):
    return save_diffusers_layout(tmp_path_factory.mktemp("wan") / "model")


def test_missing_parts_come_from_the_base(tmp_path, diffusers_folder):
    model = save_release_layout(tmp_path / "model", with_parts=False)
    files = _find(model, diffusers_folder)
    assert files.transformer.layout == "release"
    assert len(files.transformer.files) == 2
    assert files.transformer.files[0].parent == model
    assert files.vae.files[0].parent == diffusers_folder / "vae"
    assert files.tokenizer == diffusers_folder / "tokenizer"
    assert files.lora is None
    with pytest.raises(WeightsError, match="no text encoder, no autoencoder, no tokenizer: put there text_encoder/"):
        _find(model)
    # The base is never asked for a transformer: it would be one without a control branch.
    save_shared_parts(tmp_path / "parts")
    with pytest.raises(WeightsError, match=r"have no transformer: put there diffusion_pytorch_model-"):
        _find(tmp_path / "parts", diffusers_folder)


def test_a_model_that_is_not_here_is_asked_for_by_its_flags(diffusers_folder):
    pytest.importorskip("huggingface_hub")
    with pytest.raises(WeightsError, match=r"the video model of nobody/nothing .*, or --wan\.model DIR for a copy"):
        _find("nobody/nothing")
    with pytest.raises(WeightsError) as told:
        _find(diffusers_folder.parent, "nobody/nothing")
    assert "--wan.base DIR" in str(told.value)
    assert "weights' source" not in str(told.value)


def test_missing_shards_are_named(tmp_path):
    model = save_release_layout(tmp_path / "model")
    (model / "diffusion_pytorch_model-00002-of-00002.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"lacks diffusion_pytorch_model-00002-of-00002.safetensors"):
        _find(model)
    index = {"weight_map": {"patch_embedding.weight": "diffusion_pytorch_model-00003-of-00003.safetensors"}}
    (model / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(WeightsError, match=r"lacks diffusion_pytorch_model-00003-of-00003.safetensors"):
        _find(model)


def test_shards_that_an_index_calls_from_elsewhere_are_refused(tmp_path):
    model = save_release_layout(tmp_path / "model")
    shards = sorted(model.glob("*.safetensors"))
    index = model / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": shards[0].name, "b": f"../{shards[1].name}"}}))
    with pytest.raises(WeightsError, match="which is not beside it"):
        _find(model)
    index.write_text(json.dumps({"weight_map": {"a": shards[0].name, "b": shards[1].name}}))
    shards[1].rename(tmp_path / "elsewhere.safetensors")
    shards[1].symlink_to(tmp_path / "elsewhere.safetensors")
    with pytest.raises(WeightsError, match="is a link that leads out"):
        _find(model)


def test_other_layouts_and_models_are_errors(tmp_path, diffusers_folder):
    model = save_release_layout(tmp_path / "model")
    shards = sorted(model.glob("*.safetensors"))
    states = [load_file(shard) for shard in shards]
    for shard, state in zip(shards, states, strict=True):
        save_file({f"dit.{key}": value for key, value in state.items()}, shard)
    with pytest.raises(WeightsError, match="neither in the release's layout nor in diffusers'"):
        _find(model)
    for shard, state in zip(shards, states, strict=True):
        save_file({key: value for key, value in state.items() if not key.startswith("control_")}, shard)
    with pytest.raises(WeightsError, match="without a control branch"):
        load_components(_find(model), torch.float32, "cpu")
    save_file(states[0] | {"control_mask_cam_embedding.0.weight": torch.ones(1)}, shards[0])
    states[1].pop("control_mask_cam_embedding.0.weight", None)
    save_file(states[1], shards[1])
    with pytest.raises(WeightsError, match="of another shape"):
        load_components(_find(model), torch.float32, "cpu")
    # A plain VACE model has everything but the embedding of mask and cameras.
    plain = shutil.copytree(diffusers_folder, tmp_path / "plain")
    state = load_file(plain / "transformer" / "diffusion_pytorch_model.safetensors")
    state = {key: value for key, value in state.items() if not key.startswith("mask_camera_embedding")}
    save_file(state, plain / "transformer" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(WeightsError, match=r"4 of .* tensors missing"):
        load_components(_find(plain), torch.float32, "cpu")
    (plain / "tokenizer" / "tokenizer.json").write_text("{}")
    shutil.copy(diffusers_folder / "transformer" / "diffusion_pytorch_model.safetensors", plain / "transformer")
    with pytest.raises(WeightsError, match=r"tokenizer in .* cannot be read"):
        load_components(_find(plain), torch.float32, "cpu")


def test_lora_is_found_or_named(tmp_path, diffusers_folder):
    with pytest.raises(WeightsError, match="no LoRA at"):
        _find(diffusers_folder, lora=str(tmp_path / "absent.safetensors"))
    model = shutil.copytree(diffusers_folder, tmp_path / "model")
    (model / "loras").mkdir()
    (model / "loras" / "a.safetensors").touch()
    assert _find(model).lora == model / "loras" / "a.safetensors"
    assert _find(model, lora="none").lora is None
    (model / "loras" / "b.safetensors").touch()
    with pytest.raises(WeightsError, match="has 2 LoRAs"):
        _find(model)


def _original_text_key(key: str) -> str:
    """transformers' name -> Wan's, written down independently of the code's table."""
    key = key.replace("shared.", "token_embedding.").replace("encoder.final_layer_norm.", "norm.")
    key = re.sub(r"^encoder\.block\.", "blocks.", key)
    for new, old in (
        (".layer.0.layer_norm.", ".norm1."),
        (".layer.1.layer_norm.", ".norm2."),
        (".layer.0.SelfAttention.relative_attention_bias.", ".pos_embedding.embedding."),
        (".layer.0.SelfAttention.", ".attn."),
        (".layer.1.DenseReluDense.wi_0.", ".ffn.gate.0."),
        (".layer.1.DenseReluDense.wi_1.", ".ffn.fc1."),
        (".layer.1.DenseReluDense.wo.", ".ffn.fc2."),
    ):
        key = key.replace(new, old)
    return key


def test_wans_own_text_encoder_file(tmp_path, diffusers_folder):
    model = build_text_encoder()
    state = {_original_text_key(key): value for key, value in model.state_dict().items() if "embed_tokens" not in key}
    torch.save(state, tmp_path / "models_t5_umt5-xxl-enc-bf16.pth")
    part = find_text_encoder(tmp_path)
    assert part is not None
    loaded = load_text_encoder(part, torch.float32, "cpu")
    assert {text_encoder_key(key) for key in state} == {k for k in model.state_dict() if "embed_tokens" not in k}
    tokenizer = load_components(_find(diffusers_folder), torch.float32, "cpu").tokenizer
    expected = encode_prompt(tokenizer, model, "the street at night", "cpu")
    assert torch.equal(encode_prompt(tokenizer, loaded, "the street at night", "cpu"), expected)


def test_diffusers_converts_no_text_encoder():
    """Why the table of its names is ours: no converter makes transformers' names of Wan's."""
    from diffusers.loaders import single_file_utils

    assert not [name for name in dir(single_file_utils) if "umt5" in name.lower()]
    names = {key for key in build_text_encoder().state_dict() if "embed_tokens" not in key}
    for converter in (
        single_file_utils.convert_wan_transformer_to_diffusers,
        single_file_utils.convert_sd3_t5_checkpoint_to_diffusers,
    ):
        assert names.isdisjoint(converter({_original_text_key(key): key for key in names}))


def test_wans_own_autoencoder_names_are_those_of_diffusers_model():
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    with torch.device("meta"):
        names = set(AutoencoderKLWan().state_dict())
    renamed = autoencoder_names(_original_vae_keys())
    assert renamed == {key: _renamed_vae_key(key) for key in _original_vae_keys()}
    assert set(renamed.values()) == names
    assert len(set(renamed.values())) == len(renamed)


def _renamed_vae_key(key: str) -> str:
    """Wan's name -> diffusers', written down independently of diffusers' tables."""
    key = re.sub(r"^conv1\.", "quant_conv.", key)
    key = re.sub(r"^conv2\.", "post_quant_conv.", key)
    for old, new in (("conv1", "conv_in"), ("head.0", "norm_out"), ("head.2", "conv_out")):
        key = re.sub(rf"^(encoder|decoder)\.{re.escape(old)}\.", rf"\1.{new}.", key)
    for old, new in (("0", "resnets.0"), ("1", "attentions.0"), ("2", "resnets.1")):
        key = key.replace(f".middle.{old}.", f".mid_block.{new}.")
    key = key.replace(".downsamples.", ".down_blocks.").replace(".shortcut.", ".conv_shortcut.")
    for old, new in (("0", "norm1"), ("2", "conv1"), ("3", "norm2"), ("6", "conv2")):
        key = key.replace(f".residual.{old}.", f".{new}.")
    if (row := re.search(r"\.upsamples\.(\d+)\.", key)) is not None:
        # The decoder has three residual layers and an upsampling one per stage, counted in one row.
        stage, layer = divmod(int(row[1]), 4)
        place = "upsamplers.0" if layer == 3 else f"resnets.{layer}"
        key = key.replace(row[0], f".up_blocks.{stage}.{place}.")
    return key


def _original_vae_keys() -> list[str]:
    """Names in Wan2.1_VAE.pth: widths 1, 2, 4, 4 times 96, two residual layers (decoder three) per stage."""
    keys = [f"{name}.{kind}" for name in ("conv1", "conv2") for kind in ("weight", "bias")]

    def residual(place: str, widens: bool) -> None:
        for part in ("residual.0.gamma", "residual.2.weight", "residual.2.bias", "residual.3.gamma"):
            keys.append(f"{place}.{part}")
        keys.extend(f"{place}.residual.6.{kind}" for kind in ("weight", "bias"))
        if widens:
            keys.extend(f"{place}.shortcut.{kind}" for kind in ("weight", "bias"))

    for side, widening, samplers, timed in (
        ("encoder.downsamples", {3, 6}, {2, 5, 8}, {5, 8}),
        ("decoder.upsamples", {4}, {3, 7, 11}, {3, 7}),
    ):
        half = side.partition(".")[0]
        keys.extend(f"{half}.{end}.{kind}" for end in ("conv1", "head.2") for kind in ("weight", "bias"))
        keys.append(f"{half}.head.0.gamma")
        for layer in ("0", "2"):
            residual(f"{half}.middle.{layer}", False)
        keys.append(f"{half}.middle.1.norm.gamma")
        keys.extend(f"{half}.middle.1.{part}.{kind}" for part in ("to_qkv", "proj") for kind in ("weight", "bias"))
        for layer in range(11 if half == "encoder" else 15):
            if layer in samplers:
                names = ["resample.1"] + ["time_conv"] * (layer in timed)
                keys.extend(f"{side}.{layer}.{name}.{kind}" for name in names for kind in ("weight", "bias"))
            else:
                residual(f"{side}.{layer}", layer in widening)
    return keys


def test_tiny_autoencoder_loads_as_saved(diffusers_folder):
    part = find_vae(diffusers_folder)
    assert part is not None
    loaded = load_vae(part, torch.float32, "cpu")
    assert list(loaded.config.latents_mean) == [0.1, -0.2, 0.3, 0.0]
    for key, value in build_vae().state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)


def test_wans_own_autoencoder_file(tmp_path):
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    torch.manual_seed(4)
    saved = AutoencoderKLWan(base_dim=4, z_dim=4, dim_mult=[1, 2, 4, 4], latents_mean=[0.0] * 4, latents_std=[1.0] * 4)
    state = {_renamed_vae_key(key): key for key in _original_vae_keys()}
    state = {state[key]: value for key, value in saved.state_dict().items()}
    torch.save(state, tmp_path / VAE_FILE)
    part = find_vae(tmp_path)
    assert part is not None
    assert part.layout == "original"
    loaded = load_vae(dataclasses.replace(part, config=dict(saved.config)), torch.float32, "cpu").state_dict()
    assert loaded.keys() == saved.state_dict().keys()
    assert all(torch.equal(loaded[key], value) for key, value in saved.state_dict().items())


@pytest.mark.parametrize("unknown", ["encoder.conv9.weight", "decoder.side.0.gamma", "foo.weight"])
def test_a_file_of_another_autoencoder_is_refused(tmp_path, unknown):
    torch.save({unknown: torch.zeros(3), "conv1.bias": torch.zeros(32)}, tmp_path / VAE_FILE)
    part = find_vae(tmp_path)
    assert part is not None
    with pytest.raises(WeightsError, match=rf"193 of 194 tensors missing.*1 unexpected \({re.escape(unknown)}\)"):
        load_vae(part, torch.float32, "cpu")
