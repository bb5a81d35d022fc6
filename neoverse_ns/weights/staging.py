"""Parts of a module on the device one after the other, the rest waiting in main memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Move = Callable[[Tensor, torch.device], Tensor]


def _move(tensor: Tensor, device: torch.device) -> Tensor:
    return tensor.to(device)


class StagedModule:
    """Brings the weights of a stage to the device when one of its layers is about to run, and drops the last stage's.

    The weights never leave main memory (or the file that they are mapped from): the device gets a copy, which is thrown
    away when another stage begins, so that nothing is ever copied back. For inference only: what an optimiser would
    change in such a copy is lost. Buffers, and weights of modules that have parts of their own (tokens, position
    tables), are few and stay on the device.

    Locked by `test_only_one_stage_is_on_the_device` and `test_staged_results_are_identical`.

    Args:
        module: Its weights are in main memory and without gradients; inputs must be on `device`.
        device: Where it runs.
        stage_of: The stage of a layer by its name in `module`.
        move: Makes the copy on the device.

    Raises:
        ValueError: A weight has a gradient.
    """

    def __init__(
        self, module: nn.Module, device: torch.device | str, stage_of: Callable[[str], str], move: Move = _move
    ) -> None:
        if any(parameter.requires_grad for parameter in module.parameters()):
            raise ValueError("a module that runs in stages must not be trained: call requires_grad_(False) first")
        self.module = module
        self.device = torch.device(device)
        self.active: str | None = None
        self._move = move
        self._stages: dict[str, list[tuple[nn.Parameter, Tensor]]] = defaultdict(list)
        self._resident: list[tuple[nn.Parameter, Tensor]] = []
        self._hooks: list[Any] = []
        for name, layer in module.named_modules():
            own = [(parameter, parameter.data) for parameter in layer.parameters(recurse=False)]
            if not own:
                continue
            if next(layer.children(), None) is not None:
                self._resident += own
                continue
            stage = stage_of(name)
            self._stages[stage] += own
            self._hooks.append(layer.register_forward_pre_hook(self._begin(stage)))
        self._buffers = [
            (layer, name, buffer) for layer in module.modules() for name, buffer in layer.named_buffers(recurse=False)
        ]
        self._bring(self._resident)
        for layer, name, buffer in self._buffers:
            setattr(layer, name, move(buffer, self.device))

    @property
    def stage_bytes(self) -> dict[str, int]:
        """Memory of every stage's weights."""
        return {stage: sum(home.nbytes for _, home in weights) for stage, weights in self._stages.items()}

    def activate(self, stage: str | None) -> None:
        """Let `stage` be the one whose weights are on the device; None leaves only those that always are."""
        if stage == self.active:
            return
        if self.active is not None:
            _send_home(self._stages[self.active])
        # Should the device run out of memory now, no stage is half there.
        self.active = None
        if stage is not None:
            self._bring(self._stages[stage])
        self.active = stage

    def close(self) -> None:
        """Give the module back as it was."""
        self.activate(None)
        _send_home(self._resident)
        for layer, name, buffer in self._buffers:
            setattr(layer, name, buffer)
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def _begin(self, stage: str) -> Callable[..., None]:
        def hook(*_: object) -> None:
            self.activate(stage)

        return hook

    def _bring(self, weights: list[tuple[nn.Parameter, Tensor]]) -> None:
        try:
            for parameter, home in weights:
                parameter.data = self._move(home, self.device)
        except BaseException:
            _send_home(weights)
            raise


def _send_home(weights: list[tuple[nn.Parameter, Tensor]]) -> None:
    for parameter, home in weights:
        parameter.data = home
