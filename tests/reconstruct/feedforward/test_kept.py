"""A network that stays from clip to clip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from neoverse_ns.reconstruct.feedforward import kept
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.reconstruct.feedforward.keeping import keep_networks
from neoverse_ns.reconstruct.feedforward.kept import Loading, network_for
from neoverse_ns.reconstruct.feedforward.reconstructor import NetworkReconstructor
from tests.networks.neoverse.tiny import save_released_layout, tiny_network
from tests.reconstruct.feedforward.test_reconstructor import SPLIT, noise


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Counts how often weights are read."""
    calls: list[Path] = []
    load = kept.load_network

    def counted(path: Path, *given: object) -> object:
        calls.append(path)
        return load(path, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(kept, "load_network", counted)
    keep_networks(False)
    yield calls
    keep_networks(False)
    kept._KEPT.key = kept._KEPT.loaded = None


def loading(path: Path, staged: bool = False) -> Loading:
    return Loading(path, "float32", torch.device("cpu"), staged)


def test_weights_are_read_once_where_that_is_wanted(tmp_path: Path, loads: list[Path]) -> None:
    path = save_released_layout(tiny_network(), tmp_path)
    assert network_for(loading(path)).network is not network_for(loading(path)).network
    assert len(loads) == 2
    keep_networks(True)
    first = network_for(loading(path))
    first.rest()
    again = network_for(loading(path))
    assert again.network is first.network
    assert len(loads) == 3
    assert all(torch.equal(a, b) for a, b in zip(again.network.parameters(), tiny_network().parameters(), strict=True))


def test_other_weights_settings_and_wishes_are_another_network(tmp_path: Path, loads: list[Path]) -> None:
    keep_networks(True)
    path = save_released_layout(tiny_network(), tmp_path)
    first = network_for(loading(path)).network
    assert network_for(loading(path, staged=True)).network is not first
    # Networks on the CPU stay mapped to their file, which a new one takes the place of.
    path.unlink()
    save_released_layout(tiny_network(seed=1), tmp_path)
    changed = network_for(loading(path)).network
    assert len(loads) == 3
    assert any(not torch.equal(a, b) for a, b in zip(changed.parameters(), first.parameters(), strict=True))
    keep_networks(False)
    network_for(loading(path))
    assert kept._KEPT.loaded is None
    assert len(loads) == 4


def test_a_network_in_stages_gives_its_device_back(tmp_path: Path, loads: list[Path]) -> None:
    keep_networks(True)
    path = save_released_layout(tiny_network(), tmp_path)
    found = network_for(loading(path, staged=True))
    found.network(torch.rand(1, 2, 3, 28, 28))
    found.rest()
    assert network_for(loading(path, staged=True)).network is found.network
    assert len(loads) == 1


def test_a_clip_after_another_gets_what_it_would_get_alone(tmp_path: Path, loads: list[Path]) -> None:
    save_released_layout(tiny_network(), tmp_path)
    config = NetworkConfig(weights=str(tmp_path), device="cpu")
    clip = noise()
    alone = NetworkReconstructor(config).reconstruct(clip, SPLIT)
    keep_networks(True)
    for _ in range(2):
        found = NetworkReconstructor(config).reconstruct(clip, SPLIT)
        for name, values in alone.gaussians.tensors().items():
            assert torch.equal(found.gaussians.tensors()[name], values), name
        assert torch.equal(found.cameras.c2w, alone.cameras.c2w)
    assert len(loads) == 2
