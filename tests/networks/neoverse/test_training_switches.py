"""What training asks of the network beside its predictions, which stay as they are."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.networks.neoverse.pixel_splats import lift, unproject_integer_pixels
from neoverse_ns.networks.neoverse.splats import keyframe_splats
from tests.networks.neoverse.fixtures import TINY, frames, lively


def test_rounds_are_extra_and_end_with_the_result() -> None:
    images = frames(3, batch=2)
    with torch.no_grad():
        plain, more = lively()(images), lively()(images, camera_rounds=True)
    assert plain.camera_rounds is None
    assert more.camera_rounds is not None
    assert more.camera_rounds.shape == (2, 4, 3, 9)
    assert torch.equal(more.camera_rounds[:, -1], more.camera_params)
    assert not torch.equal(more.camera_rounds[:, 0], more.camera_rounds[:, 1])
    for name, value in plain.tensors().items():
        assert torch.equal(more.tensors()[name], value), name


def test_every_clip_has_its_own_flag() -> None:
    images = frames(3, batch=3)
    flags = torch.tensor([True, False, True])
    with torch.no_grad():
        chosen = lively()(images, is_static=flags, head_chunk=2).gs_params
        still, moving = (lively()(images, is_static=static, head_chunk=2).gs_params for static in (True, False))
    assert chosen is not None
    assert still is not None
    assert moving is not None
    assert torch.equal(chosen, torch.where(flags[:, None, None, None, None], still, moving))
    assert not torch.equal(still, moving)


@pytest.mark.parametrize("patch_embed", ["conv", "dinov2_vits14_reg"])
def test_recomputation_gives_the_same_gradients_from_less_memory(patch_embed: str) -> None:
    architecture = TINY
    if patch_embed != "conv":
        architecture = NetworkArchitecture(patch_embed, 384, 4, 6, (0, 1, 2, 3), 16, 16, (8, 8, 8, 8))  # type: ignore[arg-type]
    images, found, kept = frames(2), [], []
    for recompute in (False, True):
        network = lively(architecture).train()
        saved: list[int] = []

        def note(tensor: torch.Tensor, saved: list[int] = saved) -> torch.Tensor:
            saved.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            predictions = network(images, recompute=recompute)
        kept.append(sum(saved))
        sum(value.square().mean() for value in predictions.tensors().values()).backward()  # type: ignore[union-attr]
        found.append({name: p.grad for name, p in network.named_parameters() if p.grad is not None})
    assert set(found[0]) == set(found[1])
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient, rtol=1e-5, atol=1e-7, msg=name)
    # What is left is mostly the weights themselves.
    assert kept[1] < 0.75 * kept[0]


def test_a_network_knows_which_pixels_it_learned() -> None:
    architecture = NetworkArchitecture.from_json(
        TINY.to_json().replace('"pixel_centres": false', '"pixel_centres": true')
    )
    assert architecture.pixel_centres
    network = NeoVerseNetwork(architecture)
    network.load_state_dict(lively().state_dict())
    images, times = frames(2), torch.tensor([[0, 1]])
    with torch.no_grad():
        centred, released = network(images), lively()(images)
    assert centred.to("cpu").pixel_centres
    assert not released.pixel_centres
    assert released.gs_depth is not None
    depth, K, c2w = released.gs_depth[0], released.K[0], released.c2w[0]
    for predictions, expected in (
        (centred, lift(depth, K, c2w, True)),
        (released, unproject_integer_pixels(depth, K, c2w)),
    ):
        means = torch.stack([part.means for part in keyframe_splats(predictions, images, times)[0]])
        torch.testing.assert_close(means, expected.flatten(1, 2))
    half = depth / K[:, 0, 0, None, None] / 2
    moved = (lift(depth, K, torch.eye(4).expand(2, 4, 4), True) - lift(depth, K, torch.eye(4).expand(2, 4, 4), False))[
        ..., 0
    ]
    torch.testing.assert_close(moved, half, rtol=1e-3, atol=1e-5)
    with pytest.raises(SettingsError, match="pixel_centres"):
        NetworkArchitecture.from_json('{"pixel_centres": "yes"}')


def test_a_field_of_view_that_was_pushed_below_none_finds_its_way_back() -> None:
    head = lively().cam_head.requires_grad_(True)
    with torch.no_grad():
        head.param_predictor.fc2.bias[7:] = -1.0
    last = head(torch.randn(1, 2, 2 * TINY.embed_dim, generator=torch.Generator().manual_seed(0)))[-1]
    assert torch.all(last[..., 7:] == 0)
    last[..., 7:].sum().backward()
    assert head.param_predictor.fc2.bias.grad is not None
    assert torch.all(head.param_predictor.fc2.bias.grad[7:] > 0)
