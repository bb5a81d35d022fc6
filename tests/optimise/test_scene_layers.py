"""A scene's layers as parameters: groups, loading, and exchanging one layer under running optimisers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, INPAINTED, LAYERS, LayeredGaussians
from neoverse_ns.optimise.row_adam import RowAdam
from neoverse_ns.optimise.scene_layers import FIXED, PARAMETERS, SceneLayers
from tests.gaussians.scenes import random_gaussians


def scene(**sizes: int) -> LayeredGaussians:
    return LayeredGaussians({name: random_gaussians(count, seed) for seed, (name, count) in enumerate(sizes.items())})


def assert_same(one: LayeredGaussians, other: LayeredGaussians) -> None:
    assert list(one) == list(other)
    for name, value in one.tensors().items():
        assert torch.equal(value, other.tensors()[name]), name


def optimizers_of(layers: SceneLayers) -> dict[str, RowAdam]:
    return {name: RowAdam(parameters, lr=0.01) for name, parameters in layers.groups().items()}


def step(layers: SceneLayers, optimizers: dict[str, RowAdam]) -> None:
    """Pull everything that there is toward 1."""
    for optimizer in optimizers.values():
        optimizer.zero_grad()
    pull(layers).backward()
    for optimizer in optimizers.values():
        optimizer.step()


def pull(layers: SceneLayers) -> torch.Tensor:
    values = [getattr(layer, name) for layer in layers.scene.values() for name in PARAMETERS]
    return torch.stack([(value - 1).square().sum() for value in values]).sum()


def test_every_layer_has_its_parameters_even_without_gaussians() -> None:
    given = scene(frames=9, far_field=4)
    layers = SceneLayers(given)
    assert_same(layers.scene.detach(), given)
    groups = layers.groups()
    assert tuple(groups) == PARAMETERS
    for name, parameters in groups.items():
        assert [len(parameter) for parameter in parameters] == [9, 0, 0, 4], name
        assert all(isinstance(p, nn.Parameter) and p.is_leaf and p.requires_grad for p in parameters)
        # The very memory that is drawn, but not what it was made from.
        assert parameters[0] is getattr(layers.scene.frames, name)
        assert parameters[0].data_ptr() != getattr(given.frames, name).data_ptr()
    assert {name.split(".", 1)[1] for name in layers.state_dict()} == {*PARAMETERS, *FIXED}
    assert len(list(layers.buffers())) == len(LAYERS) * len(FIXED)
    assert {*PARAMETERS, *FIXED} == set(given.frames.tensors())


def test_without_a_scene_one_gaussian_stands_in() -> None:
    layers = SceneLayers(None)
    assert list(layers.scene) == [FRAMES]
    assert layers.scene.count == 1


@pytest.mark.parametrize("start", [None, {"frames": 20}, {"frames": 2, "background": 9, "inpainted": 3}])
def test_a_saved_scene_of_any_size_loads_into_the_parameters_that_optimisers_hold(start: dict | None) -> None:
    saved = SceneLayers(scene(frames=9, background=5, far_field=4))
    state = {f"model.layers.{name}": value for name, value in saved.state_dict().items()}
    layers = SceneLayers(None if start is None else scene(**start))
    before = dict(layers.named_parameters())
    layers.resize(state, "model.layers.")
    layers.load_state_dict({name.removeprefix("model.layers."): value for name, value in state.items()})
    after = dict(layers.named_parameters())
    assert before.keys() == after.keys()
    assert all(before[name] is after[name] for name in before)
    assert_same(layers.scene, saved.scene)
    # Selection by lifetime sees the new Gaussians and not those before.
    step(layers, optimizers_of(layers))


def test_a_prefix_that_is_not_there_changes_nothing() -> None:
    layers = SceneLayers(scene(frames=9))
    before = layers.scene.detach().map(lambda layer: layer.with_(means=layer.means.clone()))
    layers.resize({f"other.{name}": value[:0] for name, value in layers.state_dict().items()}, "model.")
    assert_same(layers.scene.detach(), before)


def moments(optimizers: dict[str, RowAdam], parameters: dict[str, nn.Parameter]) -> dict[str, torch.Tensor]:
    return {name: optimizers[name].state[p]["exp_avg"].clone() for name, p in parameters.items()}


def layer_of(layers: SceneLayers, name: str) -> dict[str, nn.Parameter]:
    return {field: getattr(layers[name], field) for field in PARAMETERS}


def test_a_layer_is_replaced_and_what_optimisers_know_of_the_others_stays() -> None:
    layers = SceneLayers(scene(frames=9, background=5, inpainted=6))
    optimizers = optimizers_of(layers)
    for _ in range(3):
        step(layers, optimizers)
    old, others = layer_of(layers, INPAINTED), {name: layer_of(layers, name) for name in (FRAMES, BACKGROUND)}
    known = {name: moments(optimizers, parameters) for name, parameters in others.items()}
    values = layers.scene.without(INPAINTED).detach().map(copied)
    new = random_gaussians(4, seed=7)
    layers.replace(INPAINTED, new, optimizers)
    assert_same(layers.scene.detach(), values.replaced(INPAINTED, new))
    assert layers[INPAINTED].means.data_ptr() != new.means.data_ptr()
    for name, optimizer in optimizers.items():
        assert all(
            parameter is now
            for parameter, now in zip(optimizer.param_groups[0]["params"], layers.groups()[name], strict=True)
        )
        assert old[name] not in optimizer.state
        assert getattr(layers[INPAINTED], name) not in optimizer.state
    for layer, parameters in others.items():
        assert all(parameter is layer_of(layers, layer)[name] for name, parameter in parameters.items())
        for name, value in moments(optimizers, parameters).items():
            assert torch.equal(value, known[layer][name]), (layer, name)
            assert float(value.abs().max()) > 0
    step(layers, optimizers)
    assert all(float((getattr(layers[INPAINTED], n) - getattr(new, n)).abs().max()) > 0 for n in PARAMETERS)


def copied(layer: DynamicGaussians) -> DynamicGaussians:
    return DynamicGaussians(**{name: value.clone() for name, value in layer.tensors().items()})


def test_a_layer_can_be_emptied_and_filled_without_optimisers() -> None:
    layers = SceneLayers(scene(frames=9, background=5))
    layers.replace(BACKGROUND, None, {})
    assert list(layers.scene) == [FRAMES]
    far = random_gaussians(3, seed=4)
    layers.replace(FAR_FIELD, far, {})
    assert list(layers.scene) == [FRAMES, FAR_FIELD]
    assert torch.equal(layers.scene[FAR_FIELD].sh, far.sh)
    assert [len(parameter) for parameter in layers.groups()["sh"]] == [9, 0, 0, 3]
    with pytest.raises(KeyError, match="sky"):
        layers.replace("sky", far, {})


def test_a_graph_of_the_last_step_outlives_the_exchange() -> None:
    layers = SceneLayers(scene(frames=9, inpainted=6))
    loss = pull(layers)
    old = layer_of(layers, INPAINTED)["means"]
    layers.replace(INPAINTED, random_gaussians(2, seed=3), {})
    loss.backward()
    assert old.grad is not None
    assert layers[INPAINTED].means.grad is None


def test_what_is_not_optimised_stays_so_when_it_is_replaced() -> None:
    layers = SceneLayers(scene(frames=9, inpainted=6))
    layers[INPAINTED].means.requires_grad_(False)
    layers.replace(INPAINTED, random_gaussians(2, seed=3), {})
    assert not layers[INPAINTED].means.requires_grad
    assert layers[INPAINTED].sh.requires_grad
