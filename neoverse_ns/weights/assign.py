"""Weights into a module that was built without memory of its own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from neoverse_ns.console import progress
from neoverse_ns.errors import WeightsError
from neoverse_ns.weights.match import common_prefix, require_match
from neoverse_ns.weights.pages import release_pages
from neoverse_ns.weights.read import WeightsFile

TypeOf = Callable[[str, Tensor], torch.dtype | None]
"""The type that a tensor shall have, by its key; None keeps its own."""


def assign_weights(
    module: nn.Module,
    file: WeightsFile,
    dtype: torch.dtype | TypeOf | None = None,
    device: torch.device | str = "cpu",
) -> nn.Module:
    """Make the file's tensors the module's own, for inference, without ever holding a second copy of all of them.

    The tensors of `file` are handed over one by one, so `file.tensors` is empty afterwards. Where neither type nor
    device change they stay mapped: the file must not be overwritten in place while the module lives.

    Args:
        module: Built on the meta device (`with torch.device("meta")`) or anywhere else; its parameters are replaced.
        file: As :func:`read_weights` gives it; its keys may all have a prefix in front.
        dtype: Of the floating-point tensors, of all or by key; None keeps the file's.
        device: Where they end up.

    Returns:
        The module, in evaluation mode, its parameters without gradients.

    Raises:
        WeightsError: The tensors are not exactly the module's, or the device has no room for them.
    """
    expected = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    prefix = common_prefix(file.tensors, expected)
    require_match(expected, {key.removeprefix(prefix): shape for key, shape in file.shapes.items()}, str(file.path))
    state: dict[str, Tensor] = {}
    try:
        with progress(f"loading {file.path.name}", len(file.tensors)) as steps:
            for key in list(file.tensors):
                name, tensor = key.removeprefix(prefix), file.tensors.pop(key)
                wanted = dtype if dtype is None or isinstance(dtype, torch.dtype) else dtype(name, tensor)
                state[name] = _placed(tensor, wanted, device)
                steps.advance()
    except torch.OutOfMemoryError as error:
        state.clear()
        raise WeightsError(
            f"{device} has no room for the weights of {file.path.name}: use the CPU, a smaller type, or the low-memory "
            "mode, which keeps on the device only the stage that is running"
        ) from error
    module.load_state_dict(state, strict=True, assign=True)
    left = [name for name, tensor in [*module.named_parameters(), *module.named_buffers()] if tensor.is_meta]
    if left:
        # Buffers outside the state dict are computed by the module itself, so it must not build them on meta.
        raise RuntimeError(f"{type(module).__name__} left {', '.join(left[:3])} on the meta device")
    for name, buffer in module.named_buffers():
        if buffer.device != torch.device(device):
            module.get_submodule(name.rpartition(".")[0])._buffers[name.rpartition(".")[2]] = buffer.to(device)
    return module.eval().requires_grad_(False)


def _placed(tensor: Tensor, dtype: torch.dtype | None, device: torch.device | str) -> Tensor:
    """The tensor with another type, elsewhere; pages of the file that it came from are given back at once."""
    placed = tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)
    if placed.data_ptr() != tensor.data_ptr():
        release_pages(tensor)
    return placed
