"""Every parameter in its group, once; clipping by module against torch's own."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.training.reconstructor.parameter_groups import (
    clip_gradients,
    clipped_together,
    kind_of,
    parameter_groups,
)
from tests.networks.neoverse.tiny import TINY, tiny_network

RATES = {"patch_embed": 2e-5, "backbone": 1e-4, "new": 3e-4}


def test_every_parameter_is_in_one_group():
    with torch.device("meta"):
        # With the backbone, whose mask token alone does not learn.
        sizes = NetworkArchitecture("dinov2_vits14_reg", 384, 4, 6, (0, 1, 2, 3), 16, 16, (8, 8, 8, 8))
        network = NeoVerseNetwork(sizes)
    groups = parameter_groups(network, RATES, 0.05)
    members = [id(parameter) for group in groups for parameter in group["params"]]
    named = dict(network.named_parameters())
    assert len(members) == len(set(members)) == len(named) - 1
    assert id(named["visual_geometry_transformer.patch_embed.mask_token"]) not in members
    names = {id(parameter): name for name, parameter in named.items()}
    for group in groups:
        for parameter in group["params"]:
            name = names[id(parameter)]
            assert group["lr"] == RATES[kind_of(name)]
            assert group["weight_decay"] == (0.0 if name.endswith((".bias", ".gamma")) or parameter.ndim == 1 else 0.05)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("visual_geometry_transformer.patch_embed.proj.weight", "patch_embed"),
        ("visual_geometry_transformer.motion_embeds.0.weight", "new"),
        ("visual_geometry_transformer.motion_tokens", "new"),
        ("visual_geometry_transformer.frame_blocks.0.ls1.gamma", "backbone"),
        ("gs_renderer.gs_head.0.weight", "backbone"),
        ("gs_renderer.gs_head_dynamic.0.weight", "new"),
        ("gs_bwd_attr_head.norm.weight", "new"),
        ("gs_head.norm.weight", "backbone"),
        ("cam_head.init_token", "backbone"),
    ],
)
def test_kinds(name, kind):
    assert name in NeoVerseNetwork(TINY).state_dict()
    assert kind_of(name) == kind


def test_heads_may_learn_at_a_rate_of_their_own() -> None:
    network = tiny_network().requires_grad_(True)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    groups = parameter_groups(network, {**RATES, "heads": 5e-4}, 0.0)
    fast = {names[id(parameter)] for group in groups if group["lr"] == 5e-4 for parameter in group["params"]}
    assert {"cam_head.init_token", "depth_head.norm.weight", "gs_renderer.gs_head.0.weight"} <= fast
    assert not any(name.startswith(("visual_", "velocity_", "gs_renderer.gs_head_dynamic")) for name in fast)
    assert sum(len(group["params"]) for group in groups) == len(names)


def test_clips_each_module_by_its_own_norm():
    network = tiny_network().requires_grad_(True)
    for name, parameter in network.named_parameters():
        torch.manual_seed(parameter.numel())
        # Heads have small gradients, which a norm over all would shrink too.
        parameter.grad = torch.randn_like(parameter) * (1e-4 if "head" in name else 1.0)
    before = {
        name: parameter.grad.clone() for name, parameter in network.named_parameters() if parameter.grad is not None
    }
    expected = torch.stack([grad.square().sum() for grad in before.values()]).sum().sqrt()
    groups = clipped_together(network)
    assert sum(map(len, groups)) == len(before)
    assert clip_gradients(groups, 1.0) == pytest.approx(float(expected), rel=1e-5)
    for group in groups:
        length = torch.stack([p.grad.square().sum() for p in group if p.grad is not None]).sum().sqrt()
        assert length <= 1.0001
    assert torch.equal(network.depth_head.norm.weight.grad, before["depth_head.norm.weight"])
    assert not torch.equal(network.cam_head.init_token.grad, torch.zeros_like(network.cam_head.init_token))
    moved = network.get_parameter("visual_geometry_transformer.cam_token").grad
    assert moved is not None
    assert moved.norm() < 0.5 * before["visual_geometry_transformer.cam_token"].norm()


def test_clips_over_all_as_torch_does():
    network, other = tiny_network().requires_grad_(True), tiny_network().requires_grad_(True)
    for model in (network, other):
        torch.manual_seed(0)
        for parameter in model.parameters():
            parameter.grad = torch.randn_like(parameter)
    found = clip_gradients([list(network.parameters())], 1.0)
    assert found == pytest.approx(float(torch.nn.utils.clip_grad_norm_(other.parameters(), 1.0)), rel=1e-6)
    for a, b in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)
