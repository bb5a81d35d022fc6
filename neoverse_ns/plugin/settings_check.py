"""Settings that cannot work, found before anything is reconstructed."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from nerfstudio.engine.trainer import TrainerConfig

from neoverse_ns.errors import RunError, SettingsError


def check_settings(config: TrainerConfig) -> None:
    """Find numbers that are not finite, devices that are not here or too many, and checkpoints that do not exist.

    Raises:
        SettingsError, RunError: Naming the setting and what to do.
    """
    for name, value in _floats(config, ""):
        if not math.isfinite(value):
            raise SettingsError(f"--{name.replace('_', '-')} is {value}: give a finite number")
    for name in ("num_devices", "num_machines"):
        if (count := getattr(config.machine, name)) != 1:
            # The Gaussians' gradients are sparse rows, which the reducer of distributed training cannot pass on.
            raise SettingsError(
                f"--machine.{name.replace('_', '-')} is {count}, but one clip trains on one device: leave it at 1"
            )
    device = config.machine.device_type
    if device == "cuda" and not torch.cuda.is_available():
        raise SettingsError("--machine.device-type is cuda, but torch finds no CUDA device here: use cpu")
    if device not in ("cpu", "cuda"):
        raise SettingsError(f"--machine.device-type {device} is not supported: use cpu or cuda")
    if config.load_dir is not None and not any(config.load_dir.expanduser().glob("step-*.ckpt")):
        raise RunError(
            f"--load-dir {config.load_dir} holds no checkpoint step-*.ckpt: give a run's nerfstudio_models folder"
        )
    if config.load_checkpoint is not None and not config.load_checkpoint.is_file():
        raise RunError(f"--load-checkpoint {config.load_checkpoint} is not a file: give a run's step-*.ckpt")


def _floats(value: Any, name: str) -> list[tuple[str, float]]:
    if isinstance(value, float):
        return [(name, value)]
    if is_dataclass(value) and not isinstance(value, type):
        children = [(f.name, getattr(value, f.name)) for f in fields(value)]
    elif isinstance(value, dict):
        children = list(value.items())
    else:
        return []
    return [found for key, child in children for found in _floats(child, f"{name}.{key}" if name else str(key))]
