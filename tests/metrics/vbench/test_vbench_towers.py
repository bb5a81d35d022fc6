"""CLIP's and DINO's towers from files of either layout, against networks written by hand."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from neoverse_ns.errors import WeightsError
from neoverse_ns.metrics.vbench.clip_tower import VIT_B_32, load_clip_tower
from neoverse_ns.metrics.vbench.dino_tower import load_dino_tower
from neoverse_ns.metrics.vbench.pictures import for_clip, for_dino, for_patches
from neoverse_ns.weights.torchscript import is_torchscript, read_weights_or_script
from tests.metrics.vbench.published_towers import CLIP_SHAPE, DINO_SHAPE, Dino, OpenAIClip

pytest.importorskip("transformers")


def frame(height: int = 90, width: int = 130, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (height, width, 3), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def test_clip_from_openais_state_dict_is_clip(tmp_path: Path) -> None:
    clip = OpenAIClip()
    torch.save(clip.state_dict(), tmp_path / "clip.pt")
    tower = load_clip_tower(tmp_path / "clip.pt", CLIP_SHAPE)
    for seed in range(3):
        expected = clip(for_clip(frame(seed=seed), CLIP_SHAPE.side))[0]
        assert (tower.embed(frame(seed=seed)) - expected).abs().max() < 1e-4


def test_clip_from_a_torchscript_archive_of_half_precision_is_clip(tmp_path: Path) -> None:
    clip, path = OpenAIClip(), tmp_path / "ViT-B-32.pt"
    for parameter in clip.parameters():
        parameter.copy_(parameter.half())
    expected = clip(for_clip(frame(), CLIP_SHAPE.side))[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced: Any = torch.jit.trace(clip, torch.zeros(1, 3, 64, 64), check_trace=False)
        traced.half().save(str(path))
    assert is_torchscript(path)
    assert read_weights_or_script(path).tensors["visual.conv1.weight"].dtype == torch.float16
    assert (load_clip_tower(path, CLIP_SHAPE).embed(frame()) - expected).abs().max() < 1e-4
    # One that was cut off in the middle is told as such.
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="ViT-B-32"):
        load_clip_tower(path, CLIP_SHAPE)


def test_clip_in_the_hubs_layout_is_the_same_clip(tmp_path: Path) -> None:
    from transformers import CLIPConfig, CLIPModel

    vision = {
        "hidden_size": CLIP_SHAPE.width,
        "intermediate_size": 4 * CLIP_SHAPE.width,
        "num_hidden_layers": CLIP_SHAPE.layers,
        "num_attention_heads": 2,
        "image_size": CLIP_SHAPE.side,
        "patch_size": CLIP_SHAPE.patch,
    }
    text = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 1}
    torch.manual_seed(0)
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=CLIP_SHAPE.embedding)
    whole: Any = CLIPModel(config).eval()
    whole.save_pretrained(tmp_path)
    tower = load_clip_tower(tmp_path / "model.safetensors", CLIP_SHAPE)
    with torch.no_grad():
        expected = whole.get_image_features(pixel_values=for_clip(frame(), CLIP_SHAPE.side))[0]
    assert (tower.embed(frame()) - expected).abs().max() < 1e-4


@pytest.mark.parametrize("size", [(90, 130), (130, 90), (64, 64), (70, 71)])
def test_dino_from_the_authors_file_is_dino_at_any_shape(tmp_path: Path, size: tuple[int, int]) -> None:
    dino = Dino()
    torch.save(dino.state_dict(), tmp_path / "dino.pth")
    tower = load_dino_tower(tmp_path / "dino.pth", DINO_SHAPE)
    picture = for_dino(frame(*size), DINO_SHAPE.side)
    expected = dino(picture)[0]
    assert (tower.embed(frame(*size)) - expected[0]).abs().max() < 1e-4
    patches, whole = tower.patches(frame(*size)), for_patches(frame(*size), 16, DINO_SHAPE.side)
    assert patches.shape[:2] == (whole.shape[2] / 16, whole.shape[3] / 16)
    assert (patches.flatten(0, 1) - dino(whole)[0, 1:]).abs().max() < 1e-4


def test_transformers_alone_would_place_patches_elsewhere(tmp_path: Path) -> None:
    """Why its positions are replaced: with its own, features of pictures that are not square are others."""
    dino = Dino()
    torch.save(dino.state_dict(), tmp_path / "dino.pth")
    tower = load_dino_tower(tmp_path / "dino.pth", DINO_SHAPE)
    right = tower.embed(frame())
    del tower._module.embeddings.interpolate_pos_encoding
    assert (tower.embed(frame()) - right).abs().max() > 1e-3


def test_dino_in_the_hubs_layout_is_the_same_dino(tmp_path: Path) -> None:
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(
        hidden_size=DINO_SHAPE.width,
        intermediate_size=4 * DINO_SHAPE.width,
        num_hidden_layers=DINO_SHAPE.layers,
        num_attention_heads=2,
        image_size=DINO_SHAPE.side,
        patch_size=DINO_SHAPE.patch,
        layer_norm_eps=1e-6,
    )
    torch.manual_seed(0)
    whole = ViTModel(config).eval()  # With the pooling layer, which the hub's file has, too.
    whole.save_pretrained(tmp_path)
    tower = load_dino_tower(tmp_path / "model.safetensors", DINO_SHAPE)
    with torch.no_grad():
        expected = whole(pixel_values=for_dino(frame(64, 64), 64)).last_hidden_state[0, 0]
    assert (tower.embed(frame(64, 64)) - expected).abs().max() < 1e-4


def test_another_network_is_refused_with_what_it_is(tmp_path: Path) -> None:
    torch.save(OpenAIClip().state_dict(), tmp_path / "clip.pt")
    torch.save(Dino().state_dict(), tmp_path / "dino.pth")
    with pytest.raises(WeightsError, match="another CLIP: it has 2 blocks of 128 channels on patches of 16"):
        load_clip_tower(tmp_path / "clip.pt", VIT_B_32)
    with pytest.raises(WeightsError, match="no image tower of CLIP"):
        load_clip_tower(tmp_path / "dino.pth", VIT_B_32)
    with pytest.raises(WeightsError, match="another vision transformer"):
        load_dino_tower(tmp_path / "dino.pth")
    with pytest.raises(WeightsError, match=r"no vision transformer of DINO"):
        load_dino_tower(tmp_path / "clip.pt")
    lacking = OpenAIClip().state_dict()
    del lacking["visual.transformer.resblocks.1.ln_2.bias"]
    torch.save(lacking, tmp_path / "lacking.pt")
    with pytest.raises(WeightsError, match=r"1 of .* tensors missing"):
        load_clip_tower(tmp_path / "lacking.pt", CLIP_SHAPE)
