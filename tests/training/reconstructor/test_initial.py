"""What training begins with: which weights are taken over, which are new, and how those begin."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import SettingsError, WeightsError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.attention import CrossAttention, SelfAttention
from neoverse_ns.networks.neoverse.checkpoint import load_network
from neoverse_ns.training.data.sets.world_clip import WorldClip
from neoverse_ns.training.reconstructor.checkpoint import write_network
from neoverse_ns.training.reconstructor.initial import InitialConfig, starting_network
from tests.networks.neoverse.tiny import TINY, save_released_layout, tiny_network

NEW = ("motion_", "velocity_", "_attr_head", "gs_head_dynamic")


def worldmirror(folder: Path, **changes: torch.Tensor) -> Path:
    """A file with WorldMirror's names: none of NeoVerse's own, and a head of normals."""
    state = {key: value for key, value in tiny_network(3).state_dict().items() if not any(n in key for n in NEW)}
    state |= {"norm_head.norm.weight": torch.ones(64), **changes}
    folder.mkdir(exist_ok=True)
    torch.save({f"model.{key}": value for key, value in state.items()}, folder / "mirror.pt")
    return folder / "mirror.pt"


def images() -> torch.Tensor:
    return torch.rand(1, 3, 3, 28, 42, generator=torch.Generator().manual_seed(0))


def test_from_worldmirror_everything_old_is_kept_and_nothing_moves(tmp_path):
    path = worldmirror(tmp_path)
    network = starting_network(InitialConfig("worldmirror", str(path)), NetworkArchitecture(), 0, 42)
    truth = tiny_network(3).state_dict()
    state = network.state_dict()
    for key, value in truth.items():
        if not any(name in key for name in NEW):
            assert torch.equal(state[key], value), key
    assert network.architecture.embed_dim == TINY.embed_dim
    tokens = state["visual_geometry_transformer.motion_tokens"]
    assert 0 < tokens.abs().max() < 1e-5
    assert torch.all(state["visual_geometry_transformer.motion_self_blocks.0.ls1.gamma"] == 0.01)
    # Moving Gaussians look as static ones do, but for how long they live.
    for key in ("0.weight", "2.weight", "2.bias"):
        static, dynamic = state[f"gs_renderer.gs_head.{key}"], state[f"gs_renderer.gs_head_dynamic.{key}"]
        if key == "0.weight":
            assert torch.equal(static, dynamic)
        else:
            assert torch.equal(static[:-1], dynamic[:-1])
            assert not torch.equal(static[-1], dynamic[-1])
    with torch.no_grad():
        predictions = network(images())
    assert predictions.velocity_fwd is not None
    assert not predictions.velocity_fwd.any()
    assert predictions.gs_bwd_attr is not None
    assert not predictions.gs_bwd_attr.any()
    other = starting_network(InitialConfig("worldmirror", str(path)), NetworkArchitecture(), 1, 42).state_dict()
    assert not torch.equal(other["gs_renderer.gs_head_dynamic.2.weight"], state["gs_renderer.gs_head_dynamic.2.weight"])


def test_from_worldmirror_what_does_not_fit_is_named(tmp_path):
    path = worldmirror(tmp_path, **{"cam_head.token_norm.weight": torch.ones(3)})
    with pytest.raises(WeightsError, match=r"mirror.pt does not fit the network: .*cam_head.token_norm.weight"):
        starting_network(InitialConfig("worldmirror", str(path)), TINY, 0, 42)
    with pytest.raises(WeightsError, match=r"not on this machine: .*--initial.download.*--initial.weights"):
        starting_network(InitialConfig("worldmirror", "nobody/has-this"), TINY, 0, 42)


def test_goes_on_from_published_weights_without_touching_their_file(tmp_path):
    path = save_released_layout(tiny_network(2), tmp_path)
    before = path.read_bytes()
    network = starting_network(InitialConfig("published", str(tmp_path)), NetworkArchitecture(), 0, 42)
    for key, value in tiny_network(2).state_dict().items():
        assert torch.equal(network.state_dict()[key], value), key
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    assert path.read_bytes() == before
    assert torch.load(path)["cam_head.out_norm.weight"].all()
    assert network.training
    still = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    assert still
    assert all("_embed." in name and "patch_embed" not in name for name in still)


def test_from_scratch_is_seeded_and_looks_ahead():
    torch.manual_seed(5)
    network = starting_network(InitialConfig("scratch"), TINY, 7, 98)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(1), drawn)
    again = starting_network(InitialConfig("scratch"), TINY, 7, 98)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))
    other = starting_network(InitialConfig("scratch"), TINY, 8, 98)
    assert not torch.equal(other.cam_head.param_predictor.fc1.weight, network.cam_head.param_predictor.fc1.weight)
    # Blocks count from the first step on, and tokens are told apart.
    state = network.state_dict()
    assert all(torch.all(value == 1) for key, value in state.items() if key.endswith("gamma"))
    assert 0.01 < state["visual_geometry_transformer.reg_token"].std() < 0.03
    with torch.no_grad():
        predictions = network(images())
    assert predictions.gs_params is not None
    assert torch.all((predictions.camera_params[..., 7:] - torch.pi / 3).abs() < 0.5)
    assert torch.all(predictions.c2w[..., :3, :3].diagonal(dim1=-2, dim2=-1) > 0.8)
    # A pixel of a 98 pixel wide view through 60 degrees is 0.012 wide at distance 1.
    assert 0.002 < predictions.gs_params[..., 4:7].exp().mean() < 0.02


def test_from_scratch_patches_look_for_what_looks_like_them_and_gaussians_outlive_the_gap():
    network = starting_network(InitialConfig("scratch"), TINY, 0, 98)
    trunk = network.visual_geometry_transformer
    block, cross = trunk.get_submodule("global_blocks.0.attn"), trunk.get_submodule("motion_fwd_blocks.1.cross_attn")
    assert isinstance(block, SelfAttention)
    assert isinstance(cross, CrossAttention)
    query, key, _ = block.qkv.weight.chunk(3)
    assert torch.equal(query, key)
    assert torch.equal(cross.projq.weight, cross.projk.weight)
    tokens = torch.randn(1, 5, TINY.embed_dim, generator=torch.Generator().manual_seed(0))
    asked, kept = (
        norm(part(tokens).unflatten(-1, (TINY.heads, -1))).transpose(1, 2)
        for norm, part in ((cross.q_norm, cross.projq), (cross.k_norm, cross.projk))
    )
    assert torch.equal((asked @ kept.mT).argmax(-1), torch.arange(5).expand(1, TINY.heads, 5))
    with torch.no_grad():
        predictions = network(images())
    assert predictions.gs_params is not None
    assert torch.all(predictions.gs_params[..., 11].sigmoid() > 0.5)


def test_from_scratch_the_camera_head_sees_how_pictures_differ():
    network = starting_network(InitialConfig("scratch"), TINY, 0, 98)
    patch = TINY.patch_size
    clips = [WorldClip(seed, 14 * patch, 8 * patch) for seed in range(100, 106)]
    pictures = torch.stack([torch.stack([clip.frame(index).rgb for index in (0, 8, 16)]) for clip in clips])
    pictures = pictures.permute(0, 1, 4, 2, 3).float() / 255
    with torch.no_grad():
        tokens = network.visual_geometry_transformer(pictures, motion=False).taps[-1][:, :, 0]
        told = network.cam_head.token_norm(tokens)
    # Of other worlds than it began with.
    plain = torch.nn.functional.layer_norm(tokens, tokens.shape[-1:])
    shares = [one.std((0, 1)).mean() / one.mean((0, 1)).abs().mean() for one in (plain, told)]
    assert shares[1] > 3 * shares[0]


def test_motion_that_begins_at_none_learns_at_once():
    network = starting_network(InitialConfig("scratch"), TINY, 0, 98)
    predictions = network(images())
    assert predictions.velocity_fwd is not None
    assert not predictions.velocity_fwd.any()
    (predictions.velocity_fwd - 1).square().sum().backward()
    gradient = network.velocity_fwd_head.scratch.output_conv2[-1].weight.grad
    assert gradient is not None
    assert gradient.any()


def test_what_is_written_is_read_back(tmp_path):
    sizes = NetworkArchitecture("conv", 32, 6, 4, (0, 2, 4, 5), 16, 16, (8, 8, 8, 8))
    network = starting_network(InitialConfig("scratch"), sizes, 0, 98)
    path = write_network(network.state_dict(), sizes, tmp_path / "weights")
    assert path.name == "reconstructor.ckpt"
    again, known = load_network(path)
    assert known.architecture == sizes
    for key, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[key], value)


def test_settings_that_contradict():
    with pytest.raises(SettingsError, match="scratch"):
        InitialConfig("scratch", "weights.ckpt").validate()
