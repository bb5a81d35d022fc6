"""Merging a LoRA against a hand computation, and refusing one that does not fit."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from neoverse_ns.errors import WeightsError
from neoverse_ns.generate.refiners.wan.components import load_transformer
from neoverse_ns.generate.refiners.wan.files import find_transformer
from neoverse_ns.generate.refiners.wan.lora import LoraUpdates
from tests.generate.refiners.wan.tiny_wan import build_transformer, save_release_layout

KEYS = {"blocks.0.ffn.0.weight", "blocks.0.ffn.0.bias", "blocks.0.norm3.weight", "blocks.0.modulation"}


def _lora(tmp_path, tensors):
    path = tmp_path / "lora.safetensors"
    save_file({f"diffusion_model.{key}": value for key, value in tensors.items()}, path)
    return path


def test_low_rank_pairs_and_differences_are_added(tmp_path):
    down, up = torch.tensor([[1.0, 2.0, 0.0]]), torch.tensor([[3.0], [5.0]])
    tensors = {
        "blocks.0.ffn.0.lora_down.weight": down,
        "blocks.0.ffn.0.lora_up.weight": up,
        "blocks.0.ffn.0.alpha": torch.tensor(1.0),
        "blocks.0.ffn.0.diff_b": torch.tensor([0.5, -0.5]),
        "blocks.0.norm3.diff": torch.tensor([7.0]),
        "blocks.0.diff_m": torch.ones(1, 6, 1),
    }
    updates = LoraUpdates(_lora(tmp_path, tensors), KEYS)
    assert len(updates) == 4
    merged = updates.apply("blocks.0.ffn.0.weight", torch.ones(2, 3))
    torch.testing.assert_close(merged, torch.tensor([[4.0, 7.0, 1.0], [6.0, 11.0, 1.0]]))
    torch.testing.assert_close(updates.apply("blocks.0.ffn.0.bias", torch.ones(2)), torch.tensor([1.5, 0.5]))
    torch.testing.assert_close(updates.apply("blocks.0.norm3.weight", torch.ones(1)), torch.tensor([8.0]))
    torch.testing.assert_close(updates.apply("blocks.0.modulation", torch.zeros(1, 6, 1)), torch.ones(1, 6, 1))
    untouched = torch.ones(2)
    assert updates.apply("head.head.bias", untouched) is untouched


def test_merged_on_the_way_into_the_model(tmp_path):
    generator = torch.Generator().manual_seed(0)
    # A convolution is a matrix over its whole kernel.
    down, up = torch.randn(2, 4, 1, 2, 2, generator=generator), torch.randn(24, 2, 1, 1, 1, generator=generator)
    tensors = {"patch_embedding.lora_down.weight": down, "patch_embedding.lora_up.weight": up}
    part = find_transformer(save_release_layout(tmp_path / "model", with_parts=False))
    assert part is not None
    merged = load_transformer(part, torch.float32, "cpu", _lora(tmp_path, tensors)).state_dict()
    for key, value in build_transformer().state_dict().items():
        if key == "patch_embedding.weight":
            value = value + torch.einsum("or,rcthw->octhw", up[:, :, 0, 0, 0], down)
        torch.testing.assert_close(merged[key], value, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"blocks.7.ffn.0.diff_b": torch.ones(2)}, "1 of its 1 tensors belong to none"),
        ({"blocks.0.ffn.0.lora_down.weight": torch.ones(1, 3)}, "belong to none"),
        ({"blocks.0.ffn.0.lora_up.weight": torch.ones(2, 1)}, "belong to none"),
        ({"blocks.0.ffn.0.hada_w1_a": torch.ones(2, 1)}, "belong to none"),
        (
            {
                "blocks.0.ffn.0.lora_down.weight": torch.ones(1, 3),
                "blocks.0.ffn.0.lora_up.weight": torch.ones(2, 1),
                "blocks.0.ffn.0.alpha": torch.tensor(4.0),
            },
            "scales its updates",
        ),
    ],
)
def test_what_does_not_fit_is_an_error(tmp_path, tensors, message):
    with pytest.raises(WeightsError, match=message):
        LoraUpdates(_lora(tmp_path, tensors), KEYS)


def test_other_shapes_are_errors(tmp_path):
    tensors = {
        "blocks.0.ffn.0.lora_down.weight": torch.ones(1, 3),
        "blocks.0.ffn.0.lora_up.weight": torch.ones(2, 1),
        "blocks.0.ffn.0.diff_b": torch.ones(3),
    }
    updates = LoraUpdates(_lora(tmp_path, tensors), KEYS)
    with pytest.raises(WeightsError, match=r"but the transformer's is \(2, 4\)"):
        updates.apply("blocks.0.ffn.0.weight", torch.ones(2, 4))
    with pytest.raises(WeightsError, match=r"but the transformer's is \(2,\)"):
        updates.apply("blocks.0.ffn.0.bias", torch.ones(2))
