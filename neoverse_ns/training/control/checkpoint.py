"""What training writes of the model: the control branch, or all of it, under the release's names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neoverse_ns.console import say
from neoverse_ns.generate.refiners.wan.key_map import to_release
from neoverse_ns.training.control.sharing import whole
from neoverse_ns.training.runs.checkpoints import told_where

if TYPE_CHECKING:
    from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer

MODEL, CONTROL_FILE = "model", "control.safetensors"
SHARD_BYTES = 5_000_000_000


def control_state(model: ControlledWanTransformer) -> dict[str, Tensor]:
    """The control branch's tensors under the release's names, whole and on the CPU; see :func:`.sharing.whole`."""
    prefixes = tuple(f"{name}." for name in model.control_modules())
    state = {key: value for key, value in model.state_dict().items() if key.startswith(prefixes)}
    return {to_release(key): whole(value).detach().cpu().contiguous() for key, value in state.items()}


def save_control(state: dict[str, Tensor], folder: Path, step: int) -> Path:
    """Write the control branch; `WanConfig.control` takes the file.

    Args:
        state: Of :func:`control_state`.
        folder: Created where needed.
        step: Noted in the file.

    Raises:
        RunError: The folder cannot be written.
    """
    from safetensors.torch import save_file

    with told_where(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # Written beside and moved, so that a run that is killed leaves no half a file.
        save_file(state, folder / f"{CONTROL_FILE}.part", metadata={"step": str(step)})
        return (folder / f"{CONTROL_FILE}.part").replace(folder / CONTROL_FILE)


def save_model(
    model: ControlledWanTransformer,
    folder: Path,
    dtype: torch.dtype,
    shard_bytes: int = SHARD_BYTES,
    control: dict[str, Tensor] | None = None,
) -> None:
    """Write the whole transformer in the release's layout: numbered shards with an index.

    Args:
        model: With the branch.
        folder: Created where needed.
        dtype: Of the tensors.
        shard_bytes: Largest size of a file, unless one tensor is larger.
        control: The branch as :func:`control_state` gives it, where `model` holds a part of it; None takes the model's.

    Raises:
        RunError: The folder cannot be written.
    """
    from safetensors.torch import save_file

    state = {to_release(key): value for key, value in model.state_dict().items()} | (control or {})
    shards: list[list[str]] = [[]]
    held = 0
    for release, value in state.items():
        size = value.numel() * dtype.itemsize
        if held + size > shard_bytes and shards[-1]:
            shards.append([])
            held = 0
        shards[-1].append(release)
        held += size
    stem, weight_map = "diffusion_pytorch_model", {}
    with told_where(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for number, keys in enumerate(shards, start=1):
            name = f"{stem}-{number:05d}-of-{len(shards):05d}.safetensors"
            save_file({key: state[key].detach().to("cpu", dtype).contiguous() for key in keys}, folder / name)
            weight_map |= dict.fromkeys(keys, name)
        total = sum(value.numel() * dtype.itemsize for value in state.values())
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, indent=1))
        heads, layers = model.config.num_attention_heads, list(model.config.vace_layers)  # pyright: ignore
        (folder / "config.json").write_text(json.dumps({"num_heads": heads, "control_layers": layers}))
    say(f"wrote the whole model to {folder}")
