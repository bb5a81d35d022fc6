"""What training writes: the control branch under the release's names, and what is needed to go on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neoverse_ns.console import say
from neoverse_ns.errors import UNREADABLE, RunError
from neoverse_ns.generate.refiners.wan.key_map import to_release

if TYPE_CHECKING:
    from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer

CHECKPOINTS, MODEL = "checkpoints", "model"
CONTROL_FILE, STATE_FOLDER, PROGRESS_FILE = "control.safetensors", "state", "progress.json"
SHARD_BYTES = 5_000_000_000


def control_state(model: ControlledWanTransformer) -> dict[str, Tensor]:
    """The control branch's tensors under the release's names, on the CPU."""
    prefixes = tuple(f"{name}." for name in model.control_modules())
    state = {key: value for key, value in model.state_dict().items() if key.startswith(prefixes)}
    return {to_release(key): value.detach().cpu().contiguous() for key, value in state.items()}


def save_control(model: ControlledWanTransformer, folder: Path, step: int, dtype: torch.dtype | None = None) -> Path:
    """Write the control branch; `WanConfig.control` takes the file.

    Args:
        model: With the branch.
        folder: Created where needed.
        step: Noted in the file.
        dtype: Of the tensors; None keeps theirs.

    Raises:
        RunError: The folder cannot be written.
    """
    from safetensors.torch import save_file

    state = {key: value if dtype is None else value.to(dtype) for key, value in control_state(model).items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Written beside and moved, so that a run that is killed leaves no half a file.
        save_file(state, folder / f"{CONTROL_FILE}.part", metadata={"step": str(step)})
        return (folder / f"{CONTROL_FILE}.part").replace(folder / CONTROL_FILE)
    except OSError as error:
        raise RunError(
            f"cannot write to {folder} ({error.strerror or error}): free space, or another folder"
        ) from error


def save_model(
    model: ControlledWanTransformer, folder: Path, dtype: torch.dtype, shard_bytes: int = SHARD_BYTES
) -> None:
    """Write the whole transformer in the release's layout: numbered shards with an index.

    Args:
        model: With the branch.
        folder: Created where needed.
        dtype: Of the tensors.
        shard_bytes: Largest size of a file, unless one tensor is larger.

    Raises:
        RunError: The folder cannot be written.
    """
    from safetensors.torch import save_file

    names = {to_release(key): key for key in model.state_dict()}
    state = model.state_dict()
    shards: list[list[str]] = [[]]
    held = 0
    for release, key in names.items():
        size = state[key].numel() * dtype.itemsize
        if held + size > shard_bytes and shards[-1]:
            shards.append([])
            held = 0
        shards[-1].append(release)
        held += size
    stem, weight_map = "diffusion_pytorch_model", {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, keys in enumerate(shards, start=1):
            name = f"{stem}-{number:05d}-of-{len(shards):05d}.safetensors"
            save_file({key: state[names[key]].detach().to("cpu", dtype).contiguous() for key in keys}, folder / name)
            weight_map |= dict.fromkeys(keys, name)
        total = sum(value.numel() * dtype.itemsize for value in state.values())
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, indent=1))
        heads, layers = model.config.num_attention_heads, list(model.config.vace_layers)  # pyright: ignore
        (folder / "config.json").write_text(json.dumps({"num_heads": heads, "control_layers": layers}))
    except OSError as error:
        raise RunError(
            f"cannot write to {folder} ({error.strerror or error}): free space, or another folder"
        ) from error
    say(f"wrote the whole model to {folder}")


def checkpoint_folder(output: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return output / CHECKPOINTS / f"step-{step:06d}"


def finish_checkpoint(folder: Path, step: int, keep: int) -> None:
    """Declare a checkpoint whole, and drop the oldest ones.

    Args:
        folder: Of the checkpoint.
        step: It was saved after.
        keep: Newest ones to keep.
    """
    (folder / PROGRESS_FILE).write_text(json.dumps({"step": step}))
    for old in finished_checkpoints(folder.parent.parent)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)


def finished_checkpoints(output: Path) -> list[Path]:
    """Whole checkpoints of a run, the oldest first."""
    folder = output / CHECKPOINTS
    return sorted(path for path in folder.glob("step-*") if (path / PROGRESS_FILE).is_file())


def checkpoint_step(folder: Path) -> int:
    """After which step a checkpoint was saved.

    Raises:
        RunError: It does not say.
    """
    try:
        return int(json.loads((folder / PROGRESS_FILE).read_text())["step"])
    except UNREADABLE as error:
        raise RunError(f"{folder} is damaged ({error}): delete it to go on from the one before") from error
