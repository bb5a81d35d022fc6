"""The control branch against the reference's velocities, and its names against the release's."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.errors import WeightsError
from neoverse_ns.generate.refiners.wan.architecture import WanArchitecture
from neoverse_ns.generate.refiners.wan.components import is_control
from neoverse_ns.generate.refiners.wan.control import ControlInput
from neoverse_ns.generate.refiners.wan.key_map import match_keys, to_diffusers, to_release
from tests.fixtures import filling
from tests.fixtures.published import FOLDERS, REDUCED, read_arrays, read_json
from tests.generate.refiners.wan.tiny_wan import ARCHITECTURE


def _fill(model: torch.nn.Module, seed: int) -> None:
    """The fixture's weights, which are drawn by the release's names."""
    filling.fill({to_release(key): value for key, value in model.state_dict().items()}, seed)


@pytest.fixture(scope="module", params=FOLDERS)
def case(request):
    settings, expected = read_json(request.param, "control_branch"), read_arrays(request.param, "control_branch")
    wan, control = settings["wan"], settings["control"]
    architecture = WanArchitecture(
        dim=wan["dim"],
        heads=wan["num_heads"],
        layers=wan["num_layers"],
        ffn_dim=wan["ffn_dim"],
        text_dim=wan["text_dim"],
        freq_dim=wan["freq_dim"],
        control_layers=tuple(control["control_layers"]),
        control_channels=control["control_in_dim"],
    )
    model = architecture.build().eval()
    _fill(model, settings["seed"])
    drawn = filling.control_inputs(settings)
    control_input = ControlInput(
        rgb=drawn["target_rgb"],
        depth=drawn["target_depth"],
        mask=drawn["target_mask"].transpose(1, 2),
        plucker=drawn["target_camera_embed"].transpose(1, 2),
    )
    return settings, expected, model, drawn, control_input


def _velocity(case, control, **options):
    settings, _, model, drawn, _ = case
    with torch.no_grad():
        return model(drawn["latents"], torch.tensor([settings["timestep"]]), drawn["context"], control, **options)


def test_velocity_with_control(case):
    assert case[1]["noise_pred"].error(_velocity(case, case[4]).numpy()) < 1e-4


def test_velocity_without_control(case):
    assert case[1]["noise_pred_uncontrolled"].error(_velocity(case, None).numpy()) < 1e-4


def test_control_scale_goes_from_wan_alone_to_full_control(case):
    torch.testing.assert_close(_velocity(case, case[4], control_scale=0.0), _velocity(case, None))
    assert not torch.allclose(_velocity(case, case[4], control_scale=0.5), _velocity(case, case[4]), atol=1e-3)


def test_mask_and_cameras_reach_the_velocity(case):
    kept = case[4]
    other = ControlInput(kept.rgb, kept.depth, 1 - kept.mask, kept.plucker)
    assert not torch.allclose(_velocity(case, other), _velocity(case, kept), atol=1e-3)
    turned = ControlInput(kept.rgb, kept.depth, kept.mask, kept.plucker.flip(1))
    assert not torch.allclose(_velocity(case, turned), _velocity(case, kept), atol=1e-3)


def test_zeroed_control_leaves_wan_unchanged(case):
    settings, _, _, drawn, control = case
    model = WanArchitecture.from_release(settings["keys"], heads=4).build().eval()
    _fill(model, settings["seed"])
    model.reset_control_output()
    timestep = torch.tensor([settings["timestep"]])
    with torch.no_grad():
        controlled = model(drawn["latents"], timestep, drawn["context"], control)
        alone = model(drawn["latents"], timestep, drawn["context"])
    assert torch.equal(controlled, alone)


def test_gradient_checkpointing_gives_the_same_gradients(case):
    settings, _, model, drawn, control = case
    weight = model.vace_blocks[0].proj_in.weight

    def gradient() -> torch.Tensor:
        velocity = model(drawn["latents"], torch.tensor([settings["timestep"]]), drawn["context"], control)
        return torch.autograd.grad(velocity.square().mean(), weight)[0]

    plain = gradient()
    model.train().enable_gradient_checkpointing()
    try:
        torch.testing.assert_close(gradient(), plain)
    finally:
        model.eval().disable_gradient_checkpointing()


def test_released_names_match_the_14b_model_one_to_one():
    shapes = read_json(REDUCED, "diffusion_keys")
    with torch.device("meta"):
        model = WanArchitecture().build()
    state = model.state_dict()
    pairs = match_keys(shapes, state)
    assert len(pairs) == len(set(pairs.values())) == len(state) == 1335
    assert {old: list(state[new].shape) for old, new in pairs.items()} == shapes
    # The way back writes the release's names.
    assert {to_release(new) for new in state} == set(shapes)
    assert all(to_release(new) == old for old, new in pairs.items())
    assert WanArchitecture.from_release(shapes) == WanArchitecture()


def test_names_left_or_doubled_are_errors():
    keys = ["patch_embedding.weight", "blocks.0.norm3.weight"]
    model_keys = ["patch_embedding.weight", "blocks.0.norm2.weight"]
    assert match_keys(keys, model_keys) == dict(zip(keys, model_keys, strict=True))
    with pytest.raises(WeightsError, match="lacks 1 of 2"):
        match_keys(keys[:1], model_keys)
    with pytest.raises(WeightsError, match="no place for"):
        match_keys(keys, model_keys[:1])
    for unknown in ("blocks.0.norm9.weight", "blocks.x.norm3.weight", "img_emb.proj.0.weight", "blocks.0.proj_in.bias"):
        with pytest.raises(WeightsError, match="is no tensor of Wan"):
            to_diffusers(unknown)
    # Only control blocks have a projection in front.
    assert to_diffusers("control_blocks.0.before_proj.bias") == "vace_blocks.0.proj_in.bias"
    with pytest.raises(WeightsError, match="is no tensor of Wan"):
        to_diffusers("blocks.0.before_proj.bias")


def test_diffusers_converter_misses_the_control_branch():
    """Why the tables of names are ours: diffusers knows Wan and VACE, and only the way from their names to its own."""
    from diffusers.loaders import single_file_utils

    with torch.device("meta"):
        state = ARCHITECTURE.build().state_dict()
    converted = single_file_utils.convert_wan_transformer_to_diffusers({to_release(key): key for key in state})
    wrong = {name for name, key in converted.items() if name != key}
    assert wrong == {name for name in converted if name.startswith("control_")}
    assert {key for name, key in converted.items() if name in wrong} == {key for key in state if is_control(key)}
    # What it does not know it passes on, and it has no inverse, which files that training writes need.
    assert list(single_file_utils.convert_wan_transformer_to_diffusers({"foo.weight": 0})) == ["foo.weight"]
    assert not [name for name in dir(single_file_utils) if name.startswith("convert_diffusers_to_wan")]
