"""`LayeredGaussians`: the Gaussians of a scene as a few named layers, each drawn behind the ones before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate


@dataclass(frozen=True)
class LayerKind:
    """What a layer is to those who draw it.

    Attributes:
        meaning: What its Gaussians stand for.
        is_surface: Whether they lie where something is. What is not a surface shows colours alone: it neither counts as
            seen, nor says how far anything is away.
    """

    meaning: str
    is_surface: bool = True


FRAMES, BACKGROUND, INPAINTED, FAR_FIELD = "frames", "background", "inpainted", "far_field"

LAYERS: dict[str, LayerKind] = {
    FRAMES: LayerKind("the keyframes' own Gaussians, alive between their neighbours"),
    BACKGROUND: LayerKind("constant surfaces fused from all keyframes"),
    INPAINTED: LayerKind("constant surfaces that a refiner painted where nothing was seen"),
    FAR_FIELD: LayerKind("a smooth continuation of the colours, where there is no surface at all", is_surface=False),
}
"""Every layer there can be, front to back."""


class LayeredGaussians(Mapping[str, DynamicGaussians]):
    """Layers by name, front to back; one that is absent has no Gaussians.

    A layer's Gaussians show only through what the layers before it leave open. So a fused background fills holes of the
    keyframes' own Gaussians without blurring them, and what was inpainted can never hide what was seen.

    Args:
        layers: By name, in any order; empty ones are left out, but for `frames`, which is always there.

    Raises:
        KeyError: A name is not in :data:`LAYERS`, or `frames` is missing.
    """

    def __init__(self, layers: Mapping[str, DynamicGaussians]) -> None:
        unknown = sorted(set(layers) - set(LAYERS))
        if unknown or FRAMES not in layers:
            raise KeyError(f"layers are {', '.join(LAYERS)}, '{FRAMES}' among them, got {', '.join(layers) or 'none'}")
        self._layers = {n: layers[n] for n in LAYERS if n in layers and (n == FRAMES or len(layers[n]) > 0)}

    def __repr__(self) -> str:
        return f"LayeredGaussians({', '.join(f'{name} {len(layer)}' for name, layer in self._layers.items())})"

    def __getitem__(self, name: str) -> DynamicGaussians:
        return self._layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        """How many layers there are; see `count` for the Gaussians."""
        return len(self._layers)

    @property
    def count(self) -> int:
        """Number of Gaussians in all layers."""
        return sum(len(layer) for layer in self._layers.values())

    @property
    def frames(self) -> DynamicGaussians:
        return self._layers[FRAMES]

    @property
    def device(self) -> torch.device:
        return self.frames.device

    def layer(self, name: str) -> DynamicGaussians:
        """A layer, without Gaussians where it is absent.

        Raises:
            KeyError: There is no such kind of layer.
        """
        _check(name)
        return self._layers.get(name, self.frames[:0])

    def map(self, change: Callable[[DynamicGaussians], DynamicGaussians]) -> LayeredGaussians:
        """The scene with `change` applied to every layer."""
        return LayeredGaussians({name: change(layer) for name, layer in self._layers.items()})

    def replaced(self, name: str, gaussians: DynamicGaussians | None) -> LayeredGaussians:
        """The scene with one layer exchanged; None takes it away."""
        others = {n: layer for n, layer in self._layers.items() if n != name}
        return LayeredGaussians(others if gaussians is None else others | {name: gaussians})

    def only(self, *names: str) -> LayeredGaussians:
        """The scene with the layers named; `frames` without Gaussians where it is not among them.

        Raises:
            KeyError: A name is no kind of layer.
        """
        _check(*names)
        chosen = {name: layer for name, layer in self._layers.items() if name in names}
        return LayeredGaussians({FRAMES: self.frames[:0]} | chosen)

    def without(self, *names: str) -> LayeredGaussians:
        """The scene without the layers named.

        Raises:
            KeyError: A name is no kind of layer.
        """
        _check(*names)
        return self.only(*(name for name in self._layers if name not in names))

    def to(self, device: torch.device | str) -> LayeredGaussians:
        return self.map(lambda layer: layer.to(device))

    def detach(self) -> LayeredGaussians:
        return self.map(DynamicGaussians.detach)

    def tensors(self) -> dict[str, Tensor]:
        """Every field of every layer, by `layer.field`: what is saved and hashed."""
        return {f"{name}.{field}": value for name, layer in self.items() for field, value in layer.tensors().items()}

    @staticmethod
    def from_tensors(tensors: Mapping[str, Tensor]) -> LayeredGaussians:
        """The reverse of `tensors`.

        Raises:
            KeyError, TypeError: A layer or field is unknown or missing.
        """
        fields: dict[str, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            name, _, field = key.partition(".")
            fields.setdefault(name, {})[field] = value
        return LayeredGaussians({name: DynamicGaussians(**values) for name, values in fields.items()})

    def flat(self) -> DynamicGaussians:
        """All Gaussians in one set, front to back: for counting, not for drawing."""
        return concatenate(list(self._layers.values()))


def _check(*names: str) -> None:
    for name in names:
        if name not in LAYERS:
            raise KeyError(f"'{name}' is no layer: {', '.join(LAYERS)} are")
