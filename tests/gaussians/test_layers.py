"""Named layers: their order, what is refused, and what every view of a scene keeps."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, INPAINTED, LAYERS, LayeredGaussians
from tests.gaussians.scenes import random_gaussians

ORDER = [FRAMES, BACKGROUND, INPAINTED, FAR_FIELD]
SIZES = {FRAMES: 12, BACKGROUND: 7, INPAINTED: 5, FAR_FIELD: 3}


def parts() -> dict[str, DynamicGaussians]:
    return {name: random_gaussians(count, seed) for seed, (name, count) in enumerate(SIZES.items())}


def assert_same(one: DynamicGaussians, other: DynamicGaussians) -> None:
    for name, value in one.tensors().items():
        assert torch.equal(getattr(other, name), value), name


def test_layers_lie_front_to_back_however_they_are_given() -> None:
    given = parts()
    scene = LayeredGaussians({name: given[name] for name in reversed(ORDER)})
    assert list(LAYERS) == ORDER
    assert list(scene) == ORDER
    assert all(scene[name] is given[name] for name in ORDER)
    assert scene.frames is given[FRAMES]
    assert len(scene) == 4
    assert scene.count == 27
    assert [LAYERS[name].is_surface for name in ORDER] == [True, True, True, False]


def test_empty_layers_are_absent_but_for_the_frames_own() -> None:
    given = parts()
    scene = LayeredGaussians(
        {FRAMES: given[FRAMES][:0], BACKGROUND: given[BACKGROUND][:0], FAR_FIELD: given[FAR_FIELD]}
    )
    assert list(scene) == [FRAMES, FAR_FIELD]
    assert BACKGROUND not in scene
    assert (len(scene.frames), scene.count) == (0, 3)
    assert len(scene.layer(BACKGROUND)) == 0
    assert scene.layer(BACKGROUND).means.shape == (0, 3)
    assert scene.layer(FAR_FIELD) is given[FAR_FIELD]
    with pytest.raises(KeyError):
        scene[BACKGROUND]


def test_unknown_names_and_scenes_without_frames_are_refused() -> None:
    given = parts()
    with pytest.raises(KeyError, match="sky"):
        LayeredGaussians({FRAMES: given[FRAMES], "sky": given[FAR_FIELD]})
    with pytest.raises(KeyError, match="frames"):
        LayeredGaussians({BACKGROUND: given[BACKGROUND]})
    with pytest.raises(KeyError, match="none"):
        LayeredGaussians({})
    scene = LayeredGaussians(given)
    with pytest.raises(KeyError, match="sky"):
        scene.layer("sky")
    with pytest.raises(KeyError, match="sky"):
        scene.replaced("sky", given[FAR_FIELD])
    with pytest.raises(KeyError, match="frames"):
        scene.replaced(FRAMES, None)


def test_only_and_without_choose_layers_and_keep_the_order() -> None:
    scene = LayeredGaussians(parts())
    chosen = scene.only(FAR_FIELD, BACKGROUND)
    assert list(chosen) == [FRAMES, BACKGROUND, FAR_FIELD]
    assert len(chosen.frames) == 0
    assert chosen[BACKGROUND] is scene[BACKGROUND]
    assert list(scene.only(FRAMES)) == [FRAMES]
    assert scene.only(FRAMES).frames is scene.frames
    assert scene.only().count == 0
    left = scene.without(INPAINTED, BACKGROUND)
    assert list(left) == [FRAMES, FAR_FIELD]
    assert left.frames is scene.frames
    assert scene.without(FRAMES).count == 27 - 12
    assert list(scene.without()) == ORDER
    # What is absent already is no mistake: a scene need not have every layer.
    assert list(left.without(INPAINTED)) == [FRAMES, FAR_FIELD]
    assert list(scene) == ORDER


def test_one_layer_is_exchanged_added_or_taken_away() -> None:
    given = parts()
    scene, other = LayeredGaussians(given), random_gaussians(4, seed=9)
    changed = scene.replaced(BACKGROUND, other)
    assert list(changed) == ORDER
    assert changed[BACKGROUND] is other
    assert all(changed[name] is scene[name] for name in ORDER if name != BACKGROUND)
    assert scene[BACKGROUND] is given[BACKGROUND]
    assert list(scene.replaced(INPAINTED, None)) == [FRAMES, BACKGROUND, FAR_FIELD]
    bare = scene.only(FRAMES)
    assert list(bare.replaced(INPAINTED, None)) == [FRAMES]
    assert list(bare.replaced(FAR_FIELD, other).replaced(BACKGROUND, other)) == [FRAMES, BACKGROUND, FAR_FIELD]
    assert list(scene.replaced(INPAINTED, other[:0])) == [FRAMES, BACKGROUND, FAR_FIELD]


def test_changes_reach_every_layer() -> None:
    scene = LayeredGaussians(parts())
    moved = scene.map(lambda layer: layer.with_(means=layer.means + 1))
    assert list(moved) == ORDER
    assert all(torch.equal(moved[name].means, scene[name].means + 1) for name in ORDER)
    assert all(moved[name].sh is scene[name].sh for name in ORDER)
    # What a change leaves nothing of is absent.
    assert list(scene.map(lambda layer: layer[len(layer) - 5 :] if len(layer) > 5 else layer[:0])) == [
        FRAMES,
        BACKGROUND,
    ]
    learned = scene.map(lambda layer: layer.with_(means=layer.means.clone().requires_grad_()))
    assert not any(layer.means.requires_grad for layer in learned.detach().values())
    assert learned.frames.means.requires_grad
    there = scene.to("meta")
    assert there.device.type == "meta"
    assert all(value.device.type == "meta" for value in there.tensors().values())
    assert scene.device.type == "cpu"


@pytest.mark.parametrize("names", [ORDER, [FRAMES], [FRAMES, FAR_FIELD]])
def test_tensors_by_name_make_the_scene_again(names: list[str]) -> None:
    scene = LayeredGaussians(parts()).only(*names)
    tensors = scene.tensors()
    assert list(tensors) == [f"{name}.{field}" for name in names for field in scene[name].tensors()]
    assert all(torch.equal(tensors[f"{name}.means"], scene[name].means) for name in names)
    again = LayeredGaussians.from_tensors(dict(reversed(tensors.items())))
    assert list(again) == names
    for name in names:
        assert_same(scene[name], again[name])


def test_tensors_that_are_no_scene_are_refused() -> None:
    tensors = LayeredGaussians(parts()).tensors()
    with pytest.raises(KeyError, match="sky"):
        LayeredGaussians.from_tensors(tensors | {f"sky.{k}": v for k, v in parts()[FAR_FIELD].tensors().items()})
    with pytest.raises(TypeError, match="colour"):
        LayeredGaussians.from_tensors(tensors | {"frames.colour": torch.zeros(12)})
    with pytest.raises(TypeError, match="means"):
        LayeredGaussians.from_tensors({k: v for k, v in tensors.items() if k != "background.means"})


def test_the_flat_set_lists_all_front_to_back() -> None:
    given = parts()
    flat = LayeredGaussians({name: given[name] for name in reversed(ORDER)}).flat()
    first = 0
    for name in ORDER:
        assert_same(given[name], flat[first : first + len(given[name])])
        first += len(given[name])
    assert len(flat) == first == 27


@pytest.mark.parametrize("choose", ["only", "without"])
def test_misspelt_layers_are_refused(choose: str) -> None:
    with pytest.raises(KeyError, match="'farfield' is no layer"):
        getattr(LayeredGaussians(parts()), choose)(FRAMES, "farfield")
