"""Sizes as a checkpoint carries them, and building without initialising."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.weights.digest import identity
from tests.networks.neoverse.fixtures import TINY


def test_json_gives_the_same_back() -> None:
    for architecture in (NetworkArchitecture(), TINY):
        assert NetworkArchitecture.from_json(architecture.to_json()) == architecture
    assert NetworkArchitecture.from_json("{}") == NetworkArchitecture()


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[]",
        '{"width": 3}',
        '{"heads": 7}',
        '{"taps": [1, 2]}',
        '{"embed_dim": "wide"}',
        '{"taps": 3}',
        '{"depth": 24.0}',
        '{"patch_embed": "resnet"}',
    ],
)
def test_bad_json_is_told(text: str) -> None:
    with pytest.raises(SettingsError):
        NetworkArchitecture.from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        {"embed_dim": 384},
        {"taps": (4, 11, 17, 24)},
        {"taps": (4, 4, 17, 23)},
        {"features": 20},
        {"out_channels": (256, 510, 1024, 1024)},
        {"image_size": 500},
        {"depth": 0},
    ],
)
def test_contradicting_sizes_are_told(change: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        replace(NetworkArchitecture(), **change).validate()


def test_building_on_meta_initialises_nothing_and_elsewhere_everything() -> None:
    with torch.device("meta"):
        empty = NeoVerseNetwork(TINY)
    network = NeoVerseNetwork(TINY)
    assert all(value.is_meta for value in empty.state_dict().values())
    assert {k: v.shape for k, v in empty.state_dict().items()} == {k: v.shape for k, v in network.state_dict().items()}
    assert all(bool(value.isfinite().all()) for value in network.state_dict().values())
    assert network.visual_geometry_transformer.frame_blocks[0].ls1.gamma.tolist()[0] == pytest.approx(0.01)
    assert float(network.visual_geometry_transformer.frame_blocks[0].attn.qkv.weight.std()) > 0.01
    assert network.gs_renderer.gs_head_dynamic[2].bias.tolist() == pytest.approx(
        [0.0] * 4 + [-7] * 3 + [-2, 0, 0, 0, -2]
    )


def test_identity_sees_names_and_shapes_but_not_order() -> None:
    shapes = {"a.weight": [2, 3], "b": [4]}
    assert identity(shapes) == identity(dict(reversed(shapes.items())))
    others = [{**shapes, "b": [5]}, {**shapes, "c": [4]}, {"a.weight": [2, 3]}]
    assert len({identity(shapes), *map(identity, others)}) == 4
