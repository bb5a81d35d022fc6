"""A distilled LoRA, merged into the weights while they are loaded: four sampling steps instead of fifty."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import torch
from torch import Tensor

from neoverse_ns.errors import WeightsError
from neoverse_ns.weights.read import read_weights

DOWN, UP = ".lora_down.weight", ".lora_up.weight"
ADDED = {".diff": (".weight", ""), ".diff_b": (".bias",), ".diff_m": (".modulation",)}
"""Ending of a difference that is added as it is -> endings of the tensors it may belong to, tried in order."""
PREFIX = "diffusion_model."


class LoraUpdates:
    """Changes of single tensors: low-rank pairs, W + B A, and full differences, W + D (lightx2v's layout).

    There is no scaling by the rank; a stored `alpha` other than the rank, which would ask for one, is an error.
    """

    def __init__(self, path: Path, release_keys: set[str]) -> None:
        """Read a LoRA and pair each of its tensors with one of the transformer's.

        Args:
            path: A safetensors file.
            release_keys: Names of the transformer's tensors, as in the release.

        Raises:
            WeightsError: The file is damaged or of another layout, or some of it belongs to no tensor.
        """
        self.path = path
        self._pairs: dict[str, tuple[Tensor, Tensor]] = {}
        self._added: dict[str, list[Tensor]] = defaultdict(list)
        tensors = {key.removeprefix(PREFIX): value for key, value in read_weights(path).tensors.items()}
        unmatched: list[str] = []
        for key, value in tensors.items():
            if key.endswith(DOWN):
                self._pair(key.removesuffix(DOWN), tensors, release_keys, unmatched)
            elif key.endswith(UP):
                if key.removesuffix(UP) + DOWN not in tensors:
                    unmatched.append(key)
            elif key.endswith(".alpha"):
                self._check_alpha(key, float(value), tensors, unmatched)
            else:
                self._add(key, value, release_keys, unmatched)
        if unmatched or not (self._pairs or self._added):
            raise WeightsError(
                f"{path.name} does not fit the transformer: {len(unmatched)} of its {len(tensors)} tensors belong to "
                f"none of its own ({', '.join(unmatched[:3])}): choose a LoRA for Wan 2.1 T2V of the same size"
            )

    def __len__(self) -> int:
        return len(self._pairs.keys() | self._added.keys())

    def changes(self, release_key: str) -> bool:
        """Whether the tensor is changed at all."""
        return release_key in self._pairs or release_key in self._added

    def apply(self, release_key: str, weight: Tensor) -> Tensor:
        """The merged tensor, in float32 where it changed and `weight` itself where it did not.

        Raises:
            WeightsError: An update has another shape than the tensor it belongs to.
        """
        pair, added = self._pairs.get(release_key), self._added.get(release_key, [])
        if pair is None and not added:
            return weight
        merged = weight.float()
        if pair is not None:
            up, down = (part.to(merged.device, torch.float32).flatten(1) for part in pair)
            if up.shape[1] != down.shape[0] or (up.shape[0], down.shape[1]) != tuple(weight.flatten(1).shape):
                raise self._misfit(release_key, f"{tuple(up.shape)} x {tuple(down.shape)}", weight)
            merged = merged + (up @ down).view_as(merged)
        for difference in added:
            if difference.numel() != weight.numel():
                raise self._misfit(release_key, str(tuple(difference.shape)), weight)
            merged = merged + difference.to(merged.device, torch.float32).view_as(merged)
        return merged

    def _pair(self, name: str, tensors: dict[str, Tensor], release_keys: set[str], unmatched: list[str]) -> None:
        if name + UP in tensors and f"{name}.weight" in release_keys:
            self._pairs[f"{name}.weight"] = (tensors[name + UP], tensors[name + DOWN])
        else:
            unmatched.append(name + DOWN)

    def _check_alpha(self, key: str, alpha: float, tensors: dict[str, Tensor], unmatched: list[str]) -> None:
        down = tensors.get(key.removesuffix(".alpha") + DOWN)
        if down is None:
            unmatched.append(key)
        elif alpha != down.shape[0]:
            raise WeightsError(
                f"{self.path.name} scales its updates ({key} is {alpha:g} for rank {down.shape[0]}), which the "
                "distilled LoRAs of lightx2v do not: choose one of those"
            )

    def _add(self, key: str, value: Tensor, release_keys: set[str], unmatched: list[str]) -> None:
        name, dot, ending = key.rpartition(".")
        for owner in ADDED.get(dot + ending, ()):
            if name + owner in release_keys:
                self._added[name + owner].append(value)
                return
        unmatched.append(key)

    def _misfit(self, key: str, shape: str, weight: Tensor) -> WeightsError:
        return WeightsError(
            f"{self.path.name} changes {key} by {shape}, but the transformer's is {tuple(weight.shape)}: "
            "choose a LoRA for Wan 2.1 T2V of the same size"
        )
