"""Networks that outlive a clip: a process that does many reads the weights once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from neoverse_ns.networks.neoverse.checkpoint import NetworkWeights, Precision, load_network
from neoverse_ns.networks.neoverse.low_vram import run_in_stages
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.reconstruct.feedforward.availability import fingerprint
from neoverse_ns.reconstruct.feedforward.keeping import networks_are_kept


@dataclass(frozen=True)
class Loading:
    """All that decides what is loaded.

    Attributes:
        path: Of the weights.
        precision: That they are stored in.
        device: Where the network runs.
        staged: Whether its parts take turns there.
    """

    path: Path
    precision: Precision
    device: torch.device
    staged: bool


@dataclass(frozen=True)
class LoadedNetwork:
    """A network where it runs.

    Attributes:
        network: To be called.
        weights: What is known of them.
        rest: To be called when a clip is done: what the network occupies on its device is given back.
    """

    network: NeoVerseNetwork
    weights: NetworkWeights
    rest: Callable[[], None]


class _Kept:
    """The last network that was loaded, where it is to be kept."""

    def __init__(self) -> None:
        self.key: tuple[Loading, str] | None = None
        self.loaded: LoadedNetwork | None = None


_KEPT = _Kept()


def network_for(loading: Loading) -> LoadedNetwork:
    """The network with its weights, on its device: the one that is kept, where it is the same, else loaded.

    Weights that have changed on disk are read again. Nothing is kept unless the process wants it; see
    :func:`neoverse_ns.reconstruct.feedforward.keeping.keep_networks`.

    Raises:
        WeightsError: The weights are damaged or not this network's.
    """
    if not networks_are_kept():
        _KEPT.key = _KEPT.loaded = None
        return _load(loading)
    key = (loading, fingerprint(loading.path))
    if _KEPT.loaded is None or _KEPT.key != key:
        # Never two at once.
        _KEPT.key = _KEPT.loaded = None
        _KEPT.loaded, _KEPT.key = _load(loading), key
    elif not loading.staged:
        _KEPT.loaded.network.to(loading.device)
    return _KEPT.loaded


def _load(loading: Loading) -> LoadedNetwork:
    at_rest = torch.device("cpu")
    network, weights = load_network(loading.path, loading.precision, at_rest if loading.staged else loading.device)
    if loading.staged:
        stages = run_in_stages(network, loading.device)
        return LoadedNetwork(network, weights, lambda: stages.activate(None))

    def rest() -> None:
        # What nobody keeps is freed where it is; to copy it back would only take time.
        if _KEPT.loaded is not None and _KEPT.loaded.network is network:
            network.to(at_rest)

    return LoadedNetwork(network, weights, rest)
